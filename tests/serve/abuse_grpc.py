# SPDX-License-Identifier: Apache-2.0
"""gRPC that no good client speaks, for tests/serve/abuse_test.py."""

import socket
import struct

import abuse_http

MODEL = "funnel"
SECONDS = 5  # for an answer


def messages(rows):
    """(name, allowed codes, bytes of a ModelInferRequest) over gRPC."""
    from tritonclient.grpc import service_pb2

    def built(change, raw=True):
        request = service_pb2.ModelInferRequest(model_name=MODEL)
        for name, values in rows.columns.items():
            tensor = request.inputs.add(name=name, datatype="BYTES", shape=[2])
            if raw:
                request.raw_input_contents.append(
                    b"".join(struct.pack("<I", len(value.encode())) + value.encode() for value in values[:2])
                )
            else:
                tensor.contents.bytes_contents.extend(value.encode() for value in values[:2])
        change(request)
        return request.SerializeToString()

    def assign(**values):
        def change(request):
            for name, value in values.items():
                setattr(request.inputs[0], name, value)

        return change

    def shape(*sizes):
        def change(request):
            del request.inputs[0].shape[:]
            request.inputs[0].shape.extend(sizes)

        return change

    def raw(value):
        def change(request):
            request.raw_input_contents[0] = value

        return change

    right = built(lambda request: None)
    invalid, missing, parse = ["INVALID_ARGUMENT"], ["NOT_FOUND"], ["INTERNAL", "INVALID_ARGUMENT"]
    return [
        ("right, raw", ["OK"], right),
        ("right, typed", ["OK"], built(lambda request: None, raw=False)),
        ("no message", missing + invalid, b""),
        ("rubbish", parse, b"\xff" * 50),
        ("a cut message", parse, right[:-3]),
        ("a length that lies", parse, b"\x2a\xff\xff\xff\xff\x0f" + right),
        ("nested groups", parse, b"\x0b" * 5000),
        ("an unknown field", ["OK"], right + b"\xf8\x07\x01"),
        ("an unknown model", missing, built(lambda request: setattr(request, "model_name", "nobody"))),
        ("an unknown version", missing, built(lambda request: setattr(request, "model_version", "9"))),
        ("a version of letters", missing + invalid, built(lambda request: setattr(request, "model_version", "one"))),
        ("a name that is no UTF-8", missing + parse, right.replace(b"\n\x06funnel", b"\n\x06f\xffnnel", 1)),
        ("an unknown input", invalid, built(assign(name="user_ids"))),
        ("no name", invalid, built(assign(name=""))),
        ("an input twice", invalid, built(lambda request: request.inputs[1].CopyFrom(request.inputs[0]))),
        (
            "an input is missing",
            invalid,
            built(lambda request: (request.inputs.pop(), request.raw_input_contents.pop())),
        ),
        (
            "no inputs",
            invalid,
            built(lambda request: (request.ClearField("inputs"), request.ClearField("raw_input_contents"))),
        ),
        ("an unknown datatype", invalid, built(assign(datatype="FP31"))),
        ("no datatype", invalid, built(assign(datatype=""))),
        ("no shape", invalid, built(shape())),
        ("no rows", invalid, built(shape(0))),
        ("-2 rows", invalid, built(shape(-2))),
        ("3 rows of 2", invalid, built(shape(3))),
        ("rows beyond 32 bits", invalid + ["RESOURCE_EXHAUSTED"], built(shape(2**40))),
        ("a shape whose product overflows", invalid + ["RESOURCE_EXHAUSTED"], built(shape(2**32, 2**32))),
        ("one that overflows to 2", invalid + ["RESOURCE_EXHAUSTED"], built(shape(2**62 + 1, 2))),
        ("three dimensions", invalid, built(shape(2, 1, 1))),
        ("a text's length beyond the end", invalid, built(raw(b"\xff\xff\xff\x7fu1"))),
        ("a cut length", invalid, built(raw(b"\1\0\0"))),
        ("bytes too many", invalid, built(raw(b"\1\0\0\0a\1\0\0\0bc"))),
        ("no bytes", invalid, built(raw(b""))),
        ("raw contents too few", invalid, built(lambda request: request.raw_input_contents.pop())),
        ("raw contents too many", invalid, built(lambda request: request.raw_input_contents.append(b""))),
        (
            "raw and typed contents",
            invalid,
            built(lambda request: request.inputs[0].contents.bytes_contents.extend([b"a", b"b"])),
        ),
        (
            "contents of another type",
            invalid,
            built(
                lambda request: (
                    request.inputs[0].contents.Clear(),
                    request.inputs[0].contents.fp32_contents.extend([1, 2]),
                ),
                raw=False,
            ),
        ),
        (
            "contents too few",
            invalid,
            built(lambda request: request.inputs[0].contents.bytes_contents.pop(), raw=False),
        ),
        ("no contents", invalid, built(lambda request: request.inputs[0].ClearField("contents"), raw=False)),
        ("an unknown output", invalid, built(lambda request: request.outputs.add(name="probs_clik"))),
        (
            "an output twice",
            invalid,
            built(lambda request: (request.outputs.add(name="probs_click"), request.outputs.add(name="probs_click"))),
        ),
        (
            "a number that is no number",
            invalid,
            built(
                lambda request: request.raw_input_contents.__setitem__(
                    rows.names.index("price"), b"\3\0\0\0old\0\0\0\0"
                )
            ),
        ),
        (
            "a message above the limit",
            ["RESOURCE_EXHAUSTED"],
            built(lambda request: setattr(request, "id", "a" * (abuse_http.MAX_BODY + 100000))),
        ),
    ]


