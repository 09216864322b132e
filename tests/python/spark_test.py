# SPDX-License-Identifier: Apache-2.0
"""manygate.spark: a million rows scored to Parquet by local Spark, against `manygate predict` on the same in a CSV.

PYTHONPATH=build/release/python python3 tests/python/spark_test.py
"""

import doctest
import os
import pathlib
import pickle
import runpy
import shutil
import sys
import tempfile
import time
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from checks import check, run, skip, without

ROWS = 1_000_000
LABELS = ["click", "device:multiclass", "amount:amount"]
NUMBERS = [
    "probs_click",
    "probs_device_desktop",
    "probs_device_phone",
    "probs_device_tablet",
    "probs_device_tv",
    "y_amount",
]


def make_rows(folder):
    """The same rows as CSV and Parquet: texts, dictionaries, whole and other numbers, nulls in all of them."""
    import numpy
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    generated = folder / "generated.csv"
    run(sys.executable, "-m", "manygate", "generate", "funnel", "--rows", ROWS, "--seed", 5, "--output", generated)
    table = pyarrow.csv.read_csv(generated, convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True))
    for every, name in ((7, "city"), (11, "hour"), (13, "price")):
        holes = numpy.arange(ROWS) % every == 3
        column = pyarrow.array(table[name].to_numpy(), mask=holes, type=table[name].type)
        table = table.set_column(table.schema.get_field_index(name), name, column)
    brand = table.schema.get_field_index("brand")
    table = table.set_column(brand, "brand", table["brand"].dictionary_encode())
    table = table.append_column("row.id", pyarrow.array(range(ROWS)))
    pyarrow.parquet.write_table(table, folder / "rows.parquet", row_group_size=100_000)
    plain = table.set_column(brand, "brand", table["brand"].cast(pyarrow.string()))
    pyarrow.csv.write_csv(plain, folder / "rows.csv")


def predict_by_program(folder):
    """Columns of floats by name."""
    import pyarrow
    import pyarrow.csv

    output = folder / "predicted.csv"
    arguments = [folder / "model", "--data", folder / "rows.csv", "--output", output, "--logits"]
    run(sys.executable, "-m", "manygate", "predict", *arguments)
    with open(output, encoding="utf-8") as file:
        names = file.readline().rstrip("\n").split(",")
    types = pyarrow.csv.ConvertOptions(column_types={name: pyarrow.float32() for name in names})
    return pyarrow.csv.read_csv(output, convert_options=types)


def start(folder):
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["TMPDIR"] = str(folder / "temporary")  # of the workers
    (folder / "temporary").mkdir()
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.python.worker.reuse": "true",
        "spark.sql.files.maxPartitionBytes": "2m",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")  # errors are part of the test
    return spark


def workers(spark):
    """(process, models read, models found) of the workers that answer."""

    def ask(batches):
        import pyarrow

        import manygate.spark

        time.sleep(0.3)  # so that one worker does not take all the tasks
        counts = manygate.spark._load.cache_info()
        for batch in batches:
            folder = tempfile.gettempdir()
            numbers = {"process": [os.getpid()], "read": [counts.misses], "found": [counts.hits]}
            yield pyarrow.record_batch({**numbers, "folder": [folder]})

    schema = "process long, read long, found long, folder string"
    rows = spark.range(8, numPartitions=8).mapInArrow(ask, schema).collect()
    check({row.folder for row in rows} == {os.environ["TMPDIR"]}, "workers answer")
    return {row.process: (row.read, row.found) for row in rows}


def equal_bits(some, others, names):
    import numpy

    return all(
        numpy.array_equal(some[name].to_numpy().view("u4"), others[name].to_numpy().view("u4")) for name in names
    )


