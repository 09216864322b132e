# SPDX-License-Identifier: Apache-2.0
"""KServe's Python client gets the numbers of `manygate predict`, bit for bit, from a running server.

    python3 tests/serve/kserve_test.py --program build/release/manygate

InferenceRESTClient with JSON, with binary tensors, and with the older protocol (:predict); InferenceGRPCClient.

Exit code 77, with the reason, where the program has no server or the package is missing.
"""

import asyncio

import serving
from serving import check

MODEL = "funnel"


async def rest(server, rows):
    import numpy
    from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

    base = f"http://{server.http}"
    async with InferenceRESTClient(RESTConfig(protocol="v2", retries=0)) as client:
        check(
            await client.is_server_live(base)
            and await client.is_server_ready(base)
            and await client.is_model_ready(base, MODEL),
            "KServe REST: live and ready",
        )
        for binary in (False, True):
            inputs = []
            for name, values in rows.columns.items():
                inputs.append(InferInput(name, [rows.count], "BYTES"))
                inputs[-1].set_data_from_numpy(numpy.array(values, dtype=object), binary_data=binary)
            request = InferRequest(
                model_name=MODEL, infer_inputs=inputs, request_id="nine", parameters={"binary_data_output": binary}
            )
            answer = await client.infer(base, request, model_name=MODEL)
            check(
                answer.id == "nine"
                and answer.model_name == MODEL
                and answer.outputs
                and all(rows.same(MODEL, output.name, output.as_numpy()) for output in answer.outputs),
                f"KServe REST, binary {binary}: as predict",
            )
    async with InferenceRESTClient(RESTConfig(protocol="v1", retries=0)) as client:
        instances = [dict(zip(rows.names, values)) for values in zip(*rows.columns.values())]
        answer = await client.infer(base, {"instances": instances}, model_name=MODEL)
        check(
            all(
                rows.same(MODEL, name, [row[name] for row in answer["predictions"]])
                for name in ("probs_click", "probs_device", "y_amount")
            ),
            "KServe REST, protocol v1: as predict",
        )


async def grpc(server, rows):
    import numpy
    from kserve import InferenceGRPCClient, InferInput, InferRequest

    async with InferenceGRPCClient(server.grpc) as client:
        check(
            await client.is_server_live() and await client.is_server_ready() and await client.is_model_ready(MODEL),
            "KServe gRPC: live and ready",
        )
        inputs = []
        for name, values in rows.columns.items():
            inputs.append(InferInput(name, [rows.count], "BYTES"))
            inputs[-1].set_data_from_numpy(numpy.array([value.encode() for value in values], dtype=object))
        answer = await client.infer(InferRequest(model_name=MODEL, infer_inputs=inputs))
        check(
            answer.outputs and all(rows.same(MODEL, output.name, output.as_numpy()) for output in answer.outputs),
            "KServe gRPC: as predict",
        )


def main():
    program, folder = serving.start(__doc__, "numpy", "kserve")
    model = serving.train(program, folder / MODEL)
    rows = serving.Rows(program, folder, {MODEL: model})
    with serving.Server(program, model) as server:
        asyncio.run(rest(server, rows))
        asyncio.run(grpc(server, rows))


if __name__ == "__main__":
    main()
