# SPDX-License-Identifier: Apache-2.0
"""Requests that no good client sends: each gets its status, and the server answers a good one right afterwards.

    python3 tests/serve/abuse_test.py --program build/release/manygate

The cases of abuse_http.py and abuse_bodies.py over raw sockets, then connections that stall, break off or are too
many, then abuse_grpc.py: wrong messages and frames. Every refusal of a route carries a reason as JSON. In the end the
server must live, hold no more memory than a server does, and stop as ever.

Exit code 77, with the reason, where the program has no server or a Python package is missing.
"""

import json
import re
import socket
import struct
import sys
import time

import abuse_bodies
import abuse_grpc
import abuse_http
import serving
from abuse_http import CLOSED, HALF_CLOSE
from serving import check

MODEL, CONNECTIONS = "funnel", 64
MAX_RESIDENT_BYTES, MAX_GROWTH_BYTES = 300 * 2**20, 40 * 2**20
SECONDS = 5  # for an answer


def responses(text, bodies=True):
    """[(status, body)] of the whole answers in what came, and what is behind them; None where it is no HTTP."""
    found = []
    while b"\r\n\r\n" in text:
        head, _, rest = text.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.[01] (\d{3})[ \r]", head + b"\r")
        if not status:
            return None
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        size = int(length.group(1)) if length and bodies else 0
        if len(rest) < size:
            break
        found.append((int(status.group(1)), rest[:size]))
        text = rest[size:]
    return found, text


def talk(port, steps, ends):
    """What came back until the server closed or, where it need not, until ends(what came)."""
    came = b""
    try:
        raw = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    except OSError as problem:
        sys.exit(f"FAILED: the server is gone: {problem}")
    with raw:
        try:
            for step in steps:
                if step is HALF_CLOSE:
                    raw.shutdown(socket.SHUT_WR)
                elif isinstance(step, (int, float)):
                    time.sleep(step)
                else:
                    raw.sendall(step)
        except OSError:
            pass  # closed while we were still sending: what it said is there to be read
        try:
            while not ends(came):
                part = raw.recv(65536)
                if not part:
                    break
                came += part
        except TimeoutError:
            return came, "no answer, or no end"
        except ConnectionError:
            pass
    return came, None


def judge(expected, steps, closes, port):
    """None, or what is wrong with the answers."""
    expected = expected if isinstance(expected, list) else [expected]
    bodies = not steps[0].startswith(b"HEAD") if isinstance(steps[0], bytes) else True

    def ends(came):
        found = responses(came, bodies)
        return found is not None and not closes and len(found[0]) == len(expected) and not found[1]

    came, problem = talk(port, steps, ends)
    if problem:
        return f"{problem}; so far {came[:200]!r}"
    found = responses(came, bodies)
    if found is None or found[1]:
        return f"no HTTP, or half an answer: {came[:200]!r}"
    if not found[0]:
        return None if CLOSED in expected[0] else "closed without an answer"
    if len(found[0]) != len(expected):
        return f"{len(found[0])} answers: {[status for status, _ in found[0]]}"
    for (status, body), allowed in zip(found[0], expected):
        if status not in allowed:
            return f"status {status} {body[:200]!r}"
        if status >= 400 and bodies and not reason(body):
            return f"status {status}, a body that is no reason: {body[:200]!r}"
    return None


def reason(body):
    try:
        return json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return None


class Good:
    """A right request over a kept connection, with its answer."""

    def __init__(self, server, rows, faults):
        self.server, self.rows, self.faults = server, rows, faults
        self.body = rows.request(slice(0, 2))
        self.connection = server.connect()
        self.right = self.ask()
        check(
            self.right[0] == 200
            and rows.same(MODEL, "probs_click", json.loads(self.right[1])["outputs"][0]["data"], slice(0, 2)),
            "a good request is answered right",
        )

    def ask(self):
        status, _, text = self.server.ask("POST", abuse_http.INFER, self.body, connection=self.connection)
        return status, text

    def report(self, name, expected, problem):
        if problem is None and self.ask() != self.right:
            problem = "a good request afterwards is answered wrong"
        if problem:
            print(f"FAILED: {name}: expected {expected}: {problem}", flush=True)
            self.faults.append(name)
        else:
            print(f"ok: {name}", flush=True)


def stalled(server, good):
    """100 connections that send their header a byte at a time, or nothing, do not keep others waiting."""
    slow = [socket.create_connection(("127.0.0.1", server.http_port)) for _ in range(CONNECTIONS - 8)]
    for i, raw in enumerate(slow):
        raw.sendall(b"POST /v2/models/funnel/infer HTTP/1.1\r\nX: "[: i % 40])
    longest = 0
    for turn in range(20):
        for raw in slow[::7]:
            raw.sendall(b"a")
        began = time.monotonic()
        if good.ask() != good.right:
            good.faults.append("a good request beside slow ones")
        longest = max(longest, time.monotonic() - began)
    good.report(
        "slow headers", "no waiting", None if longest < 0.5 else f"a good request took {longest:.2f} s beside them"
    )
    for raw in slow:
        raw.close()


