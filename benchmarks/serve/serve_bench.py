# SPDX-License-Identifier: Apache-2.0
"""Requests per second of `manygate serve` on Census-Income, the server on one core and its clients on another.

    python3 benchmarks/serve/serve_bench.py --build build/release --model out/mmoe --json out/serve.json

The model is that of examples/census_income/mmoe.config; it is trained into --model if it is not there. Every row is sent as
raw texts, as it stands in the file. HTTP is asked by wrk (post.lua), gRPC by manygate_grpc_load, which the benchmarks' build
makes; whichever is missing is left out with a sentence. Before a case is timed, its answer is compared with
`manygate predict`, bit for bit. The cases take turns; the median of --runs runs counts, with the least and the most beside it.
A table goes to stdout, all figures to --json.
"""

import argparse
import csv
import json
import os
import pathlib
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))
from report import commit, machine  # noqa: E402
CONFIG = ROOT / "examples/census_income/mmoe.config"
ROWS = 64


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "out/serve_bench")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="length of one run")
    parser.add_argument("--server_core", type=int, default=0)
    parser.add_argument("--client_core", type=int, default=1)
    parser.add_argument("--cases", nargs="+", help="only those whose name has one of these in it")
    parser.add_argument("--json", type=pathlib.Path)
    return parser.parse_args()


def census_file():
    for folder in [os.environ.get("MANYGATE_DATA"), ROOT.parent / "shared/data", ROOT / "data"]:
        file = pathlib.Path(folder or "/nowhere") / "census-income/census-income.test.gz"
        if file.is_file():
            return file
    sys.exit("no Census-Income: set MANYGATE_DATA, or run scripts/fetch_data.sh census-income")


