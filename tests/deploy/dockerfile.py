# SPDX-License-Identifier: Apache-2.0
"""Reads a Dockerfile as far as deploy/Dockerfile goes.

file = Dockerfile.read(pathlib.Path("deploy/Dockerfile").read_text(), {"VERSION": "1.0"})
file.stages[1].name                             # "runtime"
for step in file.stages[0].steps: step.word, step.flags, step.text      # "COPY", {"from": "build"}, "/image/ /"
file.stages[1].environment                      # what ENV and ARG have set at its end
"""

import dataclasses
import json
import re
import shlex

# What there is to know of each: what it may be followed by is left to a linter.
WORDS = {"FROM", "ARG", "ENV", "WORKDIR", "COPY", "RUN", "USER", "LABEL", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK",
         "ENTRYPOINT", "CMD"}  # fmt: skip


@dataclasses.dataclass
class Step:
    line: int
    word: str
    flags: dict
    text: str

    def words(self):
        """The JSON form of RUN, CMD, ENTRYPOINT or HEALTHCHECK CMD; the blank-separated words of the others."""
        text = self.text.removeprefix("CMD ").strip() if self.word == "HEALTHCHECK" else self.text
        return json.loads(text) if text.startswith("[") else shlex.split(text)


@dataclasses.dataclass
class Stage:
    name: str
    base: str
    steps: list

    def last(self, word):
        """The step that counts where only one does; None if there is none."""
        return next((step for step in reversed(self.steps) if step.word == word), None)


@dataclasses.dataclass
class Dockerfile:
    stages: list
    arguments: dict

    @staticmethod
    def read(text, arguments=None):
        """arguments: those of --build-arg. ValueError: an instruction that this reader does not know."""
        known, stages = {}, []
        for line, word, rest in instructions(text):
            if word not in WORDS:
                raise ValueError(f"line {line}: unknown instruction {word}")
            flags, rest = split_flags(rest)
            if word == "ARG":
                name, _, default = rest.partition("=")
                known[name] = (arguments or {}).get(name, default.strip('"'))
            if word == "FROM":
                base, _, name = re.sub(r"\s+AS\s+", " AS ", expand(rest, known)).partition(" AS ")
                stages.append(Stage(name or str(len(stages)), base, []))
            elif stages:
                stages[-1].steps.append(Step(line, word, flags, rest))
        return Dockerfile(stages, known)


def instructions(text):
    """Yields (line number, INSTRUCTION, what follows), continued lines joined, comments left out."""
    start, joined = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not joined and not line.strip()):
            continue
        start = start or number
        joined += line.rstrip("\\").rstrip() + " " if line.endswith("\\") else line
        if not line.endswith("\\"):
            word, _, rest = joined.strip().partition(" ")
            yield start, word.upper(), rest.strip()
            start, joined = 0, ""


def split_flags(text):
    """--name=value in front: ({name: value}, the rest)."""
    flags = {}
    while found := re.match(r"--([a-z-]+)=(\S+)\s+", text):
        flags[found.group(1)] = found.group(2)
        text = text[found.end() :]
    return flags, text


def expand(text, values):
    return re.sub(r"\$\{(\w+)\}|\$(\w+)", lambda found: values[found.group(1) or found.group(2)], text)