def messages_to(server, rows, good):
    import grpc

    service = "/inference.GRPCInferenceService/"
    with grpc.insecure_channel(server.grpc) as channel:

        def ask(path, message):
            try:
                channel.unary_unary(path)(message, timeout=SECONDS)
                return "OK"
            except grpc.RpcError as problem:
                return (
                    problem.code().name
                    if problem.details() or problem.code().name != "INVALID_ARGUMENT"
                    else "no reason"
                )

        cases = [(f"gRPC: {name}", codes, service + "ModelInfer", message) for name, codes, message in messages(rows)]
        right = messages(rows)[0][2]
        cases += [
            ("gRPC: an unknown call", ["UNIMPLEMENTED"], service + "ModelGuess", b""),
            ("gRPC: an unknown service", ["UNIMPLEMENTED"], "/inference.Nobody/ModelInfer", b""),
        ]
        for name, codes, path, message in cases:
            code = ask(path, message)
            good.report(name, codes, None if code in codes else f"code {code}")
        calls = [channel.unary_unary(service + "ModelInfer").future(right) for _ in range(200)]
        for call in calls:
            call.cancel()
        code = ask(service + "ModelInfer", right)
        good.report("gRPC: 200 calls that are cancelled", "no harm", None if code == "OK" else f"then code {code}")


def frames(server, good):
    """Bytes at the gRPC port that are no HTTP/2, or a wrong one."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    def frame(kind, flags, stream, body, size=None):
        return (
            struct.pack(">I", len(body) if size is None else size)[1:]
            + bytes([kind, flags])
            + struct.pack(">I", stream)
            + body
        )

    settings = frame(4, 0, 0, b"")
    for name, sent in (
        ("HTTP/1 at the gRPC port", abuse_http.head("GET", "/v2/health/live")),
        ("random bytes", bytes(range(256)) * 8),
        ("a TLS hello", bytes.fromhex("16030100c8010000c40303") + bytes(200)),
        ("a preface and nothing", preface),
        ("a preface and rubbish", preface + b"\xff" * 300),
        ("a frame longer than allowed", preface + settings + frame(0, 0, 1, b"", size=0xFFFFFF) + bytes(70000)),
        ("data of a stream that is not open", preface + settings + frame(0, 1, 7, b"abc")),
        ("headers that are no HPACK", preface + settings + frame(1, 4, 1, b"\xff" * 40)),
        ("headers of stream 0", preface + settings + frame(1, 5, 0, b"\x82")),
        ("a window of 0", preface + settings + frame(8, 0, 0, bytes(4))),
        (
            "10,000 resets",
            preface
            + settings
            + b"".join(frame(1, 5, 2 * i + 1, b"\x82") + frame(3, 0, 2 * i + 1, bytes(4)) for i in range(10000)),
        ),
        ("10,000 pings", preface + settings + frame(6, 0, 0, bytes(8)) * 10000),
        ("10,000 settings", preface + settings * 10000),
    ):
        with socket.create_connection(("127.0.0.1", server.grpc_port), timeout=0.3) as raw:
            try:
                raw.sendall(sent)
                raw.shutdown(socket.SHUT_WR)
                while raw.recv(65536):
                    pass
            except OSError:
                pass  # whatever it does with them: the good requests behind this are what counts
        good.report(f"gRPC: {name}", "no harm", None)
