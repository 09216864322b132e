# SPDX-License-Identifier: Apache-2.0
"""Twenty random models, 1,000 odd rows each: every way to a score gives the same.

    .venv/bin/python tests/same_scores/same_scores_test.py --build build/release --program build/release/manygate

Models (random_models.py) differ in kind, features, activations, losses and number of members; rows hold unknown, missing and
extreme values. What `manygate predict` prints must come, bit for bit, from the C ABI (texts in batches of 1, 7, 64 and 1000,
and typed columns), from the C++ program of examples/embed built against the installed library, and from a running server over
HTTP and gRPC; from what `manygate export` writes, by ONNX Runtime and as compiled C, within 1e-5. A way whose package or program part is missing
is left out and named; what export refuses is counted.
"""

import argparse
import csv
import ctypes
import importlib.util
import json
import math
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
for folder in ("tests/embed", "tests/serve", "tests/same_scores"):
    sys.path.insert(0, str(ROOT / folder))
import embed_test  # noqa: E402
import random_models  # noqa: E402

MODELS = 20
BATCHES = [1, 7, 64, 1000]
TOLERANCE = 1e-5


def bits(number):
    return struct.pack("<f", number)


def as_float(text):
    """The nearest float32 as a Python number; a number too large is infinite."""
    number = float(text)
    try:
        return struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)


class Model:
    """A trained model, its rows, and what `manygate predict` says about them."""

    def __init__(self, program, folder, number):
        self.description = random_models.Model(number)
        self.name = f"m{number:02}"
        self.dir = folder / "models" / self.name / "1"
        work = folder / f"{self.name}.work"
        work.mkdir()
        self.description.write_csv(work / "train.csv", random_models.TRAINING_ROWS, number)
        (work / "model.config").write_text(self.description.config(work / "train.csv"))
        embed_test.run(
            program, "train", work / "model.config", "--model_dir", self.dir, "--threads", 1, *self.description.flags()
        )
        shutil.rmtree(self.dir / "checkpoints", ignore_errors=True)
        self.rows = self.description.write_csv(work / "rows.csv", random_models.ROWS, 1000 + number, odd=True)
        embed_test.run(
            program, "predict", self.dir, "--data", work / "rows.csv", "--output", work / "scores.csv", "--logits"
        )
        with open(work / "scores.csv", newline="") as file:
            names, *values = list(csv.reader(file))
        self.names = names
        self.want = [
            [float(text or "nan") for text in row] for row in values
        ]  # a score that is no number is left empty
        self.folder = work
        self.compared = {}  # way -> largest difference

    def column(self, name):
        return [row[name] for row in self.rows]

    def compare(self, way, names, got, tolerance=0.0):
        """got: [rows][names]. Without a tolerance the bits must be equal; with one, logits may differ ten times as much, since
        the rounding of an extreme number that stands in a sum is larger than theirs."""
        places = [self.names.index(name) for name in names]
        worst = self.compared.get(way, 0.0)
        if len(got) != len(self.want):
            raise SystemExit(f"FAILED: {self.name}, {way}: {len(got)} rows instead of {len(self.want)}")
        for r, (want_row, got_row) in enumerate(zip(self.want, got)):
            for k, name in zip(places, names):
                one, other = want_row[k], got_row[names.index(name)]
                if bits(one) == bits(other) or (math.isnan(one) and math.isnan(other)):
                    continue
                difference = abs(one - other) / max(1.0, abs(one)) if one != other else 0.0
                if not difference <= tolerance * (10 if name.startswith("logits_") else 1) or tolerance == 0:
                    raise SystemExit(
                        f"FAILED: {self.name}, {way}, row {r}, {name}: {other!r} instead of {one!r}\n"
                        f"{self.rows[r]}\n{self.description}"
                    )
                worst = worst if name.startswith("logits_") else max(worst, difference)
        self.compared[way] = worst


# ---- the C ABI, by ctypes


