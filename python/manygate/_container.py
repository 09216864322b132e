# SPDX-License-Identifier: Apache-2.0
"""A model directory as bytes, and as a copy: the files that make up the model, without checkpoints and caches.

The bytes are a ZIP archive, stored and not compressed, so that the same directory gives the same bytes:

    manygate_model.json                {"format_version": 1}
    MANIFEST.json                      sizes and checksums of the next three; the program verifies them
    pipeline.config  schema.pbtxt  weights.safetensors
    metrics.jsonl                      the log of the training, if there is one
    members/1/...  members/2/...       the same files, of each network of an ensemble

Nothing else is read from one, and nothing in it is executed. A newer format_version is refused.
"""

from __future__ import annotations

import glob
import io
import json
import os
import re
import shutil
import tempfile
import zipfile

from manygate._core import InvalidInput

FORMAT_VERSION = 1
_VERSION_FILE = "manygate_model.json"
_MANIFEST = "MANIFEST.json"
_FILES = (_MANIFEST, "pipeline.config", "schema.pbtxt", "weights.safetensors", "metrics.jsonl")
_NAME = re.compile(r"(members/[1-9][0-9]{0,5}/)?(" + "|".join(map(re.escape, _FILES)) + ")")
# What else the program leaves in a model directory.
_OTHERS = re.compile(
    r"members|checkpoints|report\.html|transfer\.json|\.manygate_cache|.*\.tmp|events\.out\.tfevents\..*"
)
_DATE = (1980, 1, 1, 0, 0, 0)


def pack(model_dir: str) -> bytes:
    """The bytes of a model directory."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(_VERSION_FILE, _DATE), json.dumps({"format_version": FORMAT_VERSION}))
        for name in files(model_dir):
            with open(os.path.join(model_dir, name), "rb") as file:
                archive.writestr(zipfile.ZipInfo(name, _DATE), file.read())
    return out.getvalue()


def unpack(data: bytes, folder: str) -> None:
    """Writes the files of pack() into an empty folder. InvalidInput: these are no such bytes, or damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            contents = {name: archive.read(name) for name in _checked_names(archive, len(data))}
    except InvalidInput:
        raise
    except Exception as error:  # zipfile lets through what struct, codecs and files raise about damaged bytes
        raise InvalidInput(f"not a model, or damaged bytes: {error}") from None
    for name, content in contents.items():
        path = os.path.join(folder, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)


def files(model_dir: str) -> list[str]:
    """Those that make up the model, from its folder on: MANIFEST.json, members/1/weights.safetensors, ..."""
    members = glob.glob(os.path.join(glob.escape(model_dir), "members", "[1-9]*"))
    numbers = sorted(int(name) for name in map(os.path.basename, members) if name.isdigit())
    names = [f"{folder}{name}" for folder in ("", *(f"members/{number}/" for number in numbers)) for name in _FILES]
    return [name for name in names if os.path.isfile(os.path.join(model_dir, name))]


def copy(model_dir: str, target: str) -> None:
    """Copies the model to `target`, which appears when it is complete. InvalidInput: `target` holds something else."""
    target = os.path.abspath(target)
    if os.path.exists(target) and os.path.samefile(model_dir, target):
        return
    _check_replaceable(target)
    parent = os.path.dirname(target)
    os.makedirs(parent, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".manygate_", suffix=".tmp", dir=parent) as beside:
        new, old = os.path.join(beside, "new"), os.path.join(beside, "old")
        for name in files(model_dir):
            path = os.path.join(new, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copyfile(os.path.join(model_dir, name), path)
        if os.path.lexists(target):
            os.rename(target, old)
        try:
            os.rename(new, target)
        except OSError:
            if os.path.lexists(old):
                os.rename(old, target)
            raise


def _checked_names(archive: zipfile.ZipFile, size: int) -> list[str]:
    """The files to write. Names that could lead out of the folder are not among those that are known."""
    version = None
    names: list[str] = []
    for entry in archive.infolist():
        if entry.compress_type != zipfile.ZIP_STORED:
            raise InvalidInput(f"not a model: {entry.filename!r} is compressed")
        if entry.filename == _VERSION_FILE:
            version = json.loads(archive.read(entry))["format_version"] if entry.file_size < 1000 else None
        elif not _NAME.fullmatch(entry.filename) or entry.filename in names:
            raise InvalidInput(f"not a model: it holds {entry.filename!r}, which a model does not, or not twice")
        else:
            names.append(entry.filename)
    if sum(entry.file_size for entry in archive.infolist()) > size:
        raise InvalidInput("not a model: its files are larger than itself")
    if not isinstance(version, int):
        raise InvalidInput(f"not a model: {_VERSION_FILE} is missing or damaged")
    if version > FORMAT_VERSION:
        raise InvalidInput(
            f"the model was written by a newer version (format {version}, this one reads up to {FORMAT_VERSION})"
        )
    if _MANIFEST not in names:
        raise InvalidInput(f"not a model: it holds no {_MANIFEST}")
    return names


def _check_replaceable(target: str) -> None:
    if not os.path.lexists(target):
        return
    if not os.path.isdir(target):
        raise InvalidInput(f"{target}: is a file, expected a new folder or a model directory")
    entries = sorted(os.listdir(target))
    if entries and _MANIFEST not in entries:
        raise InvalidInput(f"{target}: is not empty and no model directory; give a new folder")
    for entry in entries:
        if entry not in _FILES and not _OTHERS.fullmatch(entry):
            raise InvalidInput(f'{target}: holds "{entry}", which would be lost; give a new folder')
