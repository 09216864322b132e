# SPDX-License-Identifier: Apache-2.0
"""The package's type hints, by mypy --strict; users' programs, right and wrong ones; the stub of the compiled part.

    PYTHONPATH=build/release/python python3 tests/python/types_test.py

Exit code 77: mypy is not installed.
"""

import ast
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from checks import check, skip, without

# What stubtest says of any class, function and attribute that nanobind makes.
OF_NANOBIND = r"metaclass differs|is not a function|\*args parameter|read-only at runtime|@disjoint_base"

USER = """
import numpy as np
import numpy.typing as npt

import manygate

rows = manygate.generate(100, seed=2)
model: manygate.Model = manygate.train(rows, ["click", "purchase:binary"], set={"train_config.num_epochs": 1}, seed=1,
                                       progress=lambda line: print(line))
scores: dict[str, npt.NDArray[np.float32]] = model.predict({"age": np.zeros(3), "city": ["a", None, "b"]}, logits=True)
auc: float = model.evaluate("rows.csv", by="city")["click"]["auc"]
page: str = model.report(["a.csv", "b.csv"]).html
model.export("model.onnx", to="onnx")
where: str = manygate.check(rows, "click")[0].where
names: list[str] = [column.name for column in manygate.Model.from_bytes(model.to_bytes()).inputs]
try:
    manygate.init(rows, "click")
except manygate.InvalidInput as error:
    print(error)
"""
TABLES = {
    "pandas": "import pandas, manygate\nmanygate.train(pandas.DataFrame({'a': [1]}), 'a')\n",
    "polars": "import polars, manygate\nmanygate.train(polars.DataFrame({'a': [1]}), 'a')\n",
}
WRONG = """
import manygate

manygate.train(3, "click")
manygate.train("rows.csv", "click", seeds=3)
model = manygate.Model.load("out")
model.predict("rows.csv", outputs=3)
number: int = model.name
model.evalute()
"""


def mypy(*arguments):
    """(exit code, what it printed)"""
    environment = {**os.environ, "MYPY_CACHE_DIR": os.path.join(tempfile.gettempdir(), "manygate_mypy")}
    done = subprocess.run([sys.executable, "-m", "mypy", *arguments], text=True, capture_output=True, env=environment)
    return done.returncode, done.stdout + done.stderr


def main():
    if without("mypy"):
        skip("mypy is not installed")
    import manygate

    package = pathlib.Path(manygate.__file__).parent
    check((package / "py.typed").exists(), "the package says that it has types")
    code, text = mypy("--strict", "--ignore-missing-imports", str(ROOT / "python" / "manygate"))
    check(code == 0, f"mypy --strict of the package: {text.strip()}")
    with tempfile.TemporaryDirectory() as folder:
        user = pathlib.Path(folder) / "user.py"
        user.write_text(USER)
        code, text = mypy("--strict", "--ignore-missing-imports", str(user))
        check(code == 0, f"mypy --strict of a program that uses it: {text.strip()}")
        for library, program in TABLES.items():
            if without(library):
                print(f"skipped: {library} is not installed")
                continue
            user.write_text(program)
            code, text = mypy("--strict", "--ignore-missing-imports", str(user))
            check(code == 0, f"a frame of {library} is data: {text.strip()}")
        user.write_text(WRONG)
        code, text = mypy("--strict", "--ignore-missing-imports", str(user))
        lines = sorted({int(line) for line in re.findall(r"user\.py:(\d+): error", text)})
        check(lines == [4, 5, 7, 8, 9], f"each of five mistakes is found: lines {lines}")
    check_stub(package)


def check_stub(package):
    """mypy.stubtest, but for how nanobind makes classes, functions and attributes; and the names of parameters."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "manygate._core", "--concise", "--ignore-missing-stub"],
        text=True,
        capture_output=True,
        cwd=tempfile.gettempdir(),
        env={**os.environ, "MYPYPATH": str(package.parent)},
    )
    lines = done.stdout.splitlines()
    check(any("manygate._core.run" in line for line in lines), "stubtest looks at the compiled part")
    wrong = [line for line in lines if line.startswith("manygate.") and not re.search(OF_NANOBIND, line)]
    check(not wrong and not done.stderr, f"the stub of the compiled part is what it has {wrong} {done.stderr}")
    import manygate._core

    stub = ast.parse((package / "_core.pyi").read_text())
    scopes = [(manygate._core, stub.body)]
    scopes += [(getattr(manygate._core, node.name), node.body) for node in stub.body if isinstance(node, ast.ClassDef)]
    for scope, body in scopes:
        for node in (node for node in body if isinstance(node, ast.FunctionDef) and not node.decorator_list):
            expected = [argument.arg for argument in node.args.args]
            signature = getattr(scope, node.name).__nb_signature__[0][0]
            found = re.findall(
                r"(?:[(]|, )(\w+)(?=[:,)])", re.sub(r"\[[^][]*\]", "", re.sub(r"\[[^][]*\]", "", signature))
            )
            check(found == expected, f"{scope.__name__}.{node.name} takes {', '.join(expected)}")


if __name__ == "__main__":
    main()