def a_million_rows(spark, folder):
    import pyarrow.parquet

    import manygate.spark

    begin = time.monotonic()
    frame = spark.read.parquet(str(folder / "rows.parquet"))
    tasks = frame.rdd.getNumPartitions()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scored = manygate.spark.predict(frame, folder / "model")
    check(
        scored.columns == [*frame.columns, *NUMBERS],
        "all columns and one per number, called as `manygate predict` does",
    )
    check({dict(scored.dtypes)[name] for name in NUMBERS} == {"float"}, "the numbers are floats")
    scored.write.parquet(str(folder / "scored.parquet"))
    print(f"{ROWS:,} rows in {tasks} tasks: {time.monotonic() - begin:.1f} s to Parquet")
    read = workers(spark)
    print(f"workers: {read}")
    check(tasks >= 4 and all(misses <= 1 for misses, _ in read.values()), "each worker process reads the model once")
    check(sum(misses + hits for misses, hits in read.values()) == tasks, f"for all of the {tasks} tasks")
    check(not list((folder / "temporary").rglob("MANIFEST.json")), "and leaves no copy of it behind")

    table = pyarrow.parquet.read_table(folder / "scored.parquet").sort_by("row.id")
    check(table.num_rows == ROWS, f"{ROWS:,} rows are there")
    program = predict_by_program(folder)
    check(equal_bits(table, program, NUMBERS), "every score has the bits of `manygate predict`")
    source = pyarrow.parquet.read_table(folder / "rows.parquet")
    for name in ("city", "price", "user_id", "days_since_visit"):
        check(table[name].cast(source[name].type).equals(source[name]), f"{name} is repeated as it was")
    return frame, program, max(misses for misses, _ in read.values())


def choices(spark, folder, frame, program, misses):
    import pyarrow

    import manygate.spark

    model = str(folder / "model")
    few = frame.limit(1000).coalesce(1)
    some = manygate.spark.predict(few, model, outputs=["logits_click", "y_amount"], keep=["row.id"], broadcast=False)
    check(some.columns == ["row.id", "logits_click", "y_amount"], "outputs and columns can be chosen; a dot is no path")
    floats = [("logits_click", pyarrow.float32()), ("y_amount", pyarrow.float32())]
    rows = [row.asDict() for row in some.collect()]
    found = pyarrow.Table.from_pylist(rows, pyarrow.schema([("row.id", pyarrow.int64()), *floats])).sort_by("row.id")
    some_rows = program.take(found["row.id"])
    check(equal_bits(found, some_rows, ["logits_click", "y_amount"]), "read from a path: the same bits, also of logits")
    alone = manygate.spark.predict(few, model, outputs="probs_click", keep=[])
    check(alone.columns == ["probs_click"] and alone.count() == 1000, "scores alone")
    check(manygate.spark.predict(few.limit(0), model).count() == 0, "no rows, no scores")
    every = manygate.spark.predict(few, model, keep=[], logits=True)
    check("logits_click" in every.columns and "probs_click" in every.columns, "logits on demand")
    read = workers(spark)
    check(
        max(count for count, _ in read.values()) <= misses + 1,
        "one more read of the path; the broadcast model was there",
    )

    def message(call):
        try:
            call()
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        sys.exit("FAILED: no error")

    text = message(lambda: manygate.spark.predict(frame.withColumnRenamed("price", "prize"), model))
    check(
        text.startswith('InvalidInput: the DataFrame has no column "price"'), "a missing column is told on the driver"
    )
    check('did you mean "prize"?' in text, "with the nearest name")
    text = message(lambda: manygate.spark.predict(frame, model, outputs="probs_clik"))
    check('no output "probs_clik"; did you mean "probs_click"?' in text, "so is an unknown output")
    text = message(lambda: manygate.spark.predict(few.withColumn("y_amount", few.price), model))
    check('a column "y_amount", as a prediction is called' in text, "and a column that is called as a prediction")
    text = message(lambda: manygate.spark.predict(few.withColumn("price", few.city), model).count())
    check("price" in text and "city" in text, "a value that is no number ends the job and is shown on the driver")
    check(
        "MANIFEST.json" in message(lambda: manygate.spark.predict(few, folder / "nothing")),
        "so is a folder without a model",
    )