def too_many(server, good):
    """Connections above --max_connections are told 503 and closed; the others work on."""
    kept = []
    refused = 0
    for _ in range(CONNECTIONS + 40):
        raw = socket.create_connection(("127.0.0.1", server.http_port), timeout=SECONDS)
        try:
            raw.sendall(abuse_http.head("GET", "/v2/health/live"))
            answer = raw.recv(4096)
        except ConnectionError:
            answer = b""
        refused += answer.startswith(b"HTTP/1.1 503")
        kept.append(raw)
    good.report(
        "too many connections", "503", None if refused >= 30 else f"{refused} of {CONNECTIONS + 40} were refused by 503"
    )
    for raw in kept:
        raw.close()
    time.sleep(0.1)
    status = server.ask("GET", "/v2/health/live")[0]
    good.report("after too many connections", 200, None if status == 200 else f"status {status}")


def greedy(server, good):
    """Clients that announce much and send little, and one that asks without an end and reads nothing."""
    before = server.resident_bytes()
    slow = [socket.create_connection(("127.0.0.1", server.http_port)) for _ in range(CONNECTIONS - 8)]
    for raw in slow:
        raw.sendall(abuse_http.head("POST", abuse_http.INFER, f"Content-Length: {abuse_http.MAX_BODY}") + b" " * 1000)
    deaf = socket.create_connection(("127.0.0.1", server.http_port), timeout=0.5)
    sent, whole = 0, abuse_http.post(abuse_http.INFER, good.body) * 20
    try:
        while sent < 100 * abuse_http.MAX_BODY:
            sent += deaf.send(whole)
    except TimeoutError:
        pass  # as it should be: nobody reads on for whom nobody reads
    grown = server.resident_bytes() - before
    good.report(
        "requests whose answers are not read", "an end", None if sent < 100 * abuse_http.MAX_BODY else "all were read"
    )
    server.check_memory(grown, MAX_GROWTH_BYTES, f"greedy clients: {grown >> 20} MB more")
    for raw in [*slow, deaf]:
        raw.close()


def broken_off(server, good):
    """Resets at every stage, half of them while an answer is under way."""
    whole = abuse_http.post(abuse_http.INFER, good.body)
    for i in range(60):
        raw = socket.create_connection(("127.0.0.1", server.http_port))
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.sendall(whole * 5 if i % 2 else whole[: i * len(whole) // 60])
        raw.close()
    good.report("60 connections that are reset", "no harm", None)


def all_cases(good, request, columns):
    """(what is wrong, statuses, the request, whether the server must close behind its one answer)."""
    other = (
        abuse_http.paths()
        + abuse_bodies.texts(good)
        + abuse_bodies.tensors(request)
        + abuse_bodies.values(request)
        + abuse_bodies.binary(request)
        + abuse_bodies.tensorflow(columns)
    )
    # Where a request ends cannot be known of these: to read on would be to take a client's data for a request.
    return [
        (name, statuses, steps, isinstance(statuses, tuple) and 200 not in statuses)
        for name, statuses, steps in abuse_http.framing(good)
    ] + [(*case, False) for case in other]


def main():
    program, folder = serving.start(__doc__, "numpy", "prometheus_client", "grpc", "tritonclient.grpc")
    model = serving.train(program, folder / MODEL, rows=500)
    rows = serving.Rows(program, folder, {MODEL: model}, count=8)
    faults = []
    with serving.Server(
        program, model, "--max_body_mb", abuse_http.MAX_BODY >> 20, "--max_connections", CONNECTIONS
    ) as server:
        good = Good(server, rows, faults)
        request = json.loads(good.body)
        cases = all_cases(good.body, request, {name: values[:2] for name, values in rows.columns.items()})
        for name, expected, steps, closes in cases:
            good.report(name, expected, judge(expected, steps, closes, server.http_port))
        stalled(server, good)
        broken_off(server, good)
        greedy(server, good)
        too_many(server, good)
        abuse_grpc.messages_to(server, rows, good)
        abuse_grpc.frames(server, good)
        code = sorted(
            {dict(labels).get("model") for (name, labels) in server.metrics() if name == "manygate_requests_total"}
        )
        good.report(
            "the metrics name no models of clients",
            ["", MODEL],
            None if set(code) <= {"", MODEL} else f"they name {code}",
        )
        held = server.resident_bytes()
        server.check_memory(held, MAX_RESIDENT_BYTES, f"memory: {held >> 20} MB")
        check(not faults, f"{len(cases)} abusive HTTP requests, and gRPC's; wrong: {faults}")


if __name__ == "__main__":
    main()
