# SPDX-License-Identifier: Apache-2.0
"""New versions under load: no request fails, and every answer is wholly that of one version.

    python3 tests/serve/reload_test.py --program build/release/manygate

Three HTTP clients with kept connections and a gRPC client ask without a pause while 50 new versions are put in place,
as copies that get their name when they are complete; 10 of them are broken (damaged, cut or missing weights, a
missing file, a manifest that lies, is of a newer format or no JSON). Versions that are replaced are removed. Every
answer must be, bit for bit, that of the version that it names, and that version must not be a broken one. Broken
versions are reported by /metrics and in the log while the one before serves. The memory at the end is that of the
middle. Then the same with --poll_seconds instead of SIGHUP, and versions that are mended or removed.

Exit code 77, with the reason, where the program has no server or a Python package is missing.
"""

import json
import multiprocessing
import queue
import shutil
import signal
import sys
import time

import serving
from serving import check

MODEL, VARIANTS, VERSIONS = "funnel", 3, 50
ROWS = 8
MAX_GROWTH_BYTES = 24 * 2**20


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)


def change_manifest(folder, change):
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    change(manifest)
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))


def newer_format(manifest):
    manifest["format_version"] = 99


def other_size(manifest):
    manifest["files"]["weights.safetensors"]["bytes"] += 1


BREAK = [
    lambda folder: cut(folder / "weights.safetensors"),
    lambda folder: flip(folder / "weights.safetensors"),
    lambda folder: (folder / "weights.safetensors").unlink(),
    lambda folder: (folder / "schema.pbtxt").unlink(),
    lambda folder: (folder / "pipeline.config").write_text("model_config { mmoe {"),
    lambda folder: (folder / "MANIFEST.json").write_text("{"),
    lambda folder: (folder / "MANIFEST.json").write_text(""),
    lambda folder: change_manifest(folder, newer_format),
    lambda folder: change_manifest(folder, other_size),
    lambda folder: (folder / "weights.safetensors").write_bytes(b""),
]


def ask_http(address, body, expected, ends, results):
    """Until `ends` is set: (requests, {version: answers}) or the first failure."""
    import http.client

    seen, failure = {}, None
    try:
        connection = http.client.HTTPConnection(address, timeout=10)
        while not ends.is_set():
            connection.request("POST", f"/v2/models/{MODEL}/infer", body)
            response = connection.getresponse()
            text = response.read()
            if response.status != 200:
                raise ValueError(f"status {response.status}: {text[:300]!r}")
            answer = json.loads(text)
            version = int(answer["model_version"])
            values = {output["name"]: output["data"] for output in answer["outputs"]}
            require_same(values["probs_click"], expected[version % VARIANTS], version)
            seen[version] = seen.get(version, 0) + 1
    except Exception as problem:  # whatever it is, the test must say it
        failure = f"HTTP: {type(problem).__name__}: {problem}"
    results.put((failure, seen))


def ask_grpc(address, columns, expected, ends, results):
    seen, failure = {}, None
    try:
        import numpy
        import tritonclient.grpc as client

        asked = client.InferenceServerClient(address)
        inputs = []
        for name, values in columns.items():
            inputs.append(client.InferInput(name, [len(values)], "BYTES"))
            inputs[-1].set_data_from_numpy(numpy.array([value.encode() for value in values], dtype=object))
        while not ends.is_set():
            answer = asked.infer(MODEL, inputs)
            version = int(answer.get_response().model_version)
            require_same(answer.as_numpy("probs_click").tolist(), expected[version % VARIANTS], version)
            seen[version] = seen.get(version, 0) + 1
    except Exception as problem:  # whatever it is, the test must say it
        failure = f"gRPC: {type(problem).__name__}: {problem}"
    results.put((failure, seen))


def require_same(values, expected, version):
    import numpy

    if numpy.array(values, numpy.float32).tolist() != expected:
        raise ValueError(f"version {version} answered {values}, not {expected}")


class Load:
    """The four clients, in processes of their own."""

    def __init__(self, server, rows, count=3):
        context = multiprocessing.get_context("spawn")
        self.ends, self.results = context.Event(), context.Queue()
        expected = [rows.answer(f"v{i}", "probs_click")[:ROWS].tolist() for i in range(VARIANTS)]
        columns = {name: values[:ROWS] for name, values in rows.columns.items()}
        body = rows.request(slice(0, ROWS))
        clients = [(ask_http, server.http, body)] * count + [(ask_grpc, server.grpc, columns)]
        self.processes = [
            context.Process(target=ask, args=(address, what, expected, self.ends, self.results))
            for ask, address, what in clients
        ]
        for process in self.processes:
            process.start()
        self.server = server
        serving.wait_for(lambda: self.answered("http") > 100 and self.answered("grpc") > 10, "the clients ask", 60)

    def answered(self, protocol):
        return serving.sum_of(self.server.metrics(), "manygate_requests_total", protocol=protocol, code="200")

    def stop(self):
        """{version: answers} of all clients."""
        self.ends.set()
        seen = {}
        for _ in self.processes:
            try:
                failure, theirs = self.results.get(timeout=30)
            except queue.Empty:
                sys.exit("FAILED: a client hangs")
            if failure:
                sys.exit(f"FAILED: {failure}\n{self.server.text()[-3000:]}")
            for version, count in theirs.items():
                seen[version] = seen.get(version, 0) + count
        for process in self.processes:
            process.join(10)
        return seen


