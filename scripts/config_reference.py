#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/config_reference.md: every message, field and value that a configuration can hold.

    python3 scripts/config_reference.py            # writes the page
    python3 scripts/config_reference.py --check    # exit code 1 where the page is not what the sources say

Sources: the comments of manygate/config/feature.proto and pipeline.proto, the ranges that config/ranges.cc checks, and
the fields of other systems that config/foreign_fields.cc knows. How a comment is read:

- a field has the comment above it, the one behind it, or both;
- of its clauses, parted by ";" or ". ", "default: ..." and "required" go to the column of defaults, a clause that is a
  range and nothing else (">= 1", "[0, 1)", "1 to 64", "each >= 1") to the column of ranges; the rest is the meaning;
- a field without a comment means what the field of the same name means in a message that INHERIT names for it
  (config_reference/page.py), and else what its own message type means;
- a value of an enum without a comment means what the value before it means.

It fails, with exit code 1 and one line per problem, where a field has no meaning, a range contradicts ranges.cc, a
default lies outside its range, or a message, or a field that ranges.cc names, is not in a configuration.
"""
import argparse
import difflib
import pathlib
import sys

from config_reference.page import Reference

PAGE = "docs/config_reference.md"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare the page, write nothing")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    arguments = parser.parse_args()
    try:
        reference = Reference(arguments.root / "manygate" / "config")
    except ValueError as error:  # a line that the scripts do not understand
        print(error)
        return 1
    page = reference.page()
    for problem in reference.problems:
        print(problem)
    if reference.problems:
        print(f"{len(reference.problems)} problem(s) in the sources of {PAGE}")
        return 1
    path = arguments.root / PAGE
    if not arguments.check:
        path.write_text(page)
        return 0
    before = path.read_text() if path.exists() else ""
    for line in difflib.unified_diff(before.splitlines(), page.splitlines(), PAGE, "what the sources say", n=0, lineterm=""):
        print(line)
    if before != page:
        print(f"{PAGE} is not what the sources say: run python3 scripts/config_reference.py and commit the page")
        return 1
    print(f"{PAGE}: up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
