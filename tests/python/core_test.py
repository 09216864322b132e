# SPDX-License-Identifier: Apache-2.0
"""The compiled module manygate._core by itself: its functions, what they refuse and how, signals, threads, forks.

    PYTHONPATH=build/release/python python3 tests/python/core_test.py

Needs numpy; with pyarrow also streams that are read batch by batch. Exit code 77: the module has not been built.
"""

import ctypes
import gc
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from checks import check, skip, without

ROWS = 4000
NUMBERS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 bool".split()


def refused(function, error, *parts):
    """The call raises `error`, and its message has these parts."""
    try:
        function()
    except error as raised:
        missing = [part for part in parts if part not in str(raised)]
        check(not missing, f"{error.__name__}: {str(raised)[:150]!r}" + "".join(f" without {part!r}" for part in missing))
    else:
        sys.exit(f"FAILED: {error.__name__} expected, with {parts}")


def table_of(core, np, name="rows", rows=ROWS):
    """A MemoryTable, and the arrays in it."""
    random = np.random.default_rng(3)
    columns = {
        "age": random.normal(40, 12, rows),
        "visits": random.integers(0, 100, rows).astype(np.int16),
        "city": random.choice(["Oslo", "Rome", "東京"], rows).tolist(),
    }
    columns["click"] = (random.random(rows) < 1 / (1 + np.exp(-(columns["age"] - 40) / 10))).astype(np.uint8)
    table = core.MemoryTable(name)
    for column, values in columns.items():
        table.add_texts(column, values) if isinstance(values, list) else table.add_numbers(column, values)
    return table, columns


def train(core, table, folder, *flags, log=None, columns=0):
    flags = ["--data", table.path, "--label", "click", "--model_dir", str(folder), "--format", "json", *flags]
    return core.run(["train", *flags], log, columns)


def check_errors(core):
    check(issubclass(core.InvalidInput, ValueError) and issubclass(core.Failed, RuntimeError), "classes of errors")
    refused(lambda: core.run([]), core.InvalidInput, "there is no verb")
    refused(lambda: core.run(["trian"]), core.InvalidInput, 'unknown verb "trian"', 'Did you mean "train"?')
    refused(lambda: core.run(["inspect", "/no/such/model"]), core.InvalidInput, "/no/such/model")
    refused(lambda: core.run(["inspect", "x"], log=3), TypeError, "log: found an object of type int")
    refused(lambda: core.run("train"), TypeError, "Sequence[str]")
    refused(lambda: core.Predictor("/no/such/model"), core.InvalidInput, "/no/such/model")
    refused(lambda: core.run(["serve", "x"]), core.InvalidInput, "without its server")


def check_table(core, np):
    table, columns = table_of(core, np, "a, b*")
    check(table.path.startswith("memory:") and not set(table.path) & set(",*"), f"path {table.path}")
    check((table.rows, table.columns) == (ROWS, list(columns)), f"{table.rows} rows, columns {table.columns}")
    add = table.add_numbers
    for name in NUMBERS:
        add(f"as {name}", np.arange(ROWS).astype(name))
    add("read only", np.frombuffer(bytes(ROWS), np.uint8))
    check(len(table.columns) == 4 + len(NUMBERS) + 1, "numbers of every type")
    ages = columns["age"]
    wide = np.zeros(2 * ROWS)
    refused(lambda: add("age", ages), core.InvalidInput, 'column "age"', "twice")
    refused(lambda: add("new", ages[:-1]), core.InvalidInput, f"{ROWS - 1} rows", f"{ROWS}")
    refused(lambda: add("new", wide[::2]), TypeError, 'column "new"', "numpy.ndarray of float64", "not contiguous")
    refused(lambda: add("new", np.frombuffer(bytes(8 * ROWS + 1), np.uint8)[1:].view(np.int64)), TypeError, "aligned")
    refused(lambda: add("new", wide.reshape(2, -1)), TypeError, "2 dimensions", "one-dimensional")
    refused(lambda: add("new", ages.astype(">f8")), TypeError, "numpy.ndarray of >f8")
    refused(lambda: add("new", ages.astype("M8[s]")), TypeError, "datetime64[s]")
    refused(lambda: add("new", ages.astype(complex)), TypeError, "complex128")
    refused(lambda: add("new", ages.astype(object)), TypeError, "numpy.ndarray of object")
    refused(lambda: add("new", ages.tolist()), TypeError, "found list")
    texts = table.add_texts
    refused(lambda: texts("new", "abc"), TypeError, "found str", "list of texts")
    refused(lambda: texts("new", 5), TypeError, "found int")
    refused(lambda: texts("new", ["a", 5]), TypeError, 'column "new", row 1', "type int")
    refused(lambda: texts("new", [None, "\ud800"]), core.InvalidInput, 'column "new", row 1', "surrogate")
    refused(lambda: texts("new", ["a"]), core.InvalidInput, "1 rows")
    check(len(table.columns) == 4 + len(NUMBERS) + 1, "what was refused is not in the table")
    path = table.path
    del table, add, texts
    gc.collect()
    refused(lambda: core.run(["check", "--data", path, "--label", "click"]), core.InvalidInput, path)