class Text(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class Column(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("values", ctypes.c_void_p), ("is_missing", ctypes.c_void_p)]


class Input(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("type", ctypes.c_int)]


class Output(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("width", ctypes.c_int64)]


STRING, TEXT, FLOAT32, FLOAT64, INT32, INT64 = range(6)


class Library:
    def __init__(self, path):
        self.c = ctypes.CDLL(str(path))
        self.c.manygate_last_error.restype = self.c.manygate_class_name.restype = ctypes.c_char_p
        self.c.manygate_get_input.restype, self.c.manygate_get_output.restype = Input, Output
        self.c.manygate_num_inputs.restype = self.c.manygate_num_outputs.restype = ctypes.c_size_t

    def check(self, status):
        if status != 0:
            raise SystemExit(f"FAILED: libmanygate: {self.c.manygate_last_error().decode()}")

    def score(self, model):
        handle = ctypes.c_void_p()
        self.check(self.c.manygate_load(str(model.dir).encode(), ctypes.byref(handle)))
        inputs = [
            self.c.manygate_get_input(handle, ctypes.c_size_t(i)) for i in range(self.c.manygate_num_inputs(handle))
        ]
        outputs = [
            self.c.manygate_get_output(handle, ctypes.c_size_t(i)) for i in range(self.c.manygate_num_outputs(handle))
        ]
        names = []
        for i, output in enumerate(outputs):
            for k in range(output.width):
                of_class = self.c.manygate_class_name(handle, ctypes.c_size_t(i), ctypes.c_size_t(k))
                suffix = f"_{of_class.decode()}" if of_class else f"_{k}" if output.width > 1 else ""
                names.append(output.name.decode() + suffix)
        count = len(model.rows)
        values = [(ctypes.c_float * (count * output.width))() for output in outputs]

        def places(first):
            size = ctypes.sizeof(ctypes.c_float)
            pointers = [ctypes.addressof(v) + first * o.width * size for v, o in zip(values, outputs)]
            return (ctypes.c_void_p * len(outputs))(*pointers)

        def scores():
            rows = []
            for r in range(count):
                rows.append([v[r * o.width + k] for v, o in zip(values, outputs) for k in range(o.width)])
            return rows

        texts = [(row[i.name.decode()] or None) for row in model.rows for i in inputs]
        strings = (ctypes.c_char_p * len(texts))(*[text and text.encode() for text in texts])
        for batch in BATCHES:
            for first in range(0, count, batch):
                part = ctypes.byref(strings, first * len(inputs) * ctypes.sizeof(ctypes.c_char_p))
                rows = ctypes.c_int64(min(batch, count - first))
                self.check(self.c.manygate_predict_strings(handle, rows, part, places(first)))
            model.compare("C, texts", names, scores())
        kept = [self.typed(model.column(i.name.decode()), i.type) for i in inputs]
        columns = (Column * len(inputs))(*[column for column, _ in kept])
        self.check(self.c.manygate_predict(handle, ctypes.c_int64(count), columns, places(0)))
        model.compare("C, typed", names, scores())
        self.c.manygate_free(handle)

    @staticmethod
    def typed(texts, kind):
        """(Column, what it refers to): numbers where the input is one, whole numbers where all are, else texts with a size."""
        count = len(texts)
        if kind == FLOAT32:
            numbers = [math.nan if text in random_models.MISSING else as_float(text) for text in texts]
            values = (ctypes.c_float * count)(*numbers)
            return Column(FLOAT32, ctypes.addressof(values), None), values
        if all(text == "" or (text.isdigit() and str(int(text)) == text and len(text) < 18) for text in texts):
            values = (ctypes.c_int64 * count)(*[int(text or 0) for text in texts])
            mask = (ctypes.c_uint8 * count)(*[text == "" for text in texts])
            return Column(INT64, ctypes.addressof(values), ctypes.addressof(mask)), (values, mask)
        encoded = [text.encode() for text in texts]
        values = (Text * count)(*[Text(text, len(text)) for text in encoded])
        return Column(TEXT, ctypes.addressof(values), None), (values, encoded)


# ---- the installed C++ program


def score_by_program(program, model):
    names = list(model.rows[0])
    with open(model.folder / "rows.tsv", "w") as file:
        for row in [dict(zip(names, names)), *model.rows]:
            file.write("\t".join(row[name] for name in names) + "\n")
    with open(model.folder / "rows.tsv") as rows:
        lines = embed_test.run(program, model.dir, stdin=rows).splitlines()
    model.compare("C++ program", lines[0].split("\t"), [[float(v) for v in line.split("\t")] for line in lines[1:]])


# ---- the server


def predictions(outputs, model):
    """{name: (width, numbers)} as names of columns of the CSV and rows."""
    names, columns = [], []
    for name, (width, numbers) in outputs.items():
        wanted = [known for known in model.names if known == name or (width > 1 and known.startswith(name + "_"))]
        if len(wanted) != width:
            raise SystemExit(f"FAILED: {model.name}: output {name} of {width} numbers is none of {model.names}")
        names += wanted
        columns += [numbers[k::width] for k in range(width)]
    return names, [list(row) for row in zip(*columns)]


def score_by_http(server, model):
    outputs = {}
    connection = server.connect(timeout=30)
    for first, size in [(0, 1), (1, 7), (8, 64), (72, len(model.rows) - 72)]:
        rows = model.rows[first : first + size]
        inputs = [
            {"name": name, "shape": [size], "datatype": "BYTES", "data": [row[name] or None for row in rows]}
            for name in model.description.inputs()
        ]
        connection.request("POST", f"/v2/models/{model.name}/infer", json.dumps({"inputs": inputs}).encode())
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"FAILED: {model.name}, HTTP: {answer.status} {body[:500]!r}")
        for output in json.loads(body)["outputs"]:
            width = output["shape"][1] if len(output["shape"]) > 1 else 1
            outputs.setdefault(output["name"], (width, []))[1].extend(
                math.nan if number is None else float(number) for number in output["data"]
            )
    connection.close()
    model.compare("HTTP", *predictions(outputs, model))


