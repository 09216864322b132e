# SPDX-License-Identifier: Apache-2.0
"""Runs verbs of the program in this process: their flags in, what they print as JSON out."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Union

from manygate import _core
from manygate._progress import Progress, shown

Names = Union[str, Sequence[str]]


def run(verb: str, arguments: Sequence[str], *, threads: int | None = None, progress: Progress = False) -> Any:
    """What the verb prints with --format json, as Python's objects. Errors: InvalidInput, Failed."""
    threads_flag = [] if threads is None else ["--threads", str(threads)]
    with shown(progress) as log:
        text = _core.run([verb, *arguments, *threads_flag, "--format", "json"], log, log.columns)
    return json.loads(text)


def repeated(flag: str, values: Names | None) -> list[str]:
    """("--label", ["a", "b"]) -> --label a --label b; a text is one value."""
    values = [] if values is None else [values] if isinstance(values, str) else values
    return [part for value in values for part in (flag, value)]


def settings(values: Mapping[str, Any] | None) -> list[str]:
    """{"train_config.num_epochs": 3} -> --set train_config.num_epochs=3."""
    return [part for path, value in (values or {}).items() for part in ("--set", f"{path}={_setting(value)}")]


def _setting(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(json.dumps(part) if isinstance(part, str) else _setting(part) for part in value) + "]"
    return str(value)


class TemporaryFolder:
    """A folder that goes with this object, but never with a copy of it in a process that was forked."""

    def __init__(self) -> None:
        self.path = tempfile.mkdtemp(prefix="manygate_")
        self._finalizer = weakref.finalize(self, _remove, self.path, os.getpid())

    def __enter__(self) -> str:
        return self.path

    def __exit__(self, *error: object) -> None:
        self._finalizer()


def _remove(path: str, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(path, ignore_errors=True)