def check_references(core, np):
    numbers, texts = np.zeros(10), ["a", None] * 5
    before = sys.getrefcount(numbers), sys.getrefcount(texts)
    for refuse in (False, True):
        table = core.MemoryTable("x")
        table.add_numbers("n", numbers)
        table.add_texts("t", texts)
        if refuse:
            refused(lambda: table.add_numbers("n", numbers), core.InvalidInput, "twice")
        held = sys.getrefcount(numbers) - before[0]
        check(held >= 1 and sys.getrefcount(texts) == before[1], f"the numbers are held ({held}), the texts copied")
        end = weakref.ref(table)
        del table
        gc.collect()
        check(end() is None, "the table is gone")
        check((sys.getrefcount(numbers), sys.getrefcount(texts)) == before, "and lets go of what was in it")
    freed = np.zeros(10)
    table = core.MemoryTable("x")
    table.add_numbers("n", freed)
    end = weakref.ref(freed)
    del freed
    gc.collect()
    check(end() is not None, "an array lives as long as the table")
    del table
    gc.collect()
    check(end() is None, "and no longer")


def check_predict(core, np, folder):
    table, columns = table_of(core, np)
    predictor = core.Predictor(str(folder))
    check(predictor.model_name == "mmoe", predictor.model_name)
    inputs = {field.name: field.number for field in predictor.inputs}
    check(inputs == {"age": True, "visits": True, "city": False}, f"inputs {inputs}")
    outputs = [(field.name, field.width, field.logits, field.classes, field.columns) for field in predictor.outputs]
    check(outputs[0] == ("probs_click", 1, False, [], ["probs_click"]), f"outputs {outputs}")
    check(outputs[1] == ("logits_click", 1, True, [], ["logits_click"]), "and logits")
    scores = predictor.predict(table, ["probs_click", "logits_click"], 1)
    check(list(scores) == ["probs_click", "logits_click"], "as wanted")
    probabilities, logits = scores.values()
    check(probabilities.dtype == np.float32 and probabilities.shape == (ROWS,), "float32 [rows]")
    check(np.allclose(probabilities, 1 / (1 + np.exp(-logits)), atol=1e-6), "probabilities of the logits")
    check(np.corrcoef(probabilities, columns["age"])[0, 1] > 0.8, "that have learnt")
    check(not probabilities.flags.owndata and probabilities.flags.writeable, "no copy was made of them")
    expected = probabilities.tobytes()
    del scores, probabilities, logits
    for threads in (0, 2, 7, 1000):
        again = predictor.predict(table, ["probs_click"], threads)["probs_click"]
        check(again.tobytes() == expected, f"the same with threads {threads}")
    check(predictor.predict(table, [], 0) == {}, "nothing wanted, nothing given")
    empty, _ = table_of(core, np, rows=0)
    refused(lambda: predictor.predict(table, ["probs_clik"], 0), core.InvalidInput, 'Did you mean "probs_click"?')
    refused(lambda: predictor.predict(table, ["probs_click"], -1), core.InvalidInput, "threads is -1")
    accepted = ["pandas", "polars", "pyarrow", "dict"]
    refused(lambda: predictor.predict([[1]], ["probs_click"], 0), TypeError, "type list", *accepted)
    refused(lambda: predictor.predict(None, ["probs_click"], 0), TypeError, "NoneType")
    refused(lambda: predictor.predict(core.MemoryTable, ["probs_click"], 0), TypeError, "the class", "MemoryTable")
    short = core.MemoryTable("short")
    short.add_numbers("agee", np.zeros(3))
    refused(lambda: predictor.predict(short, ["probs_click"], 0), core.InvalidInput, 'column "age"', '"agee"', '"city"')
    check(predictor.predict(empty, ["probs_click"], 0)["probs_click"].shape == (0,), "no rows, no numbers")
    check_threads(predictor, table, expected)
    check_fork(predictor, table, expected)
    return predictor, expected