def prepare(program, model, folder):
    """(columns: {name: texts of ROWS rows}, what predict says of them: {column: texts})"""
    data = census_file()
    environment = {**os.environ, "MANYGATE_DATA": str(data.parents[1])}
    if not (model / "MANIFEST.json").is_file():
        subprocess.run(
            [program, "train", CONFIG, "--model_dir", model, "--seed", "1"],
            check=True,
            env=environment,
            stdout=subprocess.DEVNULL,
        )
    names = re.findall(r'input_fields { input_name: "(\w+)" }', CONFIG.read_text())
    lines = subprocess.run(
        f"gzip -dc '{data}' | head -n {ROWS}", shell=True, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    subprocess.run(
        [program, "predict", model, "--data", folder / "rows.csv", "--output", folder / "p.csv"],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with open(folder / "p.csv", newline="", encoding="utf-8") as file:
        predicted = list(csv.DictReader(file))
    cells = list(zip(*(line.split(",") for line in lines)))
    return (
        {name: [value.strip() for value in column] for name, column in zip(names, cells)},
        {name: [row[name] for row in predicted] for name in predicted[0]},
    )


class Server:
    def __init__(self, program, model, core):
        self.log = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen(
            ["taskset", "-c", str(core), program, "serve", model, "--http_port", "0", "--grpc_port", "0"],
            stdout=self.log,
            stderr=self.log,
        )
        ends = time.monotonic() + 30
        ports = {}
        while len(ports) < 2:
            if self.process.poll() is not None or time.monotonic() > ends:
                sys.exit(f"the server did not start:\n{pathlib.Path(self.log.name).read_text()}")
            time.sleep(0.05)
            said = pathlib.Path(self.log.name).read_text()
            for protocol in ("HTTP", "gRPC"):
                found = re.search(rf"{protocol}.*?127\.0\.0\.1:(\d+)", said, re.IGNORECASE)
                if found:
                    ports[protocol] = found.group(1)
        self.http, self.grpc = f"127.0.0.1:{ports['HTTP']}", f"127.0.0.1:{ports['gRPC']}"
        self.name = model.name

    def inputs(self):
        with urllib.request.urlopen(f"http://{self.http}/v2/models/{self.name}") as page:
            return [tensor["name"] for tensor in json.load(page)["inputs"]]

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=20)


def bodies(columns, rows):
    """{name: (path, body, headers)} of requests of the first `rows` rows."""
    texts = {name: values[:rows] for name, values in columns.items()}
    tensors = [{"name": name, "shape": [rows], "datatype": "BYTES", "data": values} for name, values in texts.items()]
    raw = {
        name: b"".join(struct.pack("<I", len(value.encode())) + value.encode() for value in values)
        for name, values in texts.items()
    }
    header = json.dumps(
        {
            "inputs": [
                {"name": name, "shape": [rows], "datatype": "BYTES", "parameters": {"binary_data_size": len(part)}}
                for name, part in raw.items()
            ]
        }
    ).encode()
    by_row = [dict(zip(texts, values)) for values in zip(*texts.values())]
    return {
        "JSON": ("/v2/models/{}/infer", json.dumps({"inputs": tensors}).encode(), {}),
        "binary in": (
            "/v2/models/{}/infer",
            header + b"".join(raw.values()),
            {"Inference-Header-Content-Length": str(len(header))},
        ),
        "TensorFlow rows": ("/v1/models/{}:predict", json.dumps({"instances": by_row}).encode(), {}),
    }


def single(text):
    return struct.pack("<f", float(text))


def check_http(server, path, body, headers, predicted, rows):
    request = urllib.request.Request(f"http://{server.http}{path.format(server.name)}", body, headers)
    with urllib.request.urlopen(request) as page:
        answer = json.load(page)
    if "outputs" in answer:
        got = {output["name"]: output["data"] for output in answer["outputs"]}
    else:
        got = {name: [row[name] for row in answer["predictions"]] for name in answer["predictions"][0]}
    for name, values in got.items():
        if [single(value) for value in values] != [single(value) for value in predicted[name][:rows]]:
            sys.exit(f"{path}: {name} is not what predict says")
    if set(got) != set(predicted):
        sys.exit(f"{path}: outputs {sorted(got)}, predict has {sorted(predicted)}")


def wrk(server, core, connections, seconds, path, file, headers):
    pairs = [part for pair in headers.items() for part in pair]
    said = subprocess.run(
        [
            "taskset",
            "-c",
            str(core),
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds:g}s",
            "-s",
            pathlib.Path(__file__).with_name("post.lua"),
            f"http://{server.http}{path.format(server.name)}",
            "--",
            file,
            *pairs,
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return json.loads(said.splitlines()[-1])


def http_cases(server, columns, predicted, folder, arguments):
    """[(name, rows of a request, its bytes, function that runs it)]"""
    if not shutil.which("wrk"):
        print("wrk is not installed: HTTP is left out", file=sys.stderr)
        return []
    cases = []
    for rows, connections in ((1, 1), (1, 16), (1, 64), (ROWS, 16)):
        for name, (path, body, headers) in bodies(columns, rows).items():
            if connections != 16 and name != "JSON":
                continue
            check_http(server, path, body, headers, predicted, rows)
            file = folder / f"{name}.{rows}".replace(" ", "_")
            file.write_bytes(body)

            def run(connections=connections, path=path, file=file, headers=headers):
                return wrk(server, arguments.client_core, connections, arguments.seconds, path, file, headers)

            cases.append(
                (f"HTTP {name}, {rows} row{'s' if rows > 1 else ''}, {connections} connections", rows, len(body), run)
            )
    return cases


def check_grpc(server, columns, predicted):
    """By tritonclient, where it is installed: manygate_grpc_load itself only sees that answers stay the same."""
    try:
        import numpy
        import tritonclient.grpc as client
    except ImportError:
        print("no tritonclient: gRPC's answers are not compared with predict", file=sys.stderr)
        return
    inputs = []
    for name, values in columns.items():
        inputs.append(client.InferInput(name, [len(values)], "BYTES"))
        inputs[-1].set_data_from_numpy(numpy.array([value.encode() for value in values], dtype=object))
    answer = client.InferenceServerClient(server.grpc).infer(server.name, inputs)
    for name, values in predicted.items():
        if answer.as_numpy(name).tolist() != numpy.array(values, numpy.float32).tolist():
            sys.exit(f"gRPC: {name} is not what predict says")


def grpc_load(program, server, core, seconds, file, rows, channels, in_flight):
    command = [
        program,
        "--address",
        server.grpc,
        "--model",
        server.name,
        "--data",
        file,
        "--rows",
        rows,
        "--channels",
        channels,
        "--in_flight",
        in_flight,
        "--seconds",
        seconds,
    ]
    said = subprocess.run(
        ["taskset", "-c", str(core), *map(str, command)], check=True, capture_output=True, text=True
    ).stdout
    report = json.loads(said)
    return {
        "requests": report["calls"],
        "seconds": report["calls"] / report["calls_per_second"],
        "p50_ms": report["p50_us"] / 1e3,
        "p99_ms": report["p99_us"] / 1e3,
        "errors": report["failed"] + report["different"],
    }


def grpc_cases(server, columns, predicted, folder, arguments):
    """As http_cases."""
    program = arguments.build / "manygate_grpc_load"
    if not program.is_file():
        print(
            f"{program} is not built (cmake --build ... --target manygate_grpc_load): gRPC is left out", file=sys.stderr
        )
        return []
    check_grpc(server, columns, predicted)
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(dict(zip(columns, values))) + "\n" for values in zip(*columns.values())))
    cases = []
    for rows, channels, in_flight in ((1, 1, 1), (1, 4, 4), (1, 1, 16), (ROWS, 4, 4)):

        def run(rows=rows, channels=channels, in_flight=in_flight):
            return grpc_load(program, server, arguments.client_core, arguments.seconds, file, rows, channels, in_flight)

        size = sum(len(value.encode()) + 4 for values in columns.values() for value in values[:rows])
        calls = "1 call" if channels * in_flight == 1 else f"{channels * in_flight} calls"
        cases.append(
            (
                f"gRPC raw, {rows} row{'s' if rows > 1 else ''}, {calls} over {channels} channel{'s' if channels > 1 else ''}",
                rows,
                size,
                run,
            )
        )
    return cases


