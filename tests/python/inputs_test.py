# SPDX-License-Identifier: Apache-2.0
"""The same rows as tables of pandas, polars and pyarrow, as columns of numpy and as files: the same model and scores.

    PYTHONPATH=build/release/python python3 tests/python/inputs_test.py --program build/release/manygate

For every library and every type of column that can hold the rows: the program trains on a CSV of them; manygate.train
on the table must give a weights.safetensors of the same bytes, and Model.predict of the program's model the numbers of
`manygate predict`, bit for bit. Also what is refused, and how. Exit code 77: no library of tables is installed.
"""

import argparse
import csv
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checks import check, run, skip, without

LABELS = ["click", "buy"]
SETTINGS = {"train_config.num_epochs": 2}
ROWS = 1200
WIDTHS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def columns():
    """By name, lists of Python's values; None is missing."""
    import numpy as np

    random = np.random.default_rng(5)
    age = random.normal(40, 12, ROWS)
    city = random.choice(["Oslo", " Rome", "Bern ", "São Paulo", "東京", 'a "quoted", one'], ROWS)
    click = (random.random(ROWS) < 1 / (1 + np.exp(-(age - 40) / 10))).astype(int)
    buy = ((city == "Oslo") & (click == 1)).astype(int)

    def holes(values):
        return [None if hole else value for value, hole in zip(values, random.random(ROWS) < 0.1)]

    return {
        "age": holes(age.tolist()),
        "income": np.round(random.lognormal(8, 1, ROWS), 2).tolist(),
        "visits": random.integers(0, 100, ROWS).tolist(),
        "calls": holes(random.integers(0, 9, ROWS).tolist()),
        "member": (random.random(ROWS) < 0.4).tolist(),
        "asked": holes((random.random(ROWS) < 0.3).tolist()),
        "city": city.tolist(),
        "job": holes(random.choice(["clerk", "cook", "", "NA", "pilot"], ROWS).tolist()),
        "click": click.tolist(),
        "buy": buy.tolist(),
    }


