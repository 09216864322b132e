# SPDX-License-Identifier: Apache-2.0
"""TLS and bearer tokens, over HTTP and gRPC, with a certificate that openssl makes on the spot.

    python3 tests/serve/tls_token_test.py --program build/release/manygate

Exit code 77, with the reason, where the program has no server, openssl or a Python package is missing.
"""

import http.client
import shutil
import socket
import ssl
import subprocess

import serving
from serving import check

MODEL, TOKEN = "funnel", "not-a-secret-123"


def certificate(folder, name):
    """(certificate, key), PEM, signed by itself, of localhost."""
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-out",
            paths[0],
            "-keyout",
            paths[1],
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return paths


def token_over_http(server, rows, where):
    """With the right token, a wrong one, and none."""
    infer = f"/v2/models/{MODEL}/infer"
    status, _, _ = server.ask("POST", infer, rows.request())
    check(status == 200, f"{where}: the right token: 200")
    for headers in (
        {"Authorization": None},
        {"Authorization": ""},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Bearer {TOKEN[:-1]}"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
    ):
        for method, path in (
            ("POST", infer),
            ("GET", "/v2"),
            ("GET", "/metrics"),
            ("GET", f"/v1/models/{MODEL}"),
            ("POST", "/v2/repository/index"),
            ("GET", "/nowhere"),
        ):
            status, answer, _ = server.ask(method, path, b"{}" if method == "POST" else None, headers)
            if status != 401 or "Bearer" not in (answer["WWW-Authenticate"] or ""):
                check(False, f"{where}: {method} {path} with {headers}: {status}, expected 401 with WWW-Authenticate")
    check(True, f"{where}: wrong tokens: 401 for every path")
    for path in ("/v2/health/live", "/v2/health/ready"):
        check(server.ask("GET", path, headers={"Authorization": None})[0] == 200, f"{where}: {path} needs no token")


def token_over_grpc(channel, rows, where, token):
    """The right answer with the token; where there is one, UNAUTHENTICATED without it."""
    import grpc
    import numpy
    from tritonclient.grpc import service_pb2, service_pb2_grpc

    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
    request = service_pb2.ModelInferRequest(model_name=MODEL)
    for name, values in rows.columns.items():
        tensor = request.inputs.add(name=name, datatype="BYTES", shape=[rows.count])
        tensor.contents.bytes_contents.extend(value.encode() for value in values)
    answer = stub.ModelInfer(request, timeout=10, metadata=serving.bearer(token) if token else [])
    check(
        rows.same(MODEL, answer.outputs[0].name, numpy.frombuffer(answer.raw_output_contents[0], numpy.float32)),
        f"{where}: as predict",
    )
    if not token:
        return
    check(stub.ServerLive(service_pb2.ServerLiveRequest(), timeout=10).live, f"{where}: ServerLive needs no token")
    calls = (
        (stub.ModelInfer, request),
        (stub.ServerMetadata, service_pb2.ServerMetadataRequest()),
        (stub.ModelMetadata, service_pb2.ModelMetadataRequest(name=MODEL)),
    )
    for call, asked in calls:
        for metadata in ([], serving.bearer(""), serving.bearer(token + "x"), [("authorization", token)]):
            try:
                call(asked, timeout=10, metadata=metadata)
                code = grpc.StatusCode.OK
            except grpc.RpcError as problem:
                code = problem.code()
            if code != grpc.StatusCode.UNAUTHENTICATED:
                check(False, f"{where}: {type(asked).__name__} with {metadata}: {code}, expected UNAUTHENTICATED")
    check(True, f"{where}: wrong tokens: UNAUTHENTICATED")


def not_tls(server):
    """Clients that speak no TLS, too old a TLS, or trust somebody else."""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=10) as plain:
        plain.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = plain.recv(4096)
        check(not answer.startswith(b"HTTP/1.1 200"), "a plain request at the TLS port gets no answer")
    command = [
        "openssl",
        "s_client",
        "-connect",
        f"127.0.0.1:{server.http_port}",
        "-tls1_1",
        "-cipher",
        "ALL@SECLEVEL=0",
    ]
    said = subprocess.run(command, input="", capture_output=True, text=True, timeout=20)
    check(said.returncode != 0 and "alert protocol version" in said.stderr, "TLS 1.1: an alert about the version")
    try:
        connection = http.client.HTTPSConnection("localhost", server.http_port, timeout=10)
        connection.request("GET", "/v2/health/live")
        check(False, "a client that does not trust the certificate goes on")
    except ssl.SSLCertVerificationError as problem:
        check(True, f"a client that does not trust the certificate: {problem.verify_message}")
    held = [socket.create_connection(("127.0.0.1", server.http_port)) for _ in range(50)]
    for i, silent in enumerate(held):
        silent.sendall(bytes.fromhex("1603010200010001fc0303")[: i % 12] + bytes(i // 2))
    check(server.ask("GET", "/v2/health/live")[0] == 200, "the server answers who speaks TLS beside 50 who do not")
    for silent in held:
        silent.close()


def wrong_files(program, model, folder, pair):
    """What cannot be served with is said at the start, with exit code 2."""
    other = certificate(folder, "other")
    empty = folder / "empty.token"
    empty.write_text("\n")
    for flags, text in (
        (("--tls_certificate", pair[0]), "tls_key"),
        (("--tls_certificate", pair[0], "--tls_key", other[1]), "key"),
        (("--tls_certificate", folder / "none.crt", "--tls_key", pair[1]), "none.crt"),
        (("--tls_certificate", pair[1], "--tls_key", pair[1]), pair[1].name),
        (("--token_file", folder / "none.token"), "none.token"),
        (("--token_file", empty), "empty.token"),
    ):
        said = serving.run([program, "serve", model, "--http_port", 0, "--grpc_port", 0, *flags], folder, code=2)[1]
        check(text in said, said.strip())


def main():
    program, folder = serving.start(__doc__, "numpy", "grpc", "tritonclient.grpc")
    if not shutil.which("openssl"):
        serving.skip("no openssl here")
    import grpc

    pair = certificate(folder, "server")
    token_file = folder / "token"
    token_file.write_text(TOKEN + "\n")
    model = serving.train(program, folder / MODEL, rows=500)
    rows = serving.Rows(program, folder, {MODEL: model}, count=8)
    wrong_files(program, model, folder, pair)
    with serving.Server(program, model, "--token_file", token_file, token=TOKEN) as server:
        token_over_http(server, rows, "HTTP")
        with grpc.insecure_channel(server.grpc) as channel:
            token_over_grpc(channel, rows, "gRPC", TOKEN)
        check(TOKEN not in server.text(), "the token is not in the log")
    tls = "--tls_certificate", pair[0], "--tls_key", pair[1]
    trust = grpc.ssl_channel_credentials(pair[0].read_bytes())
    with serving.Server(program, model, *tls, certificate=pair[0]) as server:
        check(server.ask("POST", f"/v2/models/{MODEL}/infer", rows.request())[0] == 200, "HTTPS without a token: 200")
        with grpc.secure_channel(f"localhost:{server.grpc_port}", trust) as channel:
            token_over_grpc(channel, rows, "gRPC with TLS", None)
        not_tls(server)
    with serving.Server(program, model, *tls, "--token_file", token_file, token=TOKEN, certificate=pair[0]) as server:
        token_over_http(server, rows, "HTTPS")
        with grpc.secure_channel(f"localhost:{server.grpc_port}", trust) as channel:
            token_over_grpc(channel, rows, "gRPC with TLS", TOKEN)


if __name__ == "__main__":
    main()
