# SPDX-License-Identifier: Apache-2.0
"""Ten times the load that a server can take, and SIGTERM in the middle of one.

    python3 tests/serve/overload_test.py --program build/release/manygate

A model that takes long (wide experts, a thousand rows per request) is asked over HTTP and gRPC at ten times the rate
at which it answers alone. Each request must end as 200 with the right bits, 429 / RESOURCE_EXHAUSTED or 504 /
DEADLINE_EXCEEDED; all three must happen; the memory stays bounded; within a second after the last request one is
answered as ever. Before that, with requests waiting, SIGTERM: all of them are answered, nobody can connect, the exit
code is 0.

Exit code 77, with the reason, where the program has no server or a Python package is missing.
"""

import collections
import http.client
import json
import signal
import socket
import struct
import threading
import time

import serving
from serving import check

MODEL = "slow"
ROWS, SECONDS, FACTOR = 1024, 4, 10
QUEUED, PATIENCE = 12, 4  # of the time that a request takes alone: the queue's length and the deadline
MAX_GROWTH_BYTES = 128 * 2**20


class Asker:
    """Sends the same request again and again, whoever wants it, and judges the answers."""

    def __init__(self, server, rows):
        import grpc
        from tritonclient.grpc import service_pb2, service_pb2_grpc

        self.server = server
        columns = {name: [values[i % rows.count] for i in range(ROWS)] for name, values in rows.columns.items()}
        self.expected = b"".join(rows.answer(MODEL, "probs_click")[[i % rows.count for i in range(ROWS)]].astype("<f4"))
        inputs = [
            {"name": name, "shape": [ROWS], "datatype": "BYTES", "data": values} for name, values in columns.items()
        ]
        self.body = json.dumps(
            {"inputs": inputs, "outputs": [{"name": "probs_click", "parameters": {"binary_data": True}}]}
        )
        self.message = service_pb2.ModelInferRequest(model_name=MODEL)
        self.message.outputs.add(name="probs_click")
        for name, values in columns.items():
            self.message.inputs.add(name=name, datatype="BYTES", shape=[ROWS])
            raw = b"".join(struct.pack("<I", len(value.encode())) + value.encode() for value in values)
            self.message.raw_input_contents.append(raw)
        self.channel = grpc.insecure_channel(server.grpc)
        self.call = service_pb2_grpc.GRPCInferenceServiceStub(self.channel).ModelInfer
        self.ends = collections.Counter()
        self.lock = threading.Lock()

    def count(self, end):
        with self.lock:
            self.ends[end] += 1

    def http(self, timeout=20):
        """The end of one request: "200", "429", ..., or what went wrong."""
        try:
            connection = http.client.HTTPConnection(self.server.http, timeout=timeout)
            connection.request("POST", f"/v2/models/{MODEL}/infer", self.body)
            response = connection.getresponse()
            text = response.read()
            connection.close()
        except OSError as problem:
            return f"HTTP {type(problem).__name__}"
        if response.status != 200:
            return str(response.status) if "error" in json.loads(text) else f"{response.status} without a reason"
        length = int(response.headers["Inference-Header-Content-Length"])
        return "200" if text[length:] == self.expected else "a wrong answer"

    def grpc(self):
        import grpc

        try:
            answer = self.call(self.message)  # without a deadline: the server's own counts
        except grpc.RpcError as problem:
            return problem.code().name
        return "OK" if answer.raw_output_contents[0] == self.expected else "a wrong answer"


def seconds_of_one(asker):
    """How long the server takes for a request when it has no other."""
    check(asker.http() == "200" and asker.grpc() == "OK", "a request alone is answered right")
    times = []
    for _ in range(5):
        began = time.monotonic()
        check(asker.http() == "200", "a request alone is answered right")
        times.append(time.monotonic() - began)
    return sorted(times)[2]


def paced(asker, ask, interval, ends):
    """Requests at fixed times, each in a thread of its own, whether or not those before are answered."""
    threads, due = [], time.monotonic()
    while due < ends:
        time.sleep(max(0.0, due - time.monotonic()))
        thread = threading.Thread(target=lambda: asker.count(ask()))
        thread.start()
        threads.append(thread)
        due += interval
    for thread in threads:
        thread.join()


