# SPDX-License-Identifier: Apache-2.0
"""Manygate beside the libraries it shares a process with, in every order of importing them.

    PYTHONPATH=build/release/python python3 tests/python/imports_test.py

Each order is a process of its own, which uses every library and trains, predicts and exports with Manygate; none may crash and
all must give the same bits. With torch, pyarrow, onnxruntime and scikit-learn there are 24 orders, and Manygate comes first,
last, or between; without one of them fewer, which is said. Exit code 77: fewer than two of them are there.
"""

import concurrent.futures
import hashlib
import itertools
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checks import check, run, skip, without

LIBRARIES = ["torch", "pyarrow", "onnxruntime", "sklearn"]
ROWS = 400


def data():
    import numpy as np

    random = np.random.default_rng(7)
    age = random.normal(40, 10, ROWS)
    city = random.choice(["Rome", "Oslo", "Bern"], ROWS)
    click = (random.random(ROWS) < 1 / (1 + np.exp(-(age - 40) / 10))).astype(np.int64)
    buy = ((city == "Rome") & (click == 1)).astype(np.int64)
    return {"age": age, "city": list(city), "click": click, "buy": buy}


def use_torch(_model, _folder):
    import torch

    torch.manual_seed(1)
    layer = torch.nn.Linear(64, 64)
    layer(torch.randn(512, 64)).sum().backward()  # its own threads, its own OpenMP
    assert torch.isfinite(layer.weight.grad).all()


def use_pyarrow(model, _folder):
    import pyarrow

    table = pyarrow.table(data())
    assert len(model.predict(table)["probs_click"]) == ROWS


def use_onnxruntime(model, folder):
    import numpy as np
    import onnxruntime

    path = str(folder / "model.onnx")
    model.export(path, to="onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    columns = data()
    feed = {}
    for value in session.get_inputs():
        kind = np.float32 if "float" in value.type else object
        feed[value.name] = np.array([columns[value.name]], dtype=kind).reshape(-1, 1)
    (answer,) = session.run(["probs_click"], feed)
    own = model.predict(columns)["probs_click"]
    assert np.abs(answer.ravel() - own).max() < 1e-5, np.abs(answer.ravel() - own).max()


def use_sklearn(_model, _folder):
    from sklearn.linear_model import LogisticRegression

    columns = data()
    LogisticRegression().fit(columns["age"].reshape(-1, 1), columns["click"])


USES = {"torch": use_torch, "pyarrow": use_pyarrow, "onnxruntime": use_onnxruntime, "sklearn": use_sklearn}


def one_order(names):
    """In a process of its own: imports in that order, uses all, prints what Manygate computed."""
    for name in names:
        __import__(name)
    import manygate

    with tempfile.TemporaryDirectory() as folder:
        columns = data()
        overrides = {"train_config.num_epochs": 2}
        model = manygate.train(columns, ["click", "buy"], set=overrides, seed=3, threads=2, progress=False)
        digests = set()
        for name in [name for name in names if name != "manygate"] + [None]:
            if name is not None:
                USES[name](model, pathlib.Path(folder))
            predicted = model.predict(columns, threads=2)
            digests.add(hashlib.sha256(b"".join(predicted[key].tobytes() for key in sorted(predicted))).hexdigest())
        assert len(digests) == 1, f"the scores changed while other libraries worked: {digests}"
        print("digest", digests.pop())


def orders(libraries):
    """Every order of the libraries, with manygate at each place in turn."""
    for number, order in enumerate(itertools.permutations(libraries)):
        place = number % (len(order) + 1)
        yield [*order[:place], "manygate", *order[place:]]


def main():
    missing = without("numpy", "manygate")
    if missing:
        skip(f"{missing[0]} cannot be imported")
    libraries = [name for name in LIBRARIES if not without(name)]
    if len(libraries) < 2:
        skip(f"of {', '.join(LIBRARIES)} only {libraries} are installed")
    for name in without(*libraries, *LIBRARIES):
        print(f"left out: {name} is not installed")
    tried = list(orders(libraries))
    digests = {}
    with concurrent.futures.ThreadPoolExecutor(max_workers=min(2, os.cpu_count() or 1)) as pool:
        answers = pool.map(lambda order: run(sys.executable, __file__, "--order", *order), tried)
        for order, answer in zip(tried, answers):
            digests.setdefault(answer.split("digest ")[1].strip(), []).append(order)
            print(f"ok: {' '.join(order)}", flush=True)
    check(len(digests) == 1, f"the same scores in {len(tried)} orders of importing {', '.join(libraries)}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--order"]:
        one_order(sys.argv[2:])
    else:
        main()