def put(variants, repository, version, damage=None):
    """As an operator should: a copy beside the versions, which gets its number when it is complete."""
    copy = repository / MODEL / f"{version}.tmp"
    shutil.copytree(variants[version % VARIANTS], copy)
    if damage:
        damage(copy)
    copy.rename(repository / MODEL / str(version))


def ready_version(server):
    status, about = server.json("GET", f"/v2/models/{MODEL}")
    return about["versions"] if status == 200 else []


def broken_versions(server):
    return {
        int(dict(labels)["version"])
        for (name, labels), value in server.metrics().items()
        if name == "manygate_model_version_ready" and value == 0
    }


def fifty_versions(program, folder, variants, rows):
    repository = folder / "repository"
    (repository / MODEL).mkdir(parents=True)
    put(variants, repository, 1)
    broken = set(range(5, VERSIONS + 2, 5))
    check(len(broken) == len(BREAK), f"{len(broken)} of {VERSIONS} versions are broken")
    with serving.Server(program, repository, "--deadline_ms", 10000) as server:
        load = Load(server, rows)
        began, middle = time.monotonic(), 0
        for version in range(2, VERSIONS + 2):
            put(variants, repository, version, BREAK[version // 5 - 1] if version in broken else None)
            server.signal(signal.SIGHUP)
            if version in broken:
                serving.wait_for(lambda: version in broken_versions(server), f"version {version} is reported as broken")
                check(ready_version(server) == [str(version - 1)], f"{version - 1} serves while {version} is broken")
            else:
                serving.wait_for(lambda: ready_version(server) == [str(version)], f"version {version} serves")
            for old in range(1, version - 1):
                shutil.rmtree(repository / MODEL / str(old), ignore_errors=True)
            if version == VERSIONS // 2:
                middle = server.resident_bytes()
        end = server.resident_bytes()
        seen = load.stop()
        check(
            True, f"{VERSIONS} versions in {time.monotonic() - began:.1f} s, {sum(seen.values())} answers, none wrong"
        )
        check(not broken & set(seen), "no answer is of a broken version")
        check(len(seen) >= VERSIONS // 3, f"answers are of {len(seen)} versions")
        text = f"memory: {middle >> 20} MB in the middle, {end >> 20} MB at the end"
        server.check_memory(end - middle, MAX_GROWTH_BYTES, text)
        said = server.text()
        check(
            all(f"{version}" in said for version in broken) and "weights.safetensors" in said,
            "the log names what is broken",
        )


def polled(program, folder, variants, rows):
    """New, broken, mended and removed versions, seen without a signal."""
    repository = folder / "polled"
    (repository / MODEL).mkdir(parents=True)
    put(variants, repository, 1)
    with serving.Server(
        program, repository, "--poll_seconds", 0.1, "--http_threads", 2, "--deadline_ms", 10000
    ) as server:
        load = Load(server, rows, count=1)
        put(variants, repository, 2, BREAK[1])
        serving.wait_for(lambda: broken_versions(server) == {2}, "polling finds a broken version")
        shutil.rmtree(repository / MODEL / "2")
        put(variants, repository, 2)
        serving.wait_for(lambda: ready_version(server) == ["2"], "polling finds it mended")
        check(broken_versions(server) == set(), "a mended version is not broken any more")
        unfinished = repository / MODEL / "4"
        shutil.copytree(variants[0], unfinished)
        (unfinished / "MANIFEST.json").rename(folder / "kept.json")
        put(variants, repository, 3)
        serving.wait_for(lambda: ready_version(server) == ["3"], "polling finds the next one")
        time.sleep(0.3)
        check(
            ready_version(server) == ["3"] and 4 not in broken_versions(server),
            "a folder without a manifest is still being written, not broken",
        )
        shutil.rmtree(repository / MODEL / "3")
        serving.wait_for(
            lambda: ready_version(server) == ["2"], "where the highest version is removed, the one before serves"
        )
        seen = load.stop()
        check(
            set(seen) <= {1, 2, 3} and 2 in seen,
            f"{sum(seen.values())} answers of versions {sorted(seen)}, none wrong or failed",
        )


def main():
    program, folder = serving.start(__doc__, "numpy", "prometheus_client", "tritonclient.grpc")
    variants = [serving.train(program, folder / f"v{i}", seed=i + 1, rows=800) for i in range(VARIANTS)]
    rows = serving.Rows(program, folder, {f"v{i}": variant for i, variant in enumerate(variants)})
    answers = {tuple(rows.answer(name, "probs_click")[:ROWS].tolist()) for name in rows.expected}
    check(len(answers) == VARIANTS, "each version is known by its answer")
    fifty_versions(program, folder, variants, rows)
    polled(program, folder, variants, rows)


if __name__ == "__main__":
    main()
