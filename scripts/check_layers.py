#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the folders of manygate/ include each other only along the arrows of layers.txt.

    python3 scripts/check_layers.py [--root REPOSITORY]

Prints one line per violation (file:line: what stands there, what is allowed) and exits 1; exits 0 when all arrows hold.
Three things are checked: layers.txt itself (known names, no cycle), every #include or import of a project file, and that
DEPENDS in manygate/CMakeLists.txt links just the folders that the arrows allow.
"""
import argparse
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*(?:#\s*include|#\s*define\s+HWY_TARGET_INCLUDE|import)\s+"([^"]+)"')
ARROWS = re.compile(r"manygate_folder\(([^)]*)\)")


def read_layers(path):
    """Returns ({folder: allowed folders}, {folder: allowed besides in its tests}, problems)."""
    layers, tests, problems = {}, {}, []
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        if ":" not in line:
            problems.append(f'{path.name}:{number}: expected "folder: folders", found "{line}"')
            continue
        name, allowed = line.split(":", 1)
        target = layers
        if name.endswith(" tests"):
            name, target = name[: -len(" tests")], tests
        if name in target:
            problems.append(f"{path.name}:{number}: {name} stands there twice")
        target[name] = set(allowed.split())
    for name, allowed in layers.items():
        if "*" in allowed:
            layers[name] = set(layers)
    for name, allowed in [*layers.items(), *tests.items()]:
        for folder in sorted((allowed | {name}) - set(layers)):
            problems.append(f"{path.name}: {name} names {folder}, which has no line of its own")
    problems += [f"{path.name}: {folder} reaches itself: {' -> '.join(way)}" for folder, way in cycles(layers)]
    return layers, tests, problems


def cycles(layers):
    """Yields (folder, way from the folder back to itself) for the first cycle, if there is one."""
    state = {}  # absent: not seen, 1: on the way, 2: done

    def visit(folder, way):
        if state.get(folder) == 1:
            return folder, way[way.index(folder) :] + [folder]
        if state.get(folder) == 2:
            return None
        state[folder] = 1
        for other in sorted(layers.get(folder, set()) - {folder}):
            found = visit(other, way + [folder])
            if found:
                return found
        state[folder] = 2
        return None

    for folder in sorted(layers):
        found = visit(folder, [])
        if found:
            yield found
            return


def check_includes(root, layers, tests):
    problems = []
    for path in sorted((root / "manygate").rglob("*")):
        if path.suffix not in (".cc", ".h", ".cu", ".proto"):
            continue
        relative = path.relative_to(root)
        folder = relative.parts[1]
        if len(relative.parts) < 3 or folder not in layers:
            problems.append(f"{relative}: not in a folder that layers.txt knows ({', '.join(sorted(layers))})")
            continue
        allowed = layers[folder] | {folder}
        if path.stem.endswith("_test"):
            allowed |= tests.get(folder, set())
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            parts = match.group(1).split("/")
            if len(parts) == 1 or parts[0] in (".", ".."):
                problems.append(f'{relative}:{number}: "{match.group(1)}": write the path from the root, "manygate/..."')
            elif parts[0] == "manygate" and parts[1] not in allowed:
                what = "is no folder" if parts[1] not in layers else f"is not open to {folder}"
                problems.append(
                    f"{relative}:{number}: includes {match.group(1)}, but {parts[1]} {what};"
                    f" {folder} may include: {' '.join(sorted(allowed - {folder})) or 'nothing'}"
                )
    return problems


def cmake_arrows(text):
    """Returns [(folder, DEPENDS folders, TEST_DEPENDS folders)] as manygate/CMakeLists.txt has them."""
    result = []
    for match in ARROWS.finditer(re.sub(r"#[^\n]*", "", text)):
        words = match.group(1).split()
        lists, kind = {"DEPENDS": set(), "TEST_DEPENDS": set()}, None
        for word in words[1:]:
            if word in lists:
                kind = word
            elif kind and word.startswith("manygate_"):
                lists[kind].add(word[len("manygate_") :])
        result.append((words[0], lists["DEPENDS"], lists["TEST_DEPENDS"]))
    return result


def check_cmake(path, layers, tests):
    problems, reach = [], {}
    for folder, depends, test_depends in cmake_arrows(path.read_text()):
        where = f"manygate/{path.name}: manygate_folder({folder}"
        if folder not in layers:
            problems.append(f"{where}): not in layers.txt")
            continue
        reach[folder] = depends.union(*(reach.get(other, set()) for other in depends))
        for extra in sorted(depends - layers[folder]):
            problems.append(f"{where} DEPENDS manygate_{extra}): layers.txt does not allow it")
        for extra in sorted(test_depends - layers[folder] - tests.get(folder, set())):
            problems.append(f"{where} TEST_DEPENDS manygate_{extra}): layers.txt does not allow it")
        for absent in sorted((layers[folder] & set(reach)) - reach[folder] - {folder}):
            problems.append(f"{where}): layers.txt allows {absent}, but nothing in DEPENDS brings it")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root
    layers, tests, problems = read_layers(root / "scripts" / "layers.txt")
    problems += check_includes(root, layers, tests)
    problems += check_cmake(root / "manygate" / "CMakeLists.txt", layers, tests)
    for problem in problems:
        print(problem)
    print(f"{len(problems)} violation(s) of the include arrows" if problems else "include arrows: all hold")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
