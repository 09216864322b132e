#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the documents tell the truth and that the tree is tidy.

    python3 scripts/check_docs.py [--program build/release/manygate] [--root REPOSITORY]

- links between documents and the files that they name exist;
- every `./run VERB` and, with --program, every `manygate VERB --flag` in a document is one that the program has;
- no tracked file holds an absolute path of somebody's machine;
- no source is longer than 800 lines.
Prints one line per problem (file:line: what) and exits 1; exits 0 when there is none.
"""
import argparse
import pathlib
import re
import subprocess
import sys

MAX_LINES = 800
SOURCES = {".cc", ".h", ".py", ".sh", ".proto", ".cu"}
MACHINE_PATH = re.compile(r"(?<![\w.$}~-])/(?:home|root|work|tmp|farm|Users|mnt)/[\w.]")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
RUN = re.compile(r"\./run ([a-z]+)")
COMMAND = re.compile(r"(?:^|[\s`/])manygate ([a-z]+)\b([^`|>]*)")
FLAG = re.compile(r"(?<!\S)(--[a-z][a-z_]*)")


def tracked(root):
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [root / name for name in sorted(listing.split("\0")) if name and (root / name).is_file()]


def commands(text):
    """Yields (line number, line) of the command lines: fenced blocks, `\\`-continued lines joined, and `inline code`."""
    fenced, start, joined = False, 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced:
            start = start or number
            joined += line.rstrip("\\") if line.endswith("\\") else line
            if not line.endswith("\\"):
                yield start, joined
                start, joined = 0, ""
        else:
            for code in re.findall(r"`([^`]+)`", line):
                yield number, code


class Program:
    """What `manygate --help` and `manygate VERB --help` name."""

    def __init__(self, path):
        self.path = path
        self.helps = {}
        top = self.help_text()
        self.verbs = [verb for verb in re.findall(r"^\s+([a-z]+)\s", top, re.M) if self.flags(verb)]

    def help_text(self, *verb):
        done = subprocess.run([self.path, *verb, "--help"], capture_output=True, text=True, timeout=60, check=False)
        return done.stdout if done.returncode == 0 else ""

    def flags(self, verb):
        if verb not in self.helps:
            self.helps[verb] = set(re.findall(r"--[a-z][a-z_]*", self.help_text(verb)))
        return self.helps[verb]


def check_document(path, name, root, run_verbs, program):
    text = path.read_text()
    for number, line in enumerate(text.splitlines(), 1):
        for link in LINK.findall(line):
            if "://" not in link and not link.startswith("mailto:") and not (path.parent / link).exists():
                yield f"{name}:{number}: links to {link}, which does not exist"
    for number, line in commands(text):
        for verb in RUN.findall(line):
            if verb not in run_verbs:
                yield f"{name}:{number}: ./run has no verb {verb}; it has {', '.join(sorted(run_verbs))}"
        for file in re.findall(r"(?<![\w./])((?:examples|scripts|benchmarks|docs)/[\w./-]+\.(?:config|sh|py|md))", line):
            if not (root / file).is_file():
                yield f"{name}:{number}: names {file}, which does not exist"
        for verb, rest in COMMAND.findall(line) if program else []:
            if verb not in program.verbs:
                yield f"{name}:{number}: manygate has no verb {verb}; it has {', '.join(program.verbs)}"
                continue
            for flag in FLAG.findall(rest):
                if flag not in program.flags(verb):
                    yield f"{name}:{number}: manygate {verb} has no flag {flag}"


def check_file(path, name):
    try:
        lines = path.read_text().splitlines()
    except UnicodeDecodeError:
        return
    for number, line in enumerate(lines, 1):
        found = MACHINE_PATH.search(line)
        if found:
            yield f"{name}:{number}: holds a path of one machine: {line[found.start():][:40]}"
    if path.suffix in SOURCES and len(lines) > MAX_LINES:
        yield f"{name}: {len(lines)} lines; at most {MAX_LINES}: split it by concept"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--program", type=pathlib.Path, help="the built program, to compare its --help with the documents")
    arguments = parser.parse_args()
    root = arguments.root
    program = Program(arguments.program.resolve()) if arguments.program else None
    run_verbs = set(re.findall(r"^\./run ([a-z]+)", (root / "run").read_text(), re.M))
    problems = []
    if program and not program.verbs:
        problems.append(f"{arguments.program}: --help names no verbs")
        program = None
    for path in tracked(root):
        name = path.relative_to(root)
        problems += check_file(path, name)
        if path.suffix == ".md":
            problems += check_document(path, name, root, run_verbs, program)
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problem(s) in documents and files" if problems else "documents and files: no problem")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