def overload(program, model, rows, alone):
    with serving.Server(
        program,
        model,
        "--threads",
        1,
        "--max_queue_rows",
        ROWS * QUEUED,
        "--max_batch_rows",
        ROWS,
        "--deadline_ms",
        int(1000 * PATIENCE * alone),
    ) as server:
        asker = Asker(server, rows)
        before, top = server.resident_bytes(), 0
        interval, ends = 2 * alone / FACTOR, time.monotonic() + SECONDS
        load = [threading.Thread(target=paced, args=(asker, ask, interval, ends)) for ask in (asker.http, asker.grpc)]
        for thread in load:
            thread.start()
        while any(thread.is_alive() for thread in load):
            top = max(top, server.resident_bytes())
            time.sleep(0.02)
        serving.wait_for(lambda: asker.http() == "200" and asker.grpc() == "OK", "an answer after the load", 1)
        ended = dict(asker.ends)
        check(
            set(ended) <= {"200", "429", "504", "OK", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"},
            f"one takes {1000 * alone:.0f} ms; {2 / interval:.0f} requests/s for {SECONDS} s ended as {ended}",
        )
        check(ended.get("200", 0) and ended.get("OK", 0), "some were answered, right")
        check(ended.get("429", 0) and ended.get("RESOURCE_EXHAUSTED", 0), "some were refused: the queue was full")
        check(ended.get("504", 0) and ended.get("DEADLINE_EXCEEDED", 0), "some waited too long")
        server.check_memory(top - before, MAX_GROWTH_BYTES, f"memory: {before >> 20} MB before, at most {top >> 20} MB")
        counted = server.metrics()
        refused = ended.get("429", 0) + ended.get("RESOURCE_EXHAUSTED", 0)
        check(
            serving.sum_of(counted, "manygate_requests_total", code="429") == refused, f"{refused} are counted as 429"
        )
        check(serving.sum_of(counted, "manygate_queue_rows") == 0, "nobody waits")


def terminate(program, model, rows):
    """Returns the seconds that the server takes for one request."""
    server = serving.Server(
        program, model, "--threads", 1, "--max_queue_rows", 24 * ROWS, "--max_batch_rows", ROWS, "--deadline_ms", 60000
    )
    asker = Asker(server, rows)
    alone = seconds_of_one(asker)
    idle = server.connect()
    check(server.ask("GET", "/v2/health/ready", connection=idle)[0] == 200, "an idle connection is open")
    threads = [
        threading.Thread(target=lambda ask=ask: asker.count(ask())) for ask in [asker.http] * 12 + [asker.grpc] * 6
    ]
    for thread in threads:
        thread.start()
    serving.wait_for(lambda: waiting(server) >= 10 * ROWS, "10 requests wait")
    taken = waiting(server) // ROWS
    server.signal(signal.SIGTERM)
    serving.wait_for(lambda: not connects(server.http_port), "nobody can connect", 2)
    check(server.process.poll() is None, "the server still works on what it took")
    for thread in threads:
        thread.join()
    ended = dict(asker.ends)
    # What the server reads only after the signal, it may refuse.
    check(set(ended) <= {"200", "OK", "503", "UNAVAILABLE"}, f"SIGTERM with {taken:.0f} requests waiting: {ended}")
    check(ended.get("200", 0) + ended.get("OK", 0) >= taken, "what was taken is answered right")
    check(server.wait() == 0, "the exit code is 0")
    idle.close()
    return alone


def waiting(server):
    return serving.sum_of(server.metrics(), "manygate_queue_rows")


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def main():
    program, folder = serving.start(__doc__, "numpy", "prometheus_client", "grpc", "tritonclient.grpc")
    wide = [
        "model_config.mmoe.num_expert=8",
        "model_config.mmoe.expert_mlp.hidden_units=[512, 512]",
        "data_config.batch_size=300",
    ]
    model = serving.train(program, folder / MODEL, *[part for value in wide for part in ("--set", value)], rows=300)
    rows = serving.Rows(program, folder, {MODEL: model})
    overload(program, model, rows, terminate(program, model, rows))


if __name__ == "__main__":
    main()
