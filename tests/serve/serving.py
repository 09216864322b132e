# SPDX-License-Identifier: Apache-2.0
"""What the tests of the running server share: a small model, a server on free ports, requests and their right answers.

program, folder = serving.start(__doc__, "numpy", "tritonclient.http")    # or exit code 77, with the reason
model = serving.train(program, folder / "funnel", seed=1)
rows = serving.Rows(program, folder, {"funnel": model})
with serving.Server(program, model) as server:
    answer = server.post("/v2/models/funnel/infer", rows.request())
"""

import argparse
import contextlib
import csv
import http.client
import importlib
import json
import pathlib
import random
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from checks import check, skip  # noqa: E402
START_SECONDS = 30

LABELS = ["click", "purchase", "amount:amount", "device:multiclass"]
NOT_INPUTS = ["click", "purchase", "amount", "device"]


def run(command, folder=None, code=0):
    """Runs to the end; returns (stdout, stderr)."""
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode != code:
        sys.exit(
            f"FAILED: exit code {done.returncode}, expected {code}: {' '.join(map(str, command))}\n"
            f"{done.stdout}{done.stderr}"
        )
    return done.stdout, done.stderr


def start(description, *modules):
    """Reads --program and makes a temporary folder that goes when the test ends: (program, folder)."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=pathlib.Path)
    program = parser.parse_args().program.resolve()
    need(program, *modules)
    # Kept by this reference until the interpreter ends.
    start.folder = tempfile.TemporaryDirectory(prefix="manygate_serve_")
    return program, pathlib.Path(start.folder.name)


def need(program, *modules):
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError as problem:
            skip(f"{problem}; ./run deps test installs it into .venv")
    done = subprocess.run([program, "serve", "no/such/folder"], capture_output=True, text=True, timeout=30)
    if "built without its server" in done.stderr:
        skip(done.stderr.strip())


def train(program, model_dir, *flags, rows=1500, seed=1):
    """A model of four tasks (two binary ones, an amount, classes) on a generated funnel; returns its folder."""
    data = model_dir.parent / f"{model_dir.name}.csv"
    run([program, "generate", "funnel", "--rows", rows, "--seed", 3, "--output", data])
    labels = [part for label in LABELS for part in ("--label", label)]
    run(
        [
            program,
            "train",
            "--data",
            data,
            *labels,
            "--model_dir",
            model_dir,
            "--seed",
            seed,
            "--set",
            "train_config.num_epochs=1",
            "--set",
            "train_config.use_tensorboard=false",
            *flags,
        ],
        model_dir.parent,
    )
    for checkpoints in list(model_dir.rglob("checkpoints")):
        shutil.rmtree(checkpoints)
    return model_dir


def resident_bytes(path):
    """Bytes that a process has in memory now."""
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no VmRSS in {path}")


class Rows:
    """Raw rows with ordinary, unknown, missing and extreme values, and what `manygate predict` makes of them."""

    def __init__(self, program, folder, models, count=40):
        """models: {name: model directory}, all with the same inputs."""
        import numpy

        data = folder / "asked.csv"
        run([program, "generate", "funnel", "--rows", count, "--seed", 17, "--output", data])
        with open(data, newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
        self.names = [name for name in rows[0] if name not in NOT_INPUTS]
        self.count = count
        numbers = {"price", "age", "past_clicks", "past_purchases", "days_since_visit"}
        odd = random.Random(5)
        for row in rows[count // 4 :]:
            name = odd.choice(self.names)
            if name in numbers:
                row[name] = odd.choice(["", "0", "-1", "1e30", "-3.5e37", "0.1", "1e-30", "16777217", "123456789.125"])
            else:
                row[name] = odd.choice(["", "never seen", "grün", "日本", "x" * 300, 'say "so"', "a, b", "-0", "1.50"])
        self.columns = {name: [row[name] for row in rows] for name in self.names}
        with open(data, "w", newline="", encoding="utf-8") as lines:
            writer = csv.writer(lines, lineterminator="\n")
            writer.writerow(self.names)
            writer.writerows(zip(*self.columns.values()))
        self.expected = {}
        for name, model in models.items():
            output = folder / f"{name}.expected.csv"
            run([program, "predict", model, "--data", data, "--output", output, "--logits"])
            with open(output, newline="", encoding="utf-8") as lines:
                predicted = list(csv.DictReader(lines))
            check(len(predicted) == count, f"predict of {name}: {count} rows")
            self.expected[name] = {
                column: numpy.array([row[column] for row in predicted], numpy.float32) for column in predicted[0]
            }

    def answer(self, model, output, rows=slice(None)):
        """What `output` must hold for these rows: [rows] or [rows, width]."""
        import numpy

        columns = self.expected[model]
        if output in columns:
            return columns[output][rows]
        parts = [values for name, values in columns.items() if name.startswith(output + "_")]
        check(parts, f"predict knows the output {output}")
        return numpy.stack(parts, axis=1)[rows]

    def same(self, model, output, values, rows=slice(None)):
        """Whether the bits are those of predict."""
        import numpy

        expected = self.answer(model, output, rows)
        values = numpy.ascontiguousarray(values, dtype=numpy.float32).reshape(-1)
        return numpy.array_equal(
            values.view(numpy.uint32), numpy.ascontiguousarray(expected).reshape(-1).view(numpy.uint32)
        )

    def request(self, rows=slice(None), outputs=None, **more):
        """As an inference request in JSON, all values as texts."""
        inputs = []
        for name, values in self.columns.items():
            values = values[rows]
            inputs.append({"name": name, "shape": [len(values)], "datatype": "BYTES", "data": values})
        body = {"inputs": inputs, **more}
        if outputs is not None:
            body["outputs"] = [{"name": name} for name in outputs]
        return json.dumps(body).encode()


class Server(contextlib.AbstractContextManager):
    """manygate serve on free ports; stopped by SIGTERM at the end, which must give exit code 0."""

    def __init__(self, program, repository, *flags, token=None, certificate=None):
        self.program, self.token, self.certificate = program, token, certificate
        self.log = tempfile.NamedTemporaryFile(prefix="manygate_serve_", suffix=".log")
        command = [program, "serve", repository, "--http_port", 0, "--grpc_port", 0, *flags]
        self.process = subprocess.Popen(
            [str(part) for part in command], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL
        )
        ends = time.monotonic() + START_SECONDS
        self.http_port = self.grpc_port = None
        while not (self.http_port and self.grpc_port):
            if self.process.poll() is not None or time.monotonic() > ends:
                self.process.kill()
                sys.exit(f"FAILED: the server did not start (exit code {self.process.poll()}):\n{self.text()}")
            time.sleep(0.01)
            self.http_port = self.port("HTTP")
            self.grpc_port = self.port("gRPC")
        self.http, self.grpc = f"127.0.0.1:{self.http_port}", f"127.0.0.1:{self.grpc_port}"

    def text(self):
        """What the server has said so far."""
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def port(self, protocol):
        found = re.search(rf"{protocol}.*?(?:127\.0\.0\.1|localhost):(\d+)", self.text(), re.IGNORECASE)
        return int(found.group(1)) if found else None

    def connect(self, timeout=10):
        if self.certificate:
            context = ssl.create_default_context(cafile=str(self.certificate))
            return http.client.HTTPSConnection("localhost", self.http_port, timeout=timeout, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None, connection=None):
        """(status, headers, body); a header of None is left out."""
        headers = {**({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        headers = {name: value for name, value in headers.items() if value is not None}
        own = connection or self.connect()
        own.request(method, path, body, headers)
        response = own.getresponse()
        answer = response.status, response.headers, response.read()
        if not connection:
            own.close()
        return answer

    def json(self, method, path, body=None, headers=None):
        """(status, parsed body)"""
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        status, _, text = self.ask(method, path, body, headers)
        try:
            return status, json.loads(text) if text else None
        except ValueError:
            sys.exit(f"FAILED: {method} {path}: the answer with status {status} is not JSON: {text[:300]!r}")

    def metrics(self):
        """{(name, sorted labels without those that are constant): value} of /metrics."""
        from prometheus_client.parser import text_string_to_metric_families

        status, headers, text = self.ask("GET", "/metrics")
        if status != 200 or not headers["Content-Type"].startswith("text/plain"):
            sys.exit(f"FAILED: /metrics: status {status}, {headers['Content-Type']}")
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text.decode())
            for sample in family.samples
        }

    def resident_bytes(self):
        return resident_bytes(f"/proc/{self.process.pid}/status")

    def check_memory(self, held, most, text):
        """A sanitizer's own memory is not the server's."""
        if any(name in self.program.read_bytes() for name in (b"__asan_init", b"__tsan_init")):
            print(f"left out, for the program has sanitizers: {text}", flush=True)
        else:
            check(held < most, text)

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """Exit code after SIGTERM."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self, seconds=20):
        """Exit code of a server that was told to end: a second signal would end it at once."""
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            sys.exit(f"FAILED: the server still runs {seconds} s after SIGTERM:\n{self.text()}")

    def __exit__(self, kind, problem, trace):
        if kind is not None:
            self.process.kill()
            self.process.wait()
            print(f"--- the server said\n{self.text()[-4000:]}", file=sys.stderr)
            return
        ended_before = self.process.poll()
        check(ended_before is None, f"the server lives to the end of the test (exit code {ended_before})")
        check(self.stop() == 0, "SIGTERM ends the server with exit code 0")


def sum_of(metrics, name, **labels):
    """Sum of the samples of that name whose labels are among theirs."""
    wanted = set(labels.items())
    return sum(value for (found, theirs), value in metrics.items() if found == name and wanted <= set(theirs))


def wait_for(condition, text, seconds=10):
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            sys.exit(f"FAILED: not within {seconds} s: {text}")
        time.sleep(0.01)


def bearer(token):
    return [("authorization", f"Bearer {token}")]