def check_classes(core, np, folder):
    """Several numbers per row, of classes that have names and of their logits, which have none."""
    table, _ = table_of(core, np)
    core.run(["train", "--data", table.path, "--label", "city:multiclass", "--model_dir", str(folder)])
    predictor = core.Predictor(str(folder))
    probabilities, logits = predictor.predict(table, ["probs_city", "logits_city"], 2).values()
    check(probabilities.shape == logits.shape == (ROWS, 3), f"[rows, classes]: {probabilities.shape}, {logits.shape}")
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    check(np.allclose(probabilities, powers / powers.sum(axis=1, keepdims=True), atol=1e-6), "softmax of the logits")
    named = {output.name: output.columns for output in predictor.outputs}
    check(set(named["probs_city"]) == {"probs_city_Oslo", "probs_city_Rome", "probs_city_東京"}, "a column per class")
    check(named["logits_city"] == ["logits_city_0", "logits_city_1", "logits_city_2"], "and per logit")


def check_threads(predictor, table, expected):
    results = []

    def predict():
        results.append(predictor.predict(table, ["probs_click"], 2)["probs_click"].tobytes())

    threads = [threading.Thread(target=predict) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(results == [expected] * 8, "8 threads at once")


def check_fork(predictor, table, expected):
    child = os.fork()
    if child == 0:
        same = predictor.predict(table, ["probs_click"], 2)["probs_click"].tobytes() == expected
        os._exit(0 if same else 1)
    check(os.waitpid(child, 0)[1] == 0, "a process that was forked predicts the same")


def check_streams(core, np, predictor, expected):
    if without("pyarrow"):
        print("pyarrow is not installed: streams are not looked at")
        return
    import pyarrow as pa

    _, columns = table_of(core, np)
    rows = pa.table(columns)

    def predict(source):
        return predictor.predict(source, ["probs_click"], 2)["probs_click"].tobytes()

    check(predict(rows) == expected, "a Table")
    check(predict(rows.__arrow_c_stream__()) == expected, "its capsule")
    pieces = [rows.slice(0, 1), rows.slice(1, 0), rows.slice(1, 2999), rows.slice(3000)]
    check(predict(pa.concat_tables(pieces)) == expected, "in several batches, one of them empty")
    table = core.MemoryTable("stream")
    table.add_stream(pa.concat_tables(pieces).select(["city", "age"]))
    table.add_numbers("visits", columns["visits"])
    check(predict(table) == expected, "a stream and numbers beside it")
    reader = pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches())
    capsule = reader.__arrow_c_stream__()
    check(predict(capsule) == expected, "a reader")
    refused(lambda: predict(capsule), core.InvalidInput, "read already")
    refused(lambda: table.add_stream(capsule), core.InvalidInput, "read already")
    refused(lambda: predict(rows["age"]), TypeError, "single column", "ChunkedArray")
    refused(lambda: predict(rows.schema.__arrow_c_schema__()), TypeError, "arrow_array_stream")
    refused(lambda: predict(garbage_capsule()), TypeError, "capsule")
    refused(lambda: predict(Streams(lambda: 5)), TypeError, "Streams", "not a capsule")
    refused(lambda: predict(Streams(lambda: 1 // 0)), ZeroDivisionError, "division")

    def broken():
        yield rows.to_batches()[0]
        raise OSError("the cable was pulled")

    reader = pa.RecordBatchReader.from_batches(rows.schema, broken())
    refused(lambda: predict(reader), core.InvalidInput, "the cable was pulled")
    check_stream_ends(core, pa, np, predict)


def check_stream_ends(core, pa, np, predict):
    """The arrays that a stream gave are let go of."""
    used = pa.total_allocated_bytes()
    rows = pa.table({"age": np.zeros(100), "visits": np.zeros(100), "city": ["Oslo"] * 100})
    table = core.MemoryTable("x")
    table.add_stream(rows)
    array = np.arange(100.0)
    end = weakref.ref(array)
    table.add_stream(pa.table({"array": pa.array(array)}))  # pyarrow keeps the array
    predict(rows)
    del rows, array
    gc.collect()
    check(end() is not None and pa.total_allocated_bytes() > used, "what a stream gave is kept by the table")
    del table
    gc.collect()
    check(end() is None and pa.total_allocated_bytes() == used, "and let go of with it")


class Streams:
    def __init__(self, make):
        self.make = make

    def __arrow_c_stream__(self, requested_schema=None):
        return self.make()


def garbage_capsule():
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return new(ctypes.addressof(_garbage), b"something_else", None)


_garbage = ctypes.c_int64(7)


class Broken(Exception):
    pass


def check_run(core, np, folder):
    table, _ = table_of(core, np)
    lines = []
    output = train(core, table, folder / "model", "--set", "train_config.num_epochs=2", log=lines.append)
    check(output.startswith('{"rows": ') and output.endswith("}\n"), "what it prints to standard output")
    check(any("note: label click: binary" in line for line in lines), "what it writes to standard error, to the log")
    check(all(line.endswith("\n") for line in lines) and not any("\r" in line for line in lines), "in lines")
    drawn = []
    train(core, table, folder / "drawn", "--set", "train_config.num_epochs=40", log=drawn.append, columns=60)
    bars = [part for text in drawn for part in text.split("\r\x1b[K") if part.startswith("epoch")]
    check(bars and all(len(bar.split("\n")[0]) < 60 for bar in bars), f"{len(bars)} bars of at most 60 characters")
    check(pickle.loads(pickle.dumps(core.InvalidInput("x"))).args == ("x",), "errors can be pickled")

    def fail(text):
        raise Broken("from the log")

    start = time.monotonic()
    flags = ["--set", "train_config.num_epochs=3000"]
    refused(lambda: train(core, table, folder / "broken", *flags, log=fail), Broken, "from the log")
    check(time.monotonic() - start < 60, "the run ends when the log raises")
    threads = [threading.Thread(target=train, args=(core, table, folder / f"thread{i}")) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    weights = [(folder / f"thread{i}" / "weights.safetensors").read_bytes() for i in range(2)]
    check(weights[0] == weights[1], "two trainings at once, the same model")


def check_interrupt(core, np, folder):
    table, _ = table_of(core, np)
    started = threading.Event()

    def interrupt():
        started.wait()
        time.sleep(0.05)  # the run, which stops early, takes several times as long
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    flags = ["--set", "train_config.num_epochs=3000"]

    def log(text):
        if "steps per epoch" in text:
            started.set()

    run = lambda: train(core, table, folder / "stopped", *flags, log=log)
    refused(run, KeyboardInterrupt, "stopped at step", "checkpoint")
    checkpoints = list((folder / "stopped" / "checkpoints").iterdir())
    check(checkpoints, f"a checkpoint is there: {checkpoints[0].name}")


def check_processes(folder, expected_version):
    """main, and an end of the interpreter with tables alive and a training under way."""
    main = "import sys; from manygate import _core; sys.exit(_core.main(sys.argv[1:]))"
    done = subprocess.run([sys.executable, "-c", main, "--version"], capture_output=True, text=True)
    check((done.returncode, done.stdout) == (0, f"manygate {expected_version}\n"), "main prints")
    done = subprocess.run([sys.executable, "-c", main, "inspect", "/no/such"], capture_output=True, text=True)
    check(done.returncode == 2 and done.stderr.startswith("manygate: /no/such"), "and fails with 2")
    program = """
import sys, threading, time
import numpy as np
from manygate import _core
kept = _core.MemoryTable("kept")
kept.add_numbers("x", np.arange(2000) % 50)
kept.add_numbers("y", np.arange(2000) % 2)
flags = ["train", "--data", kept.path, "--label", "y:binary", "--set", "train_config.num_epochs=9999"]
started = threading.Event()
log = lambda text: "steps per epoch" in text and started.set()
if sys.argv[1] == "train":
    threading.Thread(target=_core.run, args=([*flags, "--model_dir", sys.argv[2]], log), daemon=True).start()
    if not started.wait(30):
        sys.exit("no training")
"""

    def end(way):
        command = [sys.executable, "-c", program, way, folder / "end"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    done = end("idle")
    check((done.returncode, done.stderr) == (0, ""), f"the interpreter ends with a table alive {done.stderr}")
    done = end("train")
    # What its thread raises it may or may not still write.
    checkpoints = list((folder / "end" / "checkpoints").glob("step-*"))
    check(done.returncode == 0 and checkpoints, "and with a training, which it asks to stop")


def main():
    if without("numpy"):
        skip("numpy is not installed")
    try:
        from manygate import _core as core
    except ImportError as error:
        skip(f"the module has not been built: {error}")
    import numpy as np

    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        check_errors(core)
        check_table(core, np)
        check_references(core, np)
        check_run(core, np, folder)
        predictor, expected = check_predict(core, np, folder / "model")
        check_classes(core, np, folder / "classes")
        check_streams(core, np, predictor, expected)
        check_interrupt(core, np, folder)
        check_processes(folder, core.__version__)


if __name__ == "__main__":
    main()