def write_csv(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(rows)
        for row in zip(*rows.values()):
            writer.writerow("" if cell is None else int(cell) if isinstance(cell, bool) else cell for cell in row)


def pandas_tables(rows):
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame(rows)
    yield "pandas", lambda: frame
    yield "pandas, object", lambda: pd.DataFrame(rows, dtype=object)
    texts = ["city", "job"]
    yield "pandas, string", lambda: frame.astype({name: "string" for name in texts})
    yield "pandas, category", lambda: frame.astype({name: "category" for name in texts})
    nullable = {"calls": "Int64", "visits": "Int32", "member": "boolean", "asked": "boolean", "age": "Float64"}
    yield "pandas, nullable", lambda: frame.astype(nullable)
    yield "pandas, numpy_nullable", lambda: frame.convert_dtypes()
    shuffled = np.random.default_rng(1).permutation(ROWS)
    yield "pandas, index of its own", lambda: frame.set_index(shuffled)
    wide = frame.astype({"age": float, "calls": float})
    numbers = wide[["age", "income", "visits", "calls", "member"]].to_numpy(dtype=np.float64)
    strided = wide.assign(age=numbers[:, 0], income=numbers[:, 1], calls=numbers[:, 3])
    yield "pandas, columns of a matrix", lambda: strided
    for width in WIDTHS:
        yield f"pandas, {width}", lambda width=width: frame.astype({"visits": width})


def polars_tables(rows):
    import polars as pl

    frame = pl.DataFrame(rows)
    texts = [pl.col("city"), pl.col("job")]
    yield "polars", lambda: frame
    yield "polars, Categorical", lambda: frame.with_columns(text.cast(pl.Categorical) for text in texts)
    jobs = pl.Enum(["", "NA", "clerk", "cook", "pilot"])
    yield "polars, Enum", lambda: frame.with_columns(pl.col("job").cast(jobs))
    yield "polars, chunks", lambda: pl.concat([frame[:500], frame[500:501], frame[501:]], rechunk=False)
    yield "polars, slice", lambda: pl.concat([frame[:7], frame])[7:]
    for kind in ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"]:
        counts = [pl.col("visits").cast(getattr(pl, kind)), pl.col("calls").cast(getattr(pl, kind))]
        yield f"polars, {kind}", lambda counts=counts: frame.with_columns(counts)


def pyarrow_tables(rows):
    import pyarrow as pa

    table = pa.table(rows)

    def cast(names, kind):
        changed = table
        for name in names:
            place = changed.schema.get_field_index(name)
            changed = changed.set_column(place, name, changed[name].cast(kind))
        return changed

    texts = ["city", "job"]
    yield "pyarrow", lambda: table
    for kind in (pa.large_utf8(), pa.string_view(), pa.binary(), pa.large_binary()):
        yield f"pyarrow, {kind}", lambda kind=kind: cast(texts, kind)
    for width in WIDTHS:
        index = getattr(pa, width)()
        for values in (pa.utf8(), pa.large_utf8()):
            kind = pa.dictionary(index, values)
            arrays = {name: dictionary(pa, rows[name], kind) for name in texts}
            yield f"pyarrow, {kind}", lambda arrays=arrays: pa.table({**{n: table[n] for n in rows}, **arrays})
        yield f"pyarrow, {width}", lambda index=index: cast(["visits", "calls"], index)
    pieces = pa.concat_tables([table.slice(0, 400), table.slice(400, 1), table.slice(401)])
    yield "pyarrow, chunks", lambda: pieces
    yield "pyarrow, slice with an offset", lambda: pa.concat_tables([table.slice(3, 5), table]).combine_chunks().slice(
        5
    )
    yield "pyarrow, RecordBatch", lambda: table.combine_chunks().to_batches()[0]
    yield "pyarrow, RecordBatchReader", lambda: pa.RecordBatchReader.from_batches(
        table.schema, iter(table.to_batches(max_chunksize=100))
    )


def dictionary(pa, values, kind):
    words = [word for word in dict.fromkeys(values) if word is not None]
    places = pa.array([None if value is None else words.index(value) for value in values], kind.index_type)
    return pa.DictionaryArray.from_arrays(places, pa.array(words, kind.value_type))


def numpy_tables(rows):
    import numpy as np

    kinds = {
        "income": np.float64,
        "visits": np.int64,
        "member": np.bool_,
        "city": np.str_,
        "click": np.int8,
        "buy": np.uint8,
    }
    arrays = {
        name: (
            np.array([np.nan if cell is None else cell for cell in values])
            if name == "age"
            else np.array(values, dtype=kinds.get(name, object))
        )
        for name, values in rows.items()
    }
    yield "dict of lists", lambda: dict(rows)
    yield "dict of arrays", lambda: arrays
    yield "dict, big-endian and strided", lambda: {
        **arrays,
        "visits": arrays["visits"].astype(">i4"),
        "age": np.repeat(arrays["age"], 2)[::2],
    }
    masked = np.ma.masked_array([value or 0 for value in rows["calls"]], [value is None for value in rows["calls"]])
    yield "dict, masked array", lambda: {**arrays, "calls": masked}
    kinds = [(name, object if array.dtype == object else array.dtype) for name, array in arrays.items()]
    structured = np.empty(ROWS, dtype=kinds)
    for name, array in arrays.items():
        structured[name] = array
    yield "structured array", lambda: structured


def parquet_files(rows, folder):
    import pyarrow as pa
    import pyarrow.parquet

    table = pa.table(rows)
    for place, first in enumerate(range(0, ROWS, 500)):
        pa.parquet.write_table(table.slice(first, 500), folder / f"part{place}.parquet")
    yield "Parquet, a folder", lambda: folder
    yield "Parquet, a pattern", lambda: str(folder / "part*.parquet")
    yield "Parquet, a list", lambda: sorted(folder.glob("*.parquet"))


class Oracle:
    """What the program makes of the rows in a CSV."""

    def __init__(self, program, folder, rows):
        import manygate
        import numpy as np

        self.csv, self.model_dir = folder / "rows.csv", folder / "model"
        write_csv(self.csv, rows)
        labels = [part for label in LABELS for part in ("--label", label)]
        sets = [part for path, value in SETTINGS.items() for part in ("--set", f"{path}={value}")]
        run(program, "train", "--data", self.csv, *labels, *sets, "--seed", "3", "--model_dir", self.model_dir)
        run(program, "predict", self.model_dir, "--data", self.csv, "--output", folder / "p.csv", "--logits")
        with open(folder / "p.csv") as file:
            names, *lines = csv.reader(file)
        self.scores = {name: np.array(column, dtype=np.float32) for name, column in zip(names, zip(*lines))}
        self.weights = (self.model_dir / "weights.safetensors").read_bytes()
        self.model = manygate.Model.load(self.model_dir)

    def same_scores(self, predicted):
        return predicted.keys() == self.scores.keys() and all(
            values.dtype == self.scores[name].dtype and values.tobytes() == self.scores[name].tobytes()
            for name, values in predicted.items()
        )

    def check(self, name, make):
        import manygate

        check(self.same_scores(self.model.predict(make(), logits=True)), f"{name}: the scores of manygate predict")
        trained = manygate.train(make(), LABELS, set=SETTINGS, seed=3, threads=2, progress=False)
        weights = (trained.model_dir / "weights.safetensors").read_bytes()
        check(weights == self.weights, f"{name}: the weights that a CSV gives")


def check_without_pyarrow(oracle, rows, folder):
    """pandas' and numpy's columns are then handed over as they lie, texts one by one."""
    import numpy as np

    program = f"""
import sys
sys.modules["pyarrow"] = None
sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
import inputs_test, manygate, numpy
rows = inputs_test.columns()
model = manygate.Model.load({str(oracle.model_dir)!r})
for name, make in inputs_test.pandas_tables(rows):
    try:
        frame = make()
    except (AttributeError, ImportError):  # this version of pandas cannot make it then
        continue
    predicted = model.predict(frame, logits=True)
    numpy.savez({str(folder)!r} + "/" + name.replace(" ", "_"), **predicted)
    print(name)
"""
    names = run(sys.executable, "-c", program).splitlines()
    check(len(names) > 5, f"{len(names)} frames of pandas without pyarrow")
    for name in names:
        predicted = dict(np.load(folder / f"{name.replace(' ', '_')}.npz"))
        check(oracle.same_scores(predicted), f"{name}, without pyarrow: the scores of manygate predict")


def refusal(call):
    import manygate

    try:
        call()
    except manygate.InvalidInput as error:
        return str(error)
    sys.exit("FAILED: nothing was refused")


def check_refusals(model, rows):
    import numpy as np

    class DataFrame:  # stands for Spark's, which needs a JVM to make one
        __module__ = "pyspark.sql.classic.dataframe"

    def of(data):
        return refusal(lambda: model.predict(data))

    matrix = of(np.zeros((3, 2)))
    check("without names of columns" in matrix and "pandas.DataFrame(x, columns=" in matrix, "a matrix needs names")
    check(
        "list of dicts" in of([{"age": 1}]) and "from_pylist" in of([{"age": 1}]), "a list of dicts: what to make of it"
    )
    check("manygate.spark.predict" in of(DataFrame()), "a frame of Spark: where to go")
    check("of type int, expected a table of pandas" in of(3), "a number is no table")
    check("dict of columns is empty" in of({}), "an empty dict")
    one_row = {name: values[0] for name, values in rows.items()}
    check("expected a sequence with one value per row" in of({**one_row, "age": 3.0}), "a row is no table")
    check(
        "has shape (3, 2), expected one value per row" in of({**rows, "age": np.zeros((3, 2))}), "a matrix is no column"
    )
    check("row 1: found dict" in of({**rows, "job": ["a", {}, *rows["job"][2:]]}), "a dict is no value")
    renamed = {("Age" if name == "age" else name): values for name, values in rows.items()}
    check('"age"' in of(renamed) and '"Age"' in of(renamed), "a missing column: the nearest name")
    short = of({**rows, "age": [1.0]})
    check('column "income" has 1200 rows, but the columns before it have 1' in short, "columns of different lengths")
    words = of({**rows, "income": ["much"] * ROWS})
    check('row 0: column "income": "much" is no number' in words, "a text where a number is needed")
    check('did you mean "probs_click"' in refusal(lambda: model.predict(rows, "prob_click")), "an unknown output")


def check_shapes(model, rows):
    few = {name: values[:3] for name, values in rows.items()}
    more = {"unknown": [object()] * 3, **few}
    check(list(model.predict(more, ["logits_buy", "probs_click"])) == ["logits_buy", "probs_click"], "outputs by name")
    check(
        {len(values) for values in model.predict(more).values()} == {3}, "columns that are not read are not looked at"
    )
    none = {name: [] for name in rows}
    check(all(values.shape == (0,) for values in model.predict(none).values()), "no rows, no predictions")


def check_classes(oracle, rows):
    """Outputs with several numbers per row, of memory and of a file."""
    import manygate

    model = manygate.train(rows, ["job", "click"], set=SETTINGS, progress=False)
    name, classes = model.outputs[0].name, model.outputs[0].classes
    predicted = model.predict(rows, logits=True)
    check(predicted[name].shape == (ROWS, len(classes)) and len(classes) > 2, f"{name}: a column per class")
    check(abs(predicted[name].sum(axis=1) - 1).max() < 1e-5, f"{name}: they add up to 1")
    of_file = model.predict(oracle.csv, logits=True)
    same = [
        of_file[key].tobytes() == values.tobytes() and of_file[key].shape == values.shape
        for key, values in predicted.items()
    ]
    check(all(same) and list(of_file) == list(predicted), "the same from a file")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="build/release/manygate")
    program = parser.parse_args().program
    tables = {"pandas": pandas_tables, "polars": polars_tables, "pyarrow": pyarrow_tables}
    missing = without(*tables)
    if len(missing) == len(tables):
        skip("none of pandas, polars and pyarrow is installed")
    rows = columns()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        oracle = Oracle(program, folder, rows)
        check(
            oracle.same_scores(oracle.model.predict(str(oracle.csv), logits=True)),
            "a path: the scores of manygate predict",
        )
        for library, make_tables in tables.items():
            if library in missing:
                print(f"skipped: {library} is not installed")
                continue
            for title, make in make_tables(rows):
                oracle.check(title, make)
        for title, make in numpy_tables(rows):
            oracle.check(title, make)
        if "pyarrow" not in missing:
            parts = folder / "parts"
            parts.mkdir()
            for title, make in parquet_files(rows, parts):
                oracle.check(title, make)
        if "pandas" not in missing:
            check_without_pyarrow(oracle, rows, folder)
        check_refusals(oracle.model, rows)
        check_shapes(oracle.model, rows)
        check_classes(oracle, rows)


if __name__ == "__main__":
    main()
