# SPDX-License-Identifier: Apache-2.0
"""Runs the program on wrong input: every case must end with a sentence and the right exit code.

    python3 tests/bad_input/run_cases.py --program build/release/manygate [--only TEXT] [--keep FOLDER] [--verbose]

The cases stand in the .json files beside this one: lists of objects with
  name      what is wrong
  command   arguments of the program, run in a folder of its own that holds data.csv (generated, 2,000 rows with header)
  code      exit code, default 2
  stderr    texts that must stand on stderr; {line} = the line of the first file that was edited, where the edit is
  files     {name: content}: content is a text, a list of lines, or steps on a base (see `edited`); default base of
            *.config is base.config, of everything else data.csv
  model     {name: steps or null}: the case gets a copy of a trained model directory, "model", with these files edited, or
            removed (null); names may be globs
  absent    what must not exist afterwards; default: a finished model directory "out" and the output "out.csv"

In every case, besides: no death by signal, no traces of the program's insides on stderr, no temporary file left, less
than 20 seconds. --only runs the cases whose name holds TEXT; --keep leaves their folders in FOLDER.
"""
import argparse
import gzip
import json
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
FORBIDDEN = ["terminate called", "Assertion", "Segmentation", "std::", "Traceback", "what():", "core dumped",
             "a condition of the program itself", "Sanitizer", "[libprotobuf"]
MAX_SECONDS = 20
DEFAULT_ABSENT = ["out/MANIFEST.json", "out/weights.safetensors", "out.csv"]


def stored_zstd(text):
    """A zstd frame (RFC 8878, 3.1.1) of blocks that are stored as they are: Python 3.11 cannot compress zstd."""
    frame = b"\x28\xb5\x2f\xfd\x00\x58"  # no options; a window of 2 MiB
    for start in range(0, len(text), 1 << 16):
        block = text[start : start + (1 << 16)]
        last = start + len(block) == len(text)
        frame += (len(block) << 3 | last).to_bytes(3, "little") + block
    return frame


def edited(content, steps):
    """Applies the steps to the bytes, in this order; returns (bytes, line of the first text edit or None)."""
    text, line = content, None

    def note(position):
        nonlocal line
        if line is None:
            line = text.count(b"\n", 0, position) + 1

    if "head" in steps:  # keep that many lines
        text = b"".join(text.splitlines(keepends=True)[: steps["head"]])
    for old, new in steps.get("replace", []):  # the first occurrence
        if old.encode() not in text:
            sys.exit(f"a case replaces {old!r}, which is not there")
        note(text.index(old.encode()))
        text = text.replace(old.encode(), new.encode("utf-8", "surrogateescape"), 1)
    if "column" in steps:  # [name, value of all rows, or null = remove the column]
        name, value = steps["column"]
        rows = [row.split(",") for row in text.decode().splitlines()]
        index = rows[0].index(name)
        for number, row in enumerate(rows):
            if value is None:
                del row[index]
            elif number > 0:
                row[index] = value
        text = "".join(",".join(row) + "\n" for row in rows).encode()
    if "value" in steps:  # [line, column, value]
        line, name, value = steps["value"]
        rows = text.decode().splitlines()
        row = rows[line - 1].split(",")
        row[rows[0].split(",").index(name)] = value
        rows[line - 1] = ",".join(row)
        text = ("\n".join(rows) + "\n").encode("utf-8", "surrogateescape")
    if "line" in steps:  # [line, whole text of it]
        line, new = steps["line"]
        rows = text.splitlines(keepends=True)
        rows[line - 1] = new.encode("utf-8", "surrogateescape") + b"\n"
        text = b"".join(rows)
    if "append" in steps:
        text += steps["append"].encode("utf-8", "surrogateescape")
    if "repeat" in steps:  # [text, times], instead of everything
        text = steps["repeat"][0].encode() * steps["repeat"][1]
    if "encode" in steps:
        text = text.decode().encode(steps["encode"])
    if steps.get("gzip"):
        text = gzip.compress(text, mtime=0)
    if steps.get("zstd"):
        text = stored_zstd(text)
    if "truncate" in steps:  # bytes that stay; negative: bytes cut off
        text = text[: steps["truncate"]]
    if "flip" in steps:  # the lowest bit of the byte there; negative: counted from the end
        position = steps["flip"] % len(text)
        text = text[:position] + bytes([text[position] ^ 1]) + text[position + 1 :]
    return text, line


