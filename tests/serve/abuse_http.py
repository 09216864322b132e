# SPDX-License-Identifier: Apache-2.0
"""HTTP that no good client speaks, for tests/serve/abuse_test.py: (what is wrong, its statuses, the request).

A request is a list of what is done in order: bytes are sent, a number is a pause in seconds, HALF_CLOSE ends the
sending. Where several statuses stand, the protocol leaves the choice. CLOSED: no answer, the connection ends. A case of
several answers has a list of them, one for each.
"""

import json

CLOSED, HALF_CLOSE = "closed", "half close"
INFER = "/v2/models/funnel/infer"
PREDICT = "/v1/models/funnel:predict"
MAX_BODY = 1 << 20


def head(method, path, *headers):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def post(path, body, *headers):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return head("POST", path, f"Content-Length: {len(body)}", *headers) + body


def chunked(*chunks, end=b"0\r\n\r\n"):
    """As a chunked body; a chunk is its bytes."""
    parts = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head("POST", INFER, "Transfer-Encoding: chunked") + parts + end


def framing(good):
    """good: the body of a right request."""
    whole = post(INFER, good)
    live = head("GET", "/v2/health/live")
    length = f"Content-Length: {len(good)}"
    return [
        ("the body ends early", (400, CLOSED), [head("POST", INFER, "Content-Length: 5000") + good[:99], HALF_CLOSE]),
        ("the header ends early", (400, CLOSED), [b"POST /v2 HTTP/1.1\r\nHost: a\r\nConte", HALF_CLOSE]),
        ("nothing is sent", (CLOSED,), [HALF_CLOSE]),
        ("a body shorter than Content-Length: the rest is a request", [(200,), (400,)], [whole + b"rubbish\r\n\r\n"]),
        ("Content-Length is negative", (400,), [head("POST", INFER, "Content-Length: -1")]),
        ("Content-Length is no number", (400,), [head("POST", INFER, "Content-Length: many")]),
        ("Content-Length has a sign", (400,), [head("POST", INFER, f"Content-Length: +{len(good)}") + good]),
        ("Content-Length is beyond 64 bits", (400, 413), [head("POST", INFER, "Content-Length: 99999999999999999999")]),
        (
            "Content-Length is the highest of 64 bits",
            (400, 413),
            [head("POST", INFER, "Content-Length: 18446744073709551615")],
        ),
        ("Content-Length is above the limit", (413,), [head("POST", INFER, f"Content-Length: {MAX_BODY + 1}")]),
        ("two Content-Lengths that differ", (400,), [head("POST", INFER, length, "Content-Length: 5") + good]),
        (
            "Content-Length and chunked",
            (400,),
            [head("POST", INFER, length, "Transfer-Encoding: chunked") + b"0\r\n\r\n"],
        ),
        (
            "chunked and Content-Length",
            (400,),
            [head("POST", INFER, "Transfer-Encoding: chunked", "Content-Length: 4") + b"0\r\n\r\n"],
        ),
        (
            "an unknown Transfer-Encoding",
            (400, 501),
            [head("POST", INFER, "Transfer-Encoding: xchunked") + good, HALF_CLOSE],
        ),
        (
            "chunked is not the last encoding",
            (400, 501),
            [head("POST", INFER, "Transfer-Encoding: chunked, gzip") + good, HALF_CLOSE],
        ),
        (
            "a chunk's length is no number",
            (400,),
            [head("POST", INFER, "Transfer-Encoding: chunked") + b"zz\r\nabc\r\n0\r\n\r\n"],
        ),
        (
            "a chunk's length is beyond 64 bits",
            (400, 413),
            [head("POST", INFER, "Transfer-Encoding: chunked") + b"fffffffffffffffff\r\nabc"],
        ),
        (
            "a chunk's length is negative",
            (400,),
            [head("POST", INFER, "Transfer-Encoding: chunked") + b"-5\r\nabc\r\n0\r\n\r\n"],
        ),
        (
            "a chunk is longer than it says",
            (400,),
            [head("POST", INFER, "Transfer-Encoding: chunked") + b"2\r\nabcdef\r\n0\r\n\r\n"],
        ),
        ("chunks end early", (400, CLOSED), [chunked(good[:50], end=b""), HALF_CLOSE]),
        ("chunks above the limit", (413,), [chunked(*[b" " * 65536] * 17)]),
        (
            "a chunk extension without an end",
            (400, 413, 431),
            [head("POST", INFER, "Transfer-Encoding: chunked") + b"5;" + b"a" * (2 * MAX_BODY)],
        ),
        (
            "trailers without an end",
            (400, 413, 431),
            [chunked(b"{}", end=b"0\r\n" + b"X: abcdefgh\r\n" * (MAX_BODY // 5))],
        ),
        ("a body in good chunks", (200,), [chunked(good[:7], good[7:8], good[8:])]),
        ("a header without a colon", (400,), [head("GET", "/v2", "nonsense")]),
        ("a blank before the colon", (400,), [head("POST", INFER, f"Content-Length : {len(good)}") + good]),
        ("a NUL byte in a header", (400,), [head("GET", "/v2", "X: a\0b")]),
        ("a carriage return in a header", (400,), [head("GET", "/v2", "X: a\rb")]),
        ("a header of 20 KB", (431,), [head("GET", "/v2", "X: " + "a" * 20000)]),
        ("5,000 headers", (431,), [head("GET", "/v2", *["X: a"] * 5000)]),
        ("a path of 20 KB", (414, 431), [head("GET", "/" + "a" * 20000)]),
        ("HTTP/0.9", (400, CLOSED), [b"GET /v2\r\n\r\n", HALF_CLOSE]),
        ("HTTP/3.7", (400, 505), [b"GET /v2 HTTP/3.7\r\nHost: a\r\n\r\n"]),
        ("no such protocol", (400, 505), [b"GET /v2 SMTP/1.1\r\n\r\n"]),
        ("HTTP/2 without an upgrade", (400, 505, CLOSED), [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)]),
        ("a TLS hello", (400, CLOSED), [bytes.fromhex("16030100c8010000c40303") + bytes(200)]),
        ("random bytes", (400, CLOSED), [bytes(range(255, 0, -1)) * 8]),
        ("bare line feeds", (400, 505, CLOSED), [b"GET /v2 HTTP/1.1\nHost: a\n\n", HALF_CLOSE]),
        ("HTTP/1.0", (200,), [b"GET /v2/health/live HTTP/1.0\r\n\r\n"]),
        ("100-continue", [(100,), (200,)], [head("POST", INFER, length, "Expect: 100-continue"), 0.05, good]),
        (
            "100-continue above the limit",
            (413,),
            [head("POST", INFER, f"Content-Length: {MAX_BODY * 9}", "Expect: 100-continue")],
        ),
        (
            "an upgrade to HTTP/2",
            (200,),
            [head("GET", "/v2/health/live", "Connection: Upgrade", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")],
        ),
        ("an upgrade to a web socket", (200, 400), [head("GET", "/v2", "Connection: Upgrade", "Upgrade: websocket")]),
        ("20 requests at once", [(200,)] * 20, [whole * 20]),
        (
            "a wrong one among good ones",
            [(200,), (400,), (404,), (200,)],
            [whole + post(INFER, b"{") + head("GET", "/x") + whole],
        ),
        ("the sending ends behind the request", (200,), [whole, HALF_CLOSE]),
        ("a request byte by byte", (200,), [part for byte in live for part in (bytes([byte]), 0.001)]),
        ("the client closes", [(200,)], [head("GET", "/v2/health/live", "Connection: close") + live]),
    ]


def paths():
    cases = [
        ("an unknown path", (404,), "GET", "/v2/model"),
        ("a double slash", (404,), "GET", "//v2"),
        ("a path out of the folder", (400, 404), "GET", "/v2/models/../../../etc/passwd"),
        ("an encoded one", (400, 404), "GET", "/v2/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd"),
        ("a model named ..", (400, 404), "POST", "/v2/models/../infer"),
        ("an encoded NUL", (400, 404), "GET", "/v2/models/a%00b"),
        ("a broken escape", (400, 404), "GET", "/v2/models/%zz"),
        ("the root", (404,), "GET", "/"),
        ("a path of nothing but slashes", (404,), "GET", "/" * 500),
        ("a relative path", (400, 404), "GET", "v2"),
        ("another host's address", (200, 400, 404), "GET", "http://example.org/v2/health/live"),
        ("an unknown model", (404,), "POST", "/v2/models/nobody/infer"),
        ("no model", (404,), "POST", "/v2/models//infer"),
        ("a model's name of 5 KB", (404,), "POST", f"/v2/models/{'a' * 5000}/infer"),
        ("an unknown version", (404,), "POST", "/v2/models/funnel/versions/2/infer"),
        ("version 0", (404,), "POST", "/v2/models/funnel/versions/0/infer"),
        ("a negative version", (400, 404), "POST", "/v2/models/funnel/versions/-1/infer"),
        ("version 01", (400, 404), "POST", "/v2/models/funnel/versions/01/infer"),
        ("a version of letters", (400, 404), "POST", "/v2/models/funnel/versions/one/infer"),
        ("a version beyond 64 bits", (400, 404), "POST", "/v2/models/funnel/versions/18446744073709551617/infer"),
        ("GET of infer", (405,), "GET", INFER),
        ("PUT of infer", (405,), "PUT", INFER),
        ("DELETE", (405,), "DELETE", "/v2/models/funnel"),
        ("POST to a page", (405,), "POST", "/v2/health/live"),
        ("GET of predict", (405,), "GET", PREDICT),
        ("PATCH", (405,), "PATCH", "/v2"),
        ("TRACE", (400, 405), "TRACE", "/v2"),
        ("OPTIONS *", (400, 404, 405), "OPTIONS", "*"),
        ("CONNECT", (400, 404, 405), "CONNECT", "example.org:443"),
        ("an unknown method", (400, 405), "BREW", "/v2"),
        ("a method in small letters", (400, 405), "get", "/v2"),
        ("another verb of TensorFlow's", (404, 405), "POST", "/v1/models/funnel:regress"),
        ("no verb", (404, 405), "POST", "/v1/models/funnel"),
        ("HEAD", (200,), "HEAD", "/v2/health/live"),
        ("HEAD of what is not there", (404,), "HEAD", "/v2/none"),
        ("load, admin off", (403,), "POST", "/v2/repository/models/funnel/load"),
        ("unload, admin off", (403,), "POST", "/v2/repository/models/funnel/unload"),
    ]
    return [
        (
            name,
            statuses,
            [
                (
                    head(method, path, "Content-Length: 2") + b"{}"
                    if method in ("POST", "PUT", "PATCH")
                    else head(method, path)
                )
            ],
        )
        for name, statuses, method, path in cases
    ] + [
        ("bytes that are no text in the path", (400, 404), [b"GET /v2/models/\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n"]),
        ("a NUL byte in the path", (400,), [b"GET /v2\0 HTTP/1.1\r\nHost: a\r\n\r\n"]),
        ("a blank in the path", (400, 404, 505), [b"GET /v2/models/a b HTTP/1.1\r\nHost: a\r\n\r\n"]),
    ]