def without_a_context(folder):
    """Spark Connect has no SparkContext: the model travels within the query."""
    import manygate
    import manygate.spark

    class Session:
        @property
        def sparkContext(self):
            raise RuntimeError("not supported with Spark Connect")

    class Frame:
        sparkSession = Session()

    model = manygate.Model.load(folder / "model")
    source = pickle.loads(pickle.dumps(manygate.spark._source(Frame(), model, "", True)))
    rows = manygate.generate(100)
    mine, sent = model.predict(rows, "probs_click"), source.load().predict(rows, "probs_click")
    check((mine["probs_click"] == sent["probs_click"]).all(), "without a SparkContext the model is within the query")
    path = manygate.spark._Path(str(folder / "model"))
    before = path.key()
    os.utime(folder / "model" / "MANIFEST.json", ns=(1, 1))
    check(path.key() != before, "a model directory that was written again is read again")


def example(folder):
    """The job, in the session that is there, which it ends."""
    import pyarrow.parquet

    script = ROOT / "examples" / "spark" / "score.py"
    check(
        "manygate generate funnel" in run(sys.executable, script, "--help"), "the example has a --help with an example"
    )
    rows, work = folder / "few.csv", folder / "example"
    run(sys.executable, "-m", "manygate", "generate", "funnel", "--rows", 3000, "--seed", 2, "--output", rows)
    arguments = ["--data", rows, "--label", "click", "--label", "amount:amount", "--work", work, "--keep", "user_id"]
    sys.argv = ["score.py", *map(str, arguments)]
    runpy.run_path(str(script), run_name="__main__")
    table = pyarrow.parquet.read_table(work / "scores.parquet")
    check(table.num_rows == 3000, "the example scores all rows of a CSV")
    check(table.column_names == ["user_id", "probs_click", "y_amount"], "with a model of its own")


def docstrings(folder):
    """The examples of manygate.spark's docstrings, which docstrings_test.py skips for want of a session."""
    import manygate
    import manygate.spark
    import pyarrow
    import pyarrow.parquet

    rows = {name: pyarrow.array(values, from_pandas=True) for name, values in manygate.generate(2000).items()}
    labels, settings = ["click", "purchase", "amount:amount"], {"train_config.num_epochs": 1}
    manygate.train(pyarrow.table(rows), labels, set=settings, model_dir=folder / "out/funnel", progress=False)
    for name in ("rows", "new_rows"):
        pyarrow.parquet.write_table(pyarrow.table(rows), folder / name)
    runner, tried = doctest.DocTestRunner(), 0
    for what in (manygate.spark, manygate.spark.predict):
        text = what.__doc__.replace("  # doctest: +SKIP", "")
        for name in ("rows", "new_rows", "out/funnel", "scores"):
            text = text.replace(f'"{name}"', f'"{folder / name}"')
        test = doctest.DocTestParser().get_doctest(text, {}, what.__name__, None, 0)
        tried += len(test.examples)
        runner.run(test)
    check(tried >= 8 and runner.failures == 0, f"{tried} lines of examples in docstrings, run as printed")
    check(any((folder / "scores").glob("*.parquet")), "which write scores")


def main():
    missing = without("numpy", "pyarrow", "pyspark", "pandas", "manygate")
    if missing:
        skip(f"{missing[0]} cannot be imported")
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        skip("java is not installed")
    import manygate

    check(not [name for name in sys.modules if name.startswith("pyspark")], "manygate imports nothing of Spark")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="manygate_spark_"))
    try:
        make_rows(folder)
        settings = {"train_config.num_epochs": 2}
        manygate.train(
            manygate.generate(5000), LABELS, set=settings, seed=1, model_dir=folder / "model", progress=False
        )
        begin = time.monotonic()
        spark = start(folder)
        print(f"Spark {spark.version} started in {time.monotonic() - begin:.1f} s")
        choices(spark, folder, *a_million_rows(spark, folder))
        example(folder)
        docstrings(folder)
        without_a_context(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
