# SPDX-License-Identifier: Apache-2.0
"""Real clients get the numbers of `manygate predict`, bit for bit, from a running server.

    python3 tests/serve/clients_test.py --program build/release/manygate

tritonclient over HTTP (JSON and binary tensors, in and out) and gRPC (raw and typed contents), TensorFlow Serving's
requests by rows and by columns, and plain HTTP. Then metadata, readiness, errors, admin calls, the request log, and
whether /metrics counted what was asked. The KServe client has a test of its own: it registers the same protocol
buffers as tritonclient.

Exit code 77, with the reason, where the program has no server or a Python package is missing.
"""

import json
import shutil
import socket
import struct

import serving
import triton_clients
from serving import check
from triton_clients import ENSEMBLE, MODEL


def tensorflow(server, rows):
    """TensorFlow Serving's requests, as requests sends them."""
    import requests

    base = f"http://{server.http}/v1/models/{MODEL}"
    by_row = [dict(zip(rows.names, values)) for values in zip(*rows.columns.values())]
    for path in (":predict", "/versions/1:predict"):
        answer = requests.post(base + path, json={"signature_name": "serving_default", "instances": by_row}, timeout=10)
        got = answer.json()["predictions"]
        check(
            answer.status_code == 200
            and len(got) == rows.count
            and all(rows.same(MODEL, name, [row[name] for row in got]) for name in got[0])
            and "probs_click" in got[0],
            f"TensorFlow Serving's rows, {path}: as predict",
        )
        answer = requests.post(base + path, json={"inputs": rows.columns}, timeout=10)
        got = answer.json()["outputs"]
        check(
            answer.status_code == 200
            and all(rows.same(MODEL, name, got[name]) for name in got)
            and "probs_device" in got,
            f"TensorFlow Serving's columns, {path}: as predict",
        )
    numbers = {**by_row[0], "price": 12.5, "age": 40, "hour": 7, "user_id": None}
    texts = {**by_row[0], "price": "12.5", "age": "40", "hour": "7", "user_id": ""}
    answer = requests.post(base + ":predict", json={"instances": [numbers, texts]}, timeout=10).json()["predictions"]
    check(answer[0] == answer[1], 'numbers and null say what their texts and "" say')
    status = requests.get(base, timeout=10).json()["model_version_status"]
    check(
        [(one["version"], one["state"]) for one in status] == [("1", "AVAILABLE")], "TensorFlow Serving's status page"
    )
    for body, text in (
        ({"instances": []}, ""),
        ({"rows": by_row}, "instances"),
        ({"instances": [{"prize": 1}]}, "prize"),
    ):
        answer = requests.post(base + ":predict", json=body, timeout=10)
        check(answer.status_code == 400 and text in answer.json()["error"], f"400: {answer.json()['error']}")
    answer = requests.post(f"http://{server.http}/v1/models/nobody:predict", json={"instances": by_row}, timeout=10)
    check(answer.status_code == 404 and "nobody" in answer.json()["error"], f"404: {answer.json()['error']}")


def metadata(server, rows, outputs):
    """Describes the server and the model; returns the names of the inputs that are FP32."""
    status, about = server.json("GET", "/v2")
    check(
        status == 200 and about["name"] == "manygate" and "binary_tensor_data" in about["extensions"], f"/v2: {about}"
    )
    status, about = server.json("GET", f"/v2/models/{MODEL}")
    check(
        status == 200 and about["name"] == MODEL and about["versions"] == ["1"] and about["platform"],
        "the model is described",
    )
    check(
        [tensor["name"] for tensor in about["inputs"]] == rows.names
        and {tensor["datatype"] for tensor in about["inputs"]} == {"BYTES", "FP32"}
        and all(tensor["shape"] == [-1] for tensor in about["inputs"]),
        "its inputs are the columns of the data",
    )
    check(
        [tensor["name"] for tensor in about["outputs"]] == outputs
        and [tensor["shape"] for tensor in about["outputs"] if tensor["name"] == "probs_device"] == [[-1, 4]],
        "its outputs are those of predict",
    )
    check(
        server.json("GET", f"/v2/models/{MODEL}/versions/1") == (status, about), "a version is described as its model"
    )
    for path in (
        "/v2/health/live",
        "/v2/health/ready",
        f"/v2/models/{MODEL}/ready",
        f"/v2/models/{MODEL}/versions/1/ready",
    ):
        check(server.ask("GET", path)[0] == 200, f"{path}: 200")
    check(server.ask("GET", "/v2/models/nobody/ready")[0] == 404, "an unknown model is not ready: 404")
    status, answer = server.json("GET", "/v2/models/funel")
    check(status == 404 and MODEL in answer["error"], f"404: {answer['error']}")
    return [tensor["name"] for tensor in about["inputs"] if tensor["datatype"] == "FP32"]