def measure(cases, runs):
    """Adds the figures of `runs` turns to each case: [{name, rows, body_bytes, requests_per_second: [...], ...}]"""
    results = [{"name": name, "rows": rows, "body_bytes": size, "runs": []} for name, rows, size, _ in cases]
    for turn in range(runs):
        for result, (name, _, _, run) in zip(results, cases):
            figures = run()
            if figures["errors"]:
                sys.exit(f"{name}: {figures['errors']} of {figures['requests']} requests failed")
            result["runs"].append(
                {
                    "requests_per_second": figures["requests"] / figures["seconds"],
                    "p50_ms": figures["p50_ms"],
                    "p99_ms": figures["p99_ms"],
                }
            )
            print(f"turn {turn + 1}: {name}: {result['runs'][-1]['requests_per_second']:.0f}/s", file=sys.stderr)
    return results


def table(results):
    lines = [
        "| requests | bytes each (gRPC: of values) | requests/s | least-most | rows/s | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        speeds = [run["requests_per_second"] for run in result["runs"]]
        p50, p99 = (statistics.median(run[key] for run in result["runs"]) for key in ("p50_ms", "p99_ms"))
        speed = statistics.median(speeds)
        lines.append(
            f"| {result['name']} | {result['body_bytes']:,} | {speed:,.0f} | {min(speeds):,.0f}-{max(speeds):,.0f} | "
            f"{speed * result['rows']:,.0f} | {p50:.2f} | {p99:.2f} |"
        )
    return "\n".join(lines)


def main():
    arguments = parse_arguments()
    program = arguments.build / "manygate"
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        columns, predicted = prepare(program, arguments.model.resolve(), folder)
        server = Server(program, arguments.model.resolve(), arguments.server_core)
        try:
            columns = {name: columns[name] for name in server.inputs()}
            cases = http_cases(server, columns, predicted, folder, arguments) + grpc_cases(
                server, columns, predicted, folder, arguments
            )
            cases = [case for case in cases if not arguments.cases or any(part in case[0] for part in arguments.cases)]
            results = measure(cases, arguments.runs)
        finally:
            code = server.stop()
    if code != 0:
        sys.exit(f"the server ended with exit code {code}")
    print(f"{machine()} · commit {commit()}\n\n{table(results)}")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(
            json.dumps({"machine": machine(), "commit": commit(), "inputs": len(columns), "results": results}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