class Runner:
    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.base = folder / "base"
        self.base.mkdir()
        shutil.copy(HERE / "base.config", self.base)
        for command in ("generate funnel --rows 2000 --seed 1 --output data.csv",
                        "train base.config --model_dir model --seed 1"):
            done = self.run(command, self.base)
            if done.returncode != 0:
                sys.exit(f"manygate {command}: exit code {done.returncode}, so no case can run\n{done.stderr}")
        for name in ("data.csv", "model/MANIFEST.json"):
            if not (self.base / name).is_file():
                sys.exit(f"the program wrote no {name}, so no case can run")

    def run(self, command, folder):
        return subprocess.run(
            [self.program, *shlex.split(command)], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            errors="replace", timeout=4 * MAX_SECONDS, check=False,
        )

    def prepare(self, case, folder):
        """Writes the files of the case; returns the line of its first edit."""
        shutil.copy(self.base / "data.csv", folder)
        shutil.copy(self.base / "base.config", folder)
        if "model" in case:
            shutil.copytree(self.base / "model", folder / "model")
        first_line = None
        for name, content in case.get("files", {}).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, dict):
                base = self.base / ("base.config" if path.suffix == ".config" else "data.csv")
                data, line = edited(base.read_bytes(), content)
                first_line = first_line or line
            else:
                text = content if isinstance(content, str) else "".join(row + "\n" for row in content)
                data = text.encode("utf-8", "surrogateescape")
            path.write_bytes(data)
        for pattern, steps in case.get("model", {}).items():
            found = sorted((folder / "model").glob(pattern))
            if not found:
                sys.exit(f"{case['name']}: the trained model directory holds no {pattern}")
            for path in found:
                if steps is None:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                else:
                    path.write_bytes(edited(path.read_bytes(), steps)[0])
        return first_line

    def problems(self, case):
        """Runs one case; returns (what is wrong with the outcome, stderr)."""
        folder = self.folder / "cases" / case["name"].replace("/", "_").replace(" ", "_")
        folder.mkdir(parents=True)
        line = self.prepare(case, folder)
        start = time.monotonic()
        try:
            done = self.run(case["command"], folder)
        except subprocess.TimeoutExpired:
            return ["it hangs"], ""
        found = []
        seconds = time.monotonic() - start
        if seconds > MAX_SECONDS:
            found.append(f"it took {seconds:.0f} seconds")
        if done.returncode != case.get("code", 2):
            found.append(f"exit code {done.returncode}, expected {case.get('code', 2)}")
        for text in case["stderr"]:
            text = text.replace("{line}", str(line))
            if text not in done.stderr:
                found.append(f"stderr lacks: {text}")
        found += [f"the output holds: {text}" for text in FORBIDDEN if text in done.stderr + done.stdout]
        found += [f"left behind: {name}" for name in case.get("absent", DEFAULT_ABSENT) if (folder / name).exists()]
        found += [f"left behind: {path.relative_to(folder)}" for path in folder.rglob("*.tmp")]
        return found, done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true", help="print what every case said")
    arguments = parser.parse_args()
    cases = [case for file in sorted(HERE.glob("*.json")) for case in json.loads(file.read_text())]
    names = [case["name"] for case in cases]
    if len(set(names)) != len(names):
        sys.exit(f"two cases of one name: {sorted(name for name in set(names) if names.count(name) > 1)}")
    if arguments.keep:
        arguments.keep.mkdir(parents=True)
    folder = pathlib.Path(arguments.keep or tempfile.mkdtemp(prefix="manygate_bad_input."))
    failed = 0
    try:
        runner = Runner(arguments.program.resolve(), folder.resolve())
        cases = [case for case in cases if arguments.only in case["name"]]
        for case in cases:
            problems, said = runner.problems(case)
            failed += bool(problems)
            if problems or arguments.verbose:
                print(f"{'FAILED' if problems else 'ok'}: {case['name']}\n  manygate {case['command']}")
                print("".join(f"  - {problem}\n" for problem in problems) + "".join(f"  | {x}\n" for x in said.splitlines()))
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)
    print(f"{len(cases) - failed} of {len(cases)} cases passed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
