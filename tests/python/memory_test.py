# SPDX-License-Identifier: Apache-2.0
"""How much memory predict takes beside a table: 1.5 million rows of 20 float64 columns, 240 MB.

    PYTHONPATH=build/release/python python3 tests/python/memory_test.py

In a process for each of pandas, polars and pyarrow the peak of the resident memory (VmHWM) while predict reads the
table must be less than a quarter of the table's size above what was resident before: its columns are not copied. What
evaluate takes, which keeps the rows it reads, is printed.
Exit code 77: none of the three is installed, or this is not Linux.
"""

import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checks import check, run, skip, without

ROWS = 1_500_000
COLUMNS = 20
TABLE_MB = ROWS * COLUMNS * 8 / 1e6
LIBRARIES = ["pandas", "polars", "pyarrow"]
THREADS = 2
# A small network: what is measured is the way to it.
NETWORK = {"model_config.shared_bottom.bottom_mlp.hidden_units": [8, 4], "train_config.num_epochs": 1}


def columns(rows):
    import numpy as np

    random = np.random.default_rng(1)
    data = {f"x{place}": random.standard_normal(rows) for place in range(COLUMNS)}
    data["x3"][::7] = np.nan
    return data


def table_of(library, rows):
    data = columns(rows)
    if library == "pandas":
        import pandas

        return pandas.DataFrame(data)
    if library == "polars":
        import polars

        return polars.DataFrame(data)
    import pyarrow

    return pyarrow.table(data)


def resident_mb(field):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field + ":")) * 1024 / 1e6


def growth_mb(call):
    """(What it returned, how far the peak went beyond what was resident before.)"""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak so far is forgotten
    before = resident_mb("VmRSS")
    result = call()
    return result, resident_mb("VmHWM") - before


def measure(library, model_dir):
    """In a process of its own: prints the figures."""
    import numpy as np

    import manygate

    model = manygate.Model.load(model_dir)
    small = table_of(library, 20_000)
    expected = model.predict(small, threads=THREADS)["probs_y"]  # also loads what is loaded once
    table = table_of(library, ROWS)
    predicted, predict_mb = growth_mb(lambda: model.predict(table, threads=THREADS)["probs_y"])
    labels = np.zeros(ROWS)
    labels[::3] = 1
    if library == "pandas":
        labelled = table.assign(y=labels)
    elif library == "polars":
        import polars

        labelled = table.with_columns(polars.Series("y", labels))
    else:
        labelled = table.append_column("y", [labels])
    evaluation, evaluate_mb = growth_mb(lambda: model.evaluate(labelled, threads=THREADS))
    figures = {"rows": len(predicted), "predict_mb": predict_mb, "evaluate_mb": evaluate_mb}
    print(json.dumps({**figures, "evaluated": evaluation.rows, "mean": float(expected.mean())}))


def main():
    if not os.path.exists("/proc/self/clear_refs"):
        skip("the peak of a process's memory is read from Linux's /proc")
    libraries = [library for library in LIBRARIES if not without(library)]
    if not libraries:
        skip("none of pandas, polars and pyarrow is installed")
    import manygate

    data = columns(5000)
    data["y"] = (data["x0"] + data["x1"] > 0.5).astype(int)
    with tempfile.TemporaryDirectory() as folder:
        model_dir = os.path.join(folder, "model")
        manygate.train(data, "y", model="shared_bottom", set=NETWORK, progress=False).save(model_dir)
        for library in libraries:
            figures = json.loads(run(sys.executable, __file__, "--measure", library, model_dir))
            check(figures["rows"] == figures["evaluated"] == ROWS, f"{library}: all {ROWS:,} rows")
            check(
                figures["predict_mb"] < TABLE_MB / 4,
                f"{library}: predict takes {figures['predict_mb']:.0f} MB beside a table of {TABLE_MB:.0f} MB",
            )
            print(f"    evaluate takes {figures['evaluate_mb']:.0f} MB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(*sys.argv[2:])
    else:
        main()
