# SPDX-License-Identifier: Apache-2.0
"""The wheel, made fit for other machines, in an environment that has nothing else.

    python3 tests/python/wheel_test.py --wheel build/release/wheel

Repairs the wheel in that folder by auditwheel (the libraries it is linked with go into it), prints its size and what it
bundles, installs it into an empty virtual environment, and runs there the example of the README, whose output must be what the
README prints (figures to a hundredth: other processors round otherwise). Exit code 77: auditwheel or patchelf is missing, or there
is no wheel.
"""

import argparse
import math
import os
import pathlib
import re
import shutil
import sys
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from checks import check, run, skip, without

# What may be taken from the machine by the manylinux policies: the run time of C and C++, and zlib.
ALLOWED = {"libz.so.1", "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1"}
ALLOWED |= {"libgcc_s.so.1", "libstdc++.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def python_example(readme):
    """(program, output) of the README's section on Python."""
    section = readme.split("## From Python", 1)[1].split("\n## ", 1)[0]
    program = re.search(r"```python\n(.*?)```", section, re.DOTALL).group(1)
    output = re.search(r"It prints.*?```\n(.*?)```", section, re.DOTALL).group(1)
    return program, output


def same_text(printed, expected):
    """Word by word; figures to a hundredth."""
    printed, expected = printed.split(), expected.split()
    return len(printed) == len(expected) and all(map(same_word, printed, expected))


def same_word(printed, expected):
    try:
        return math.isclose(float(printed.strip("[]-,")), float(expected.strip("[]-,")), abs_tol=0.01)
    except ValueError:
        return printed == expected or re.fullmatch(r"[\d.]+-[\d.]+", printed) is not None  # an interval


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=pathlib.Path, required=True, help="folder with the wheel")
    folder_of_wheel = parser.parse_args().wheel
    path = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])  # patchelf is there
    if without("auditwheel") or shutil.which("patchelf", path=path) is None:
        skip("auditwheel or patchelf is not installed")
    wheels = list(folder_of_wheel.glob("manygate-*.whl"))
    if not wheels:
        skip(f"{folder_of_wheel}: no wheel; ./run wheel makes it")
    check(len(wheels) == 1, f"one wheel: {', '.join(wheel.name for wheel in wheels)}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        run(sys.executable, "-m", "auditwheel", "repair", wheels[0], "-w", folder / "repaired", environment={"PATH": path})
        (repaired,) = (folder / "repaired").glob("*.whl")
        check("manylinux" in repaired.name, f"tagged for other machines: {repaired.name}")
        print(f"size: {wheels[0].stat().st_size / 1e6:.1f} MB as built, {repaired.stat().st_size / 1e6:.1f} MB repaired")
        with zipfile.ZipFile(repaired) as archive:
            archive.extractall(folder / "content")
            for entry in sorted(archive.infolist(), key=lambda entry: -entry.file_size):
                if ".so" in entry.filename:
                    print(f"bundles: {entry.filename}, {entry.file_size / 1e6:.1f} MB")
        libraries = list((folder / "content").rglob("*.so*"))
        bundled = {library.name for library in libraries}
        needed = set()
        for library in libraries:
            needed |= set(re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "-d", library)))
        check(needed <= ALLOWED | bundled, f"needs nothing else of the machine: {sorted(needed - bundled)}")
        check(not any(re.match("libarrow|libgrpc|libboost|libssl", name) for name in bundled), "no Arrow, no server in it")

        run(sys.executable, "-m", "venv", folder / "empty")
        python = folder / "empty" / "bin" / "python"
        clean = {"PYTHONPATH": "", "VIRTUAL_ENV": "", "PYTHONNOUSERSITE": "1"}
        run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", repaired, environment=clean)
        installed = run(python, "-m", "pip", "list", "--format=freeze", environment=clean)
        names = {line.split("==")[0] for line in installed.split()} - {"pip", "setuptools"}
        check(names == {"manygate", "numpy"}, f"installs with numpy alone: {', '.join(sorted(names))}")
        loaded = run(
            python,
            "-c",
            "import manygate; print(*sorted({l.split()[-1] for l in open('/proc/self/maps') if '.so' in l}), sep='\\n')",
            environment=clean,
            cwd=folder,
        )
        ours = [line for line in loaded.split() if re.search("libdnnl|libprotobuf|libgomp|libfmt", line)]
        check(ours and all(str(folder / "empty") in line for line in ours), "loads its own libraries, not the machine's")

        program, output = python_example((ROOT / "README.md").read_text())
        (folder / "example.py").write_text(program)
        printed = run(python, "example.py", environment=clean, cwd=folder)
        check(same_text(printed, output), f"README's example prints what README says:\n{printed}")
        script = folder / "empty" / "bin" / "manygate"
        check("train" in run(script, "--help", environment=clean), "the command `manygate` is there")
        run(script, "serve", "funnel", environment=clean, code=2)


if __name__ == "__main__":
    main()
