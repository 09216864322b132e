#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times scoring by Manygate and by ONNX Runtime: the same trained model, the same rows, one thread, one core, the same minute.

    .venv/bin/python benchmarks/predict.py --build build/release [--configurations C1 C2] [--core 0] [--require]

ONNX Runtime gets each model wired in every way of onnx_models.py, and called by run() and by I/O binding; its fastest
counts. Its times are those of Python's call; what an empty model costs is in the table, too. Every form must give
Manygate's scores within 1e-5, or the script ends with exit code 1. Prints a table in Markdown.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from onnx_models import TrainedModel, build
from report import machine

HERE = pathlib.Path(__file__).resolve().parent
CONFIGURATIONS = {"C1": HERE.parent / "examples/census_income/mmoe.config", "C2": HERE / "embeddings.config"}
REQUIRED = 5  # times ONNX Runtime's best
REQUIRED_STRINGS_US = 3
FORMS = [(form, mix) for form in ("dense", "rows") for mix in ("bmm", "multiply")]


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, text=True).stdout


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def percentiles(call, seconds):
    """Median and 99th percentile of single calls, in microseconds."""
    for _ in range(20):
        call()
    times, end = [], time.perf_counter() + seconds
    while True:
        begin = time.perf_counter()
        call()
        now = time.perf_counter()
        times.append(now - begin)
        if now > end:
            return [float(value) * 1e6 for value in np.percentile(times, [50, 99])]


class Peer:
    """One ONNX form with one way to call it, at one batch size."""

    def __init__(self, name, opened, feeds, outputs, binding):
        self.name = name + (", bound" if binding else "")
        self.call = lambda: opened.run(None, feeds)
        if binding:
            bound = opened.io_binding()
            for key, value in feeds.items():
                bound.bind_cpu_input(key, value)
            self.result = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(outputs, np.float32))
            bound.bind_ortvalue_output(opened.get_outputs()[0].name, self.result)
            self.call = lambda: opened.run_with_iobinding(bound)


def empty_call_us(seconds):
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    result = helper.make_tensor_value_info("probs", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["probs"])], "empty", [value], [result])
    opened = session(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]))
    return percentiles(Peer("empty", opened, {"x": np.zeros(1, np.float32)}, (1,), True).call, seconds)[0]


class Encoded:
    """The file that manygate_bench_predict --dump writes: encoded rows and their scores."""

    def __init__(self, path):
        data = path.read_bytes()
        rows, slots, width, tasks = np.frombuffer(data, np.int64, 4)
        at = 32
        parts = []
        for kind, columns in ((np.int32, slots), (np.float32, width), (np.float32, tasks)):
            size = int(rows * columns) * 4
            parts.append(np.frombuffer(data[at:at + size], kind).reshape(rows, columns))
            at += size
        self.ids, self.numbers, self.probs = parts


def compare(name, arguments, table):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        bench = [arguments.build / "benchmarks/manygate_bench_predict", "--model_dir", folder / "model"]
        run(arguments.build / "manygate", "train", CONFIGURATIONS[name], "--model_dir", folder / "model", "--set",
            "train_config.num_epochs=1")
        run(*bench, "--dump", folder / "rows.bin", "--json")
        model, encoded = TrainedModel(folder / "model"), Encoded(folder / "rows.bin")
        opened = {(form, mix): session(build(model, form, mix)) for form, mix in FORMS}
        met = True
        for batch in arguments.batches:
            ids, numbers = encoded.ids[:batch].astype(np.int64), encoded.numbers[:batch]
            peers = []
            for (form, mix), ready in opened.items():
                dense_rows = {"x": model.rows(ids, numbers)}
                feeds = dense_rows if ready.get_inputs()[0].name == "x" else {"ids": ids, "numbers": numbers}
                worst = np.abs(ready.run(None, feeds)[0] - encoded.probs[:batch]).max()
                if not worst < 1e-5:
                    raise SystemExit(f"{name}, {form}-{mix}: scores differ by {worst}")
                for binding in (False, True):
                    peers.append(Peer(f"{form}, {mix}", ready, feeds, encoded.probs[:batch].shape, binding))
            quick = [percentiles(peer.call, 0.1)[0] for peer in peers]
            best = peers[int(np.argmin(quick))]
            ours, strings, theirs = [], [], []
            for _ in range(arguments.turns):
                timed = json.loads(run("taskset", "-c", arguments.core, *bench, "--batch", batch, "--seconds",
                                       arguments.seconds, "--json"))
                ours.append((timed["encoded"]["p50_us"], timed["encoded"]["p99_us"]))
                strings.append((timed["strings"]["p50_us"], timed["strings"]["p99_us"]))
                theirs.append(percentiles(best.call, arguments.seconds))
            ours, strings, theirs = (np.median(values, axis=0) for values in (ours, strings, theirs))
            ratio = theirs[0] / ours[0]
            enough = ratio >= REQUIRED and (batch > 1 or strings[0] <= REQUIRED_STRINGS_US)
            met &= enough
            table.append(f"| {name} | {batch} | {ours[0]:.2f} / {ours[1]:.2f} | {theirs[0]:.2f} / {theirs[1]:.2f} ({best.name}) | "
                         f"{ratio:.1f}× | {strings[0]:.2f} / {strings[1]:.2f} | {'yes' if enough else 'no'} |")
            print(table[-1], file=sys.stderr)
        return met


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build/release")
    parser.add_argument("--configurations", nargs="+", choices=list(CONFIGURATIONS), default=list(CONFIGURATIONS))
    parser.add_argument("--batches", nargs="+", type=int, default=[1, 64, 1024])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--require", action="store_true", help="exit code 1 where a requirement is missed")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {arguments.core})
    table, met = [], True
    for name in arguments.configurations:
        met &= compare(name, arguments, table)
    print(f"### Scoring, one thread: p50 / p99 in microseconds, medians of {arguments.turns} alternating turns\n")
    print(f"{machine()} · ONNX Runtime {onnxruntime.__version__}; a call of an empty model: {empty_call_us(1):.1f} us\n")
    print(f"| model | batch | Manygate, encoded rows | ONNX Runtime, encoded rows | ratio | Manygate, 41 strings | ≥ {REQUIRED}×"
          f" (batch 1: and strings ≤ {REQUIRED_STRINGS_US} us) |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(table))
    return 1 if arguments.require and not met else 0


if __name__ == "__main__":
    raise SystemExit(main())