def plain_http(server, rows):
    status, _, one = server.ask(
        "POST", f"/v2/models/{MODEL}/infer", rows.request(outputs=["probs_click", "logits_device"], id='a"b')
    )
    got = json.loads(one)
    values = {output["name"]: output["data"] for output in got["outputs"]}
    check(
        status == 200
        and got["id"] == 'a"b'
        and list(values) == ["probs_click", "logits_device"]
        and all(rows.same(MODEL, name, values[name]) for name in values),
        "plain JSON with chosen outputs: as predict",
    )
    alone = [
        json.loads(server.ask("POST", f"/v2/models/{MODEL}/infer", rows.request(slice(i, i + 1)))[2])
        for i in range(rows.count)
    ]
    check(
        all(
            rows.same(MODEL, output["name"], output["data"], slice(i, i + 1))
            for i, answer in enumerate(alone)
            for output in answer["outputs"]
        ),
        "each row alone: the same bits",
    )
    header = json.dumps(
        {
            "inputs": [
                {
                    "name": name,
                    "shape": [1],
                    "datatype": "BYTES",
                    "parameters": {"binary_data_size": len(values[0].encode()) + 4},
                }
                for name, values in rows.columns.items()
            ],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    raw = b"".join(struct.pack("<I", len(values[0].encode())) + values[0].encode() for values in rows.columns.values())
    status, headers, body = server.ask(
        "POST", f"/v2/models/{MODEL}/infer", header + raw, {"Inference-Header-Content-Length": str(len(header))}
    )
    length = int(headers["Inference-Header-Content-Length"])
    first = json.loads(body[:length])["outputs"][0]
    check(
        status == 200 and rows.same(MODEL, first["name"], [struct.unpack_from("<f", body, length)[0]], slice(0, 1)),
        "binary tensors by hand: as predict",
    )


def admin(program, model, rows):
    with serving.Server(program, model) as server:
        for path in (f"/v2/repository/models/{MODEL}/load", f"/v2/repository/models/{MODEL}/unload"):
            check(server.ask("POST", path, b"{}")[0] == 403, f"{path}: 403 without --admin")
    with serving.Server(program, model, "--admin") as server:
        status, index = server.json("POST", "/v2/repository/index", {})
        check(
            status == 200 and [(one["name"], one["version"], one["state"]) for one in index] == [(MODEL, "1", "READY")],
            f"index: {index}",
        )
        check(server.ask("POST", f"/v2/repository/models/{MODEL}/unload", b"{}")[0] == 200, "unload: 200")
        status, _, text = server.ask("POST", f"/v2/models/{MODEL}/infer", rows.request())
        check(status in (404, 503), f"an unloaded model is not found: {status} {text.decode()}")
        check(server.ask("POST", f"/v2/repository/models/{MODEL}/load", b"{}")[0] == 200, "load: 200")
        check(
            server.ask("POST", f"/v2/models/{MODEL}/infer", rows.request())[0] == 200,
            "a model that was loaded again answers",
        )
        check(server.ask("POST", "/v2/repository/models/nobody/load", b"{}")[0] == 404, "load of an unknown model: 404")


def metrics(server, rows, log_file):
    """What the counters say must be what was asked since they were read before."""
    before = server.metrics()
    for _ in range(3):
        check(
            server.ask("POST", f"/v2/models/{MODEL}/infer", rows.request(id="counted"))[0] == 200,
            "a request to be counted",
        )
    check(server.ask("POST", f"/v2/models/{MODEL}/infer", b"{}")[0] == 400, "a bad one to be counted")
    after = server.metrics()

    def grown(name, **labels):
        return serving.sum_of(after, name, **labels) - serving.sum_of(before, name, **labels)

    labels = {"protocol": "http", "model": MODEL, "version": "1"}
    check(grown("manygate_requests_total", code="200", **labels) == 3, "3 requests with 200 were counted")
    check(grown("manygate_requests_total", code="400") == 1, "1 request with 400 was counted")
    check(grown("manygate_request_rows_total", **labels) == 3 * rows.count, "their rows were counted")
    check(grown("manygate_request_duration_seconds_count", **labels) >= 3, "their times were counted")
    check(
        grown("manygate_batch_rows_total") == 3 * rows.count and 1 <= grown("manygate_batches_total") <= 3,
        "and their batches",
    )
    check(serving.sum_of(after, "manygate_queue_rows") == 0, "nobody waits")
    check(serving.sum_of(after, "manygate_model_version_ready", model=ENSEMBLE) == 1, "the ensemble is ready")
    check(
        serving.sum_of(after, "manygate_requests_total", protocol="grpc", code="200") >= 4,
        "gRPC's requests were counted",
    )
    lines = [json.loads(line) for line in open(log_file, encoding="utf-8")]
    check(
        sum(line.get("id") == "counted" for line in lines) == 3
        and len(lines) == sum(value for (name, _), value in after.items() if name == "manygate_requests_total"),
        f"the request log holds all {len(lines)} requests",
    )


def versions(program, models, rows, repository):
    """Two versions of one model, whichever of them the policy asks for."""
    (repository / MODEL).mkdir(parents=True)
    for number, name in ((2, MODEL), (10, ENSEMBLE)):
        shutil.copytree(models[name], repository / MODEL / str(number))
    infer = f"/v2/models/{MODEL}{{}}/infer"
    for policy, served in (("all", {2: MODEL, 10: ENSEMBLE}), ("latest", {10: ENSEMBLE}), ("2", {2: MODEL})):
        with serving.Server(program, repository, "--versions", policy) as server:
            for number in (2, 10):
                status, _, text = server.ask("POST", infer.format(f"/versions/{number}"), rows.request())
                if number not in served:
                    check(
                        status == 404 and str(*served) in json.loads(text)["error"], f"--versions {policy}: no {number}"
                    )
                    continue
                answer = json.loads(text)
                check(
                    answer["model_version"] == str(number)
                    and all(rows.same(served[number], one["name"], one["data"]) for one in answer["outputs"]),
                    f"--versions {policy}: version {number} is itself",
                )
            answer = json.loads(server.ask("POST", infer.format(""), rows.request())[2])
            check(
                answer["model_version"] == str(max(served)), f"--versions {policy}: the highest answers who names none"
            )


def wrong_starts(program, folder, model):
    """What cannot be served is said at the start, with exit code 2."""
    empty, broken = folder / "empty", folder / "broken"
    empty.mkdir()
    shutil.copytree(model, broken)
    (broken / "schema.pbtxt").unlink()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for what, flags, text in (
            (folder / "none", (), "none"),
            (empty, (), "empty"),
            (broken, (), "schema.pbtxt"),
            (model, ("--http_port", port, "--grpc_port", 0), str(port)),
            (model, ("--http_port", 0, "--grpc_port", port), str(port)),
            (model, ("--address", "192.0.2.1"), "192.0.2.1"),
            (model, ("--versions", "newest"), "newest"),
            (model, ("--log_share", 2), "--log_share"),
            (model, ("--log_file", empty, "--log_share", 1), "empty"),
        ):
            ports = () if "--http_port" in flags else ("--http_port", 0, "--grpc_port", 0)
            said = serving.run([program, "serve", what, *ports, *flags], folder, code=2)[1]
            check(text in said, said.strip().replace("\n", " "))


def main():
    program, folder = serving.start(
        __doc__, "numpy", "requests", "prometheus_client", "tritonclient.http", "tritonclient.grpc"
    )
    triton_clients.same_protocol()
    repository = folder / "repository"
    (repository / MODEL).mkdir(parents=True)
    (repository / ENSEMBLE).mkdir()
    models = {
        MODEL: serving.train(program, repository / MODEL / "1"),
        ENSEMBLE: serving.train(program, repository / ENSEMBLE / "1", "--set", "ensemble.members=2", seed=7),
    }
    rows = serving.Rows(program, folder, models)
    outputs = [
        "probs_click",
        "logits_click",
        "probs_purchase",
        "logits_purchase",
        "y_amount",
        "logits_amount",
        "probs_device",
        "logits_device",
    ]
    log_file = folder / "requests.jsonl"
    with serving.Server(program, repository, "--log_share", 1, "--log_file", log_file) as server:
        numbers = metadata(server, rows, outputs)
        plain_http(server, rows)
        triton_clients.triton_http(server, rows, numbers, outputs)
        triton_clients.triton_grpc(server, rows, numbers, outputs)
        triton_clients.triton_errors(server, rows, numbers)
        tensorflow(server, rows)
        metrics(server, rows, log_file)
    versions(program, models, rows, folder / "versions")
    wrong_starts(program, folder, models[MODEL])
    single = folder / MODEL
    (repository / MODEL / "1").rename(single)
    admin(program, single, rows)


if __name__ == "__main__":
    main()
