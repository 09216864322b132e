# SPDX-License-Identifier: Apache-2.0
"""Installs libmanygate into a folder of its own and uses it as other programs do.

    python3 tests/embed/embed_test.py --build build/release --program build/release/manygate

Checks that the library shows the functions of manygate.h and nothing else, that only the half of Manygate that predicts is
linked into it, that the installed folder can be moved, and that both programs of examples/embed, built against it by
find_package and by pkg-config, print the scores of `manygate predict`, bit for bit. Exit code 77: a tool is missing, or the
build has sanitizers, which programs outside of it lack.
"""

import argparse
import csv
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from checks import check, skip  # noqa: E402
ROWS = 3000
# Folders of manygate/ whose code may be in the library. losses: the links from logits to predictions are theirs.
SERVING = {
    "base",
    "expression",
    "config",
    "math",
    "data",
    "features",
    "graph",
    "ops",
    "losses",
    "models",
    "catalog",
    "predictor",
}
TRAINING = {"train", "optimizers", "balancing", "metrics", "report", "check", "cli"}
NEEDED_TOOLS = ["cmake", "make", "pkg-config", "cc", "c++", "nm", "readelf"]


def run(*command, folder=None, stdin=None, environment=None):
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        stdin=stdin,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def why_not(build):
    """Why the library of this build cannot be used from outside; None if it can."""
    missing = [tool for tool in NEEDED_TOOLS if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not found"
    if re.search(r"^CMAKE_CXX_FLAGS\b.*-fsanitize", (build / "CMakeCache.txt").read_text(), re.MULTILINE):
        return "the library has sanitizers, which programs outside of this build lack"
    return None


def install(build, folder):
    """Installs and moves what was installed: nothing may depend on where that was."""
    run("cmake", "--install", build, "--component", "library", "--prefix", folder / "first")
    (folder / "first").rename(folder / "moved")
    prefix = folder / "moved"
    library_dir = next(prefix.glob("**/libmanygate.so")).parent
    names = sorted(
        str(path.relative_to(prefix)) for path in prefix.glob("**/*") if path.is_file() and not path.is_symlink()
    )
    lib = library_dir.relative_to(prefix)
    check(
        {
            f"{lib}/libmanygate.so.0.1.0",
            "include/manygate/manygate.h",
            "include/manygate/manygate.hpp",
            f"{lib}/cmake/manygate/manygateConfig.cmake",
            f"{lib}/cmake/manygate/manygateConfigVersion.cmake",
            f"{lib}/pkgconfig/manygate.pc",
        }
        <= set(names),
        f"installed: {', '.join(names)}",
    )
    return prefix, library_dir


def check_symbols(prefix, library_dir):
    header = (prefix / "include/manygate/manygate.h").read_text()
    declared = set(re.findall(r"^MANYGATE_API\b[^(]*?\b(manygate_\w+)\(", header, re.MULTILINE))
    shown = {
        line.split()[-1] for line in run("nm", "-D", "--defined-only", library_dir / "libmanygate.so").splitlines()
    }
    check(len(declared) >= 12, f"{len(declared)} functions in manygate.h")
    check(
        shown == declared,
        f"symbols of the library and not the header: {sorted(shown - declared)}, "
        f"of the header and not the library: {sorted(declared - shown)}",
    )
    dynamic = run("readelf", "-d", library_dir / "libmanygate.so")
    check("Library soname: [libmanygate.so.0]" in dynamic, "the library's name has the major version")
    print("    needs " + ", ".join(re.findall(r"Shared library: \[([^\]]+)\]", dynamic)))


def check_linked(build):
    """The linker's map names each member of an archive that it took."""
    linked = (build / "libmanygate.link").read_text()
    folders = set(re.findall(r"^\S*libmanygate_(\w+?)(?:_proto)?\.a\([^)]*\)$", linked, re.MULTILINE))
    check("predictor" in folders and "graph" in folders, f"linked: {', '.join(sorted(folders))}")
    check(folders <= SERVING, f"nothing of {', '.join(sorted(TRAINING))} is linked: {sorted(folders - SERVING)}")


def compile_headers(prefix, folder):
    for name, compiler, language, header in (
        ("one.c", "cc", "c99", "manygate.h"),
        ("two.cc", "c++", "c++17", "manygate.hpp"),
    ):
        (folder / name).write_text(
            f"#include <manygate/{header}>\nint Unused(void);\nint Unused(void) {{ return MANYGATE_OK; }}\n"
        )
        run(
            compiler,
            f"-std={language}",
            "-pedantic",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-I",
            prefix / "include",
            "-c",
            folder / name,
            "-o",
            folder / "header.o",
        )
    check(True, "manygate.h is C99, manygate.hpp is C++17")


def build_programs(prefix, library_dir, folder):
    """Copies, so that nothing of the repository is in reach."""
    for name in ("c", "cpp"):
        shutil.copytree(ROOT / "examples/embed" / name, folder / name)
    run("make", folder=folder / "c", environment={"PKG_CONFIG_PATH": str(library_dir / "pkgconfig")})
    run(
        "cmake",
        "-S",
        folder / "cpp",
        "-B",
        folder / "cpp/build",
        f"-DCMAKE_PREFIX_PATH={prefix}",
        "-DCMAKE_BUILD_TYPE=Release",
    )
    run("cmake", "--build", folder / "cpp/build")
    return {"C": folder / "c/scores", "C++": folder / "cpp/build/scores"}


def train(program, folder):
    run(program, "generate", "funnel", "--rows", ROWS, "--seed", 1, "--output", folder / "rows.csv")
    run(
        program,
        "train",
        ROOT / "examples/funnel/mmoe.config",
        "--model_dir",
        folder / "model",
        "--set",
        "train_config.num_epochs=1",
        environment={"FUNNEL_DATA": str(folder / "rows.csv")},
    )
    run(program, "predict", folder / "model", "--data", folder / "rows.csv", "--output", folder / "scores.csv")
    with open(folder / "rows.csv", newline="") as file, open(folder / "rows.tsv", "w") as tsv:
        for row in csv.reader(file):
            tsv.write("\t".join(row) + "\n")


def bits(text):
    return struct.pack("<f", float(text))


def check_scores(programs, folder):
    with open(folder / "scores.csv", newline="") as file:
        names, *want = list(csv.reader(file))
    for language, program in programs.items():
        with open(folder / "rows.tsv") as rows:
            printed = run(program, folder / "model", stdin=rows).splitlines()
        check(printed[0].split("\t") == names, f"the {language} program names {', '.join(names)}")
        got = [line.split("\t") for line in printed[1:]]
        same = [[bits(text) for text in row] for row in got] == [[bits(text) for text in row] for row in want]
        check(same and len(got) == ROWS, f"the {language} program's {len(got)} rows have the bits of manygate predict")


def check_errors(programs, folder):
    for language, program in programs.items():
        done = subprocess.run([program, folder], stdin=subprocess.DEVNULL, text=True, capture_output=True)
        check(
            done.returncode == 1 and done.stderr.startswith(f"scores: {folder}"),
            f"the {language} program says why it stops: {done.stderr.strip()}",
        )
        wrong = subprocess.run(
            [program, folder / "model"], input="price\tdevice\ncheap\tphone\n", text=True, capture_output=True
        )
        check(
            wrong.returncode == 1 and 'row 0: column "price": "cheap" is no number' in wrong.stderr,
            f"the {language} program names the wrong value: {wrong.stderr.strip().splitlines()[-1]}",
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder with the library")
    parser.add_argument("--program", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    reason = why_not(build)
    if reason:
        skip(reason)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        prefix, library_dir = install(build, folder)
        check_symbols(prefix, library_dir)
        check_linked(build)
        compile_headers(prefix, folder)
        programs = build_programs(prefix, library_dir, folder)
        train(arguments.program.resolve(), folder)
        check_scores(programs, folder)
        check_errors(programs, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