def score_by_grpc(address, model):
    import numpy
    import tritonclient.grpc as triton

    client = triton.InferenceServerClient(address)
    inputs = []
    for name in model.description.inputs():
        values = numpy.array([text.encode() for text in model.column(name)], dtype=numpy.object_)
        inputs.append(triton.InferInput(name, [len(values)], "BYTES"))
        inputs[-1].set_data_from_numpy(values)
    answer = client.infer(model.name, inputs)
    outputs = {}
    for output in answer.get_response().outputs:
        numbers = answer.as_numpy(output.name)
        outputs[output.name] = (numbers.shape[1] if numbers.ndim > 1 else 1, numbers.reshape(-1).tolist())
    client.close()
    model.compare("gRPC", *predictions(outputs, model))


# ---- exported files


def export(program, model, form, path):
    """(what export says of the file, None) or (None, why it refuses the model)."""
    command = [program, "export", model.dir, "--to", form, "--output", path, "--name", model.name, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 2:
        return None, done.stderr.strip()
    if done.returncode != 0:
        raise SystemExit(f"FAILED: {model.name}: export: {done.stderr}")
    return json.loads(done.stdout), None


def trimmed(text):
    """Outside of the program nobody trims texts or replaces missing values."""
    text = text.strip(" \t")
    return "" if text in random_models.MISSING else text


def score_by_onnx(program, model):
    """Returns why export refuses the model, or None."""
    import numpy
    import onnxruntime

    path = model.folder / "model.onnx"
    _, refused = export(program, model, "onnx", path)
    if refused:
        return refused
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feeds = {}
    for value in session.get_inputs():
        texts = [trimmed(text) for text in model.column(value.name)]
        if "string" not in value.type:
            cells = [[math.nan if text == "" else as_float(text)] for text in texts]
        else:
            cells = [model.description.values(value.name, text) for text in texts]
        width = value.shape[1]
        filled = [(row + [""] * width)[:width] for row in cells]
        feeds[value.name] = numpy.array(filled, dtype=numpy.object_ if "string" in value.type else numpy.float32)
    results = session.run(None, feeds)
    outputs = {}
    for value, result in zip(session.get_outputs(), results):
        outputs[value.name] = (result.shape[1], result.reshape(-1).tolist())
    model.compare("ONNX Runtime", *predictions(outputs, model), tolerance=TOLERANCE)
    return None


def score_by_source(program, model):
    """The C source, compiled. Returns why export refuses the model, or None."""
    path = model.folder / f"{model.name}.c"
    exported, refused = export(program, model, "c", path)
    if refused:
        return refused
    scores = path.with_suffix(".out")
    embed_test.run("cc", "-std=c99", "-O1", f"-D{model.name.upper()}_MAIN", path, "-o", scores, "-lm")
    names = [value["name"] for value in exported["inputs"]]
    with open(model.folder / "fields.tsv", "w") as file:
        for row in model.rows:
            file.write("\t".join(trimmed(row[name]) for name in names) + "\n")
    with open(model.folder / "fields.tsv") as rows:
        header, *values = csv.reader(embed_test.run(scores, stdin=rows).splitlines())
    model.compare("compiled C", header, [[float(text) for text in row] for row in values], tolerance=TOLERANCE)
    return None


# ---- all of it


def has_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False


def by_server(program, models, folder, left_out):
    done = subprocess.run([program, "serve", folder / "no such folder"], capture_output=True, text=True)
    if "without its server" in done.stderr or not has_module("serving"):
        left_out.append("HTTP and gRPC: the program was built without a server, or there is no tests/serve")
        return
    import serving

    with serving.Server(program, folder / "models") as server:
        for model in models:
            score_by_http(server, model)
        if has_module("tritonclient.grpc"):
            for model in models:
                score_by_grpc(server.grpc, model)
        else:
            left_out.append("gRPC: no tritonclient")


def by_exported_file(way, score, program, models):
    for model in models:
        refused = score(program, model)
        if refused is not None:
            model.compared[way] = "refused"
            print(f"{model.name}, {way}: {refused.splitlines()[0]}")
    if all(model.compared[way] == "refused" for model in models):
        raise SystemExit(f"FAILED: not one model was exported for {way}")


def show(models):
    ways = list(dict.fromkeys(way for model in models for way in model.compared))
    print(f"\n{'model':<5} {'kind':<18} {'rows':>5}  " + "  ".join(f"{way:>12}" for way in ways))
    for model in models:
        cells = []
        for way in ways:
            value = model.compared.get(way, "-")
            cells.append(f"{value if isinstance(value, str) else 'bits' if value == 0 else f'{value:.1e}':>12}")
        print(f"{model.name:<5} {model.description.kind:<18} {len(model.want):>5}  " + "  ".join(cells))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="build folder with the library")
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--models", type=int, nargs="+", default=list(range(MODELS)))
    arguments = parser.parse_args()
    build, program = arguments.build.resolve(), arguments.program.resolve()
    reason = embed_test.why_not(build)
    if reason:
        embed_test.skip(reason)
    begin = time.monotonic()
    left_out = []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        prefix, library_dir = embed_test.install(build, folder)
        cpp_program = embed_test.build_programs(prefix, library_dir, folder)["C++"]
        library = Library(library_dir / "libmanygate.so")
        models = [Model(program, folder, number) for number in arguments.models]
        for model in models:
            library.score(model)
            score_by_program(cpp_program, model)
        by_server(program, models, folder, left_out)
        by_exported_file("compiled C", score_by_source, program, models)
        if has_module("onnxruntime"):
            by_exported_file("ONNX Runtime", score_by_onnx, program, models)
        else:
            left_out.append("ONNX Runtime: no package onnxruntime")
    show(models)
    for reason in left_out:
        print(f"left out: {reason}")
    print(f"{time.monotonic() - begin:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
