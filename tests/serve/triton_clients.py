# SPDX-License-Identifier: Apache-2.0
"""What tests/serve/clients_test.py asks by tritonclient."""

import subprocess
import tempfile

import serving
from serving import check

MODEL, ENSEMBLE = "funnel", "funnel.ensemble-2"


def tensors(kind, rows, as_numbers, **how):
    """All inputs for tritonclient.http or .grpc; as_numbers: those that are described as FP32 are sent so."""
    import numpy

    made = []
    for name, values in rows.columns.items():
        if name in as_numbers:
            array = numpy.array([numpy.float32(value or "nan") for value in values], numpy.float32)
        else:
            array = numpy.array([value.encode() for value in values], dtype=object)
        tensor = kind.InferInput(name, [len(values)], "FP32" if name in as_numbers else "BYTES")
        tensor.set_data_from_numpy(array, **how)
        made.append(tensor)
    return made


def text_tensors(client, rows):
    """As JSON, which has no way to say NaN and wants texts that are str."""
    import numpy

    made = []
    for name, values in rows.columns.items():
        made.append(client.InferInput(name, [len(values)], "BYTES"))
        made[-1].set_data_from_numpy(numpy.array(values, dtype=object), binary_data=False)
    return made


def triton_http(server, rows, numbers, outputs):
    import tritonclient.http as client

    with client.InferenceServerClient(server.http) as asked:
        check(
            asked.is_server_live()
            and asked.is_server_ready()
            and asked.is_model_ready(MODEL)
            and asked.is_model_ready(MODEL, "1"),
            "tritonclient HTTP: live and ready",
        )
        for binary_in in (True, False):
            inputs = tensors(client, rows, numbers, binary_data=True) if binary_in else text_tensors(client, rows)
            for binary_out in (True, False):
                wanted = [client.InferRequestedOutput(name, binary_data=binary_out) for name in outputs]
                for model in (MODEL, ENSEMBLE):
                    answer = asked.infer(model, inputs, outputs=wanted, request_id="seven")
                    got = answer.get_response()
                    check(
                        got["model_name"] == model
                        and got["model_version"] == "1"
                        and got["id"] == "seven"
                        and [output["name"] for output in got["outputs"]] == outputs
                        and all(rows.same(model, name, answer.as_numpy(name)) for name in outputs),
                        f"tritonclient HTTP, {model}: binary in {binary_in}, binary out {binary_out}: as predict",
                    )
            default = asked.infer(MODEL, inputs)
            names = [output["name"] for output in default.get_response()["outputs"]]
            check(
                names == [name for name in outputs if not name.startswith("logits")]
                and all(rows.same(MODEL, name, default.as_numpy(name)) for name in names),
                f"tritonclient HTTP: binary in {binary_in}: without a choice all outputs but logits",
            )
        check(
            default.as_numpy("probs_device").shape == (rows.count, 4), "tritonclient HTTP: classes are [rows, classes]"
        )


def typed_tensors(service, rows, numbers):
    """Values in the fields of InferTensorContents, whole numbers of `hour` as INT32."""
    made = []
    for name, values in rows.columns.items():
        tensor = service.ModelInferRequest.InferInputTensor(name=name, shape=[len(values), 1])
        if name in numbers:
            tensor.datatype = "FP32"
            tensor.contents.fp32_contents.extend(float(value or "nan") for value in values)
        else:
            tensor.datatype = "BYTES"
            tensor.contents.bytes_contents.extend(value.encode() for value in values)
        made.append(tensor)
    return made


def triton_grpc(server, rows, numbers, outputs):
    import grpc
    import numpy
    import tritonclient.grpc as client
    from tritonclient.grpc import service_pb2, service_pb2_grpc

    with client.InferenceServerClient(server.grpc) as asked:
        check(
            asked.is_server_live() and asked.is_server_ready() and asked.is_model_ready(MODEL),
            "tritonclient gRPC: live and ready",
        )
        check(not asked.is_model_ready("nobody"), "tritonclient gRPC: an unknown model is not ready")
        inputs = tensors(client, rows, numbers)
        wanted = [client.InferRequestedOutput(name) for name in outputs]
        for model in (MODEL, ENSEMBLE):
            answer = asked.infer(model, inputs, outputs=wanted, request_id="acht")
            check(
                answer.get_response().id == "acht"
                and answer.get_response().model_version == "1"
                and all(rows.same(model, name, answer.as_numpy(name)) for name in outputs),
                f"tritonclient gRPC, {model}: raw contents: as predict",
            )
        default = asked.infer(MODEL, inputs)
        names = [output.name for output in default.get_response().outputs]
        check(
            names == [name for name in outputs if not name.startswith("logits")]
            and all(rows.same(MODEL, name, default.as_numpy(name)) for name in names),
            "tritonclient gRPC: without a choice all outputs but logits",
        )
        described = asked.get_model_metadata(MODEL)
        check(
            [tensor.name for tensor in described.inputs if tensor.datatype == "FP32"] == list(numbers),
            "tritonclient gRPC: metadata as over HTTP",
        )
    with grpc.insecure_channel(server.grpc) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        request = service_pb2.ModelInferRequest(model_name=MODEL, inputs=typed_tensors(service_pb2, rows, numbers))
        answer = stub.ModelInfer(request, timeout=10)
        values = {
            output.name: numpy.frombuffer(raw, numpy.float32)
            for output, raw in zip(answer.outputs, answer.raw_output_contents)
        }
        check(
            values and all(rows.same(MODEL, name, values[name]) for name in values),
            "gRPC with typed contents: as predict",
        )


def triton_errors(server, rows, numbers):
    import grpc
    import tritonclient.grpc
    import tritonclient.http
    from tritonclient.utils import InferenceServerException

    for kind, address, not_found, invalid in (
        (tritonclient.http, server.http, "404", "400"),
        (tritonclient.grpc, server.grpc, "StatusCode.NOT_FOUND", "StatusCode.INVALID_ARGUMENT"),
    ):
        inputs = tensors(kind, rows, numbers)
        with kind.InferenceServerClient(address) as asked:

            def refused(status, text, *arguments):
                try:
                    asked.infer(*arguments)
                except InferenceServerException as problem:
                    check(
                        problem.status() == status and text in problem.message(),
                        f"{kind.__name__}: {status}: {problem.message()}",
                    )
                    return
                check(False, f'{kind.__name__}: an error with "{text}"')

            refused(not_found, "funel", "funel", inputs)
            refused(not_found, "7", MODEL, inputs, "7")
            refused(invalid, rows.names[0], MODEL, inputs[1:])
            wrong = tensors(kind, rows, numbers)[:1] + inputs
            refused(invalid, rows.names[0], MODEL, wrong)
            inputs[0] = kind.InferInput(rows.names[0] + "x", [rows.count], "BYTES")
            inputs[0].set_data_from_numpy(tensor_of(rows.columns[rows.names[0]]))
            refused(invalid, rows.names[0] + "x", MODEL, inputs)
    check(grpc.StatusCode.INVALID_ARGUMENT.value[0] == 3, "gRPC's codes are those of the service")


def tensor_of(values):
    import numpy

    return numpy.array([value.encode() for value in values], dtype=object)


def same_protocol():
    """The fields and calls of open_inference.proto are those inside tritonclient."""
    from google.protobuf import descriptor_pb2
    from tritonclient.grpc import service_pb2

    folder = serving.ROOT / "manygate/serve"
    with tempfile.NamedTemporaryFile() as file:
        subprocess.check_call(["protoc", f"-I{folder}", f"--descriptor_set_out={file.name}", "open_inference.proto"])
        ours = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file[0]
    theirs = descriptor_pb2.FileDescriptorProto()
    service_pb2.DESCRIPTOR.CopyToProto(theirs)

    def fields(messages, path):
        for message in messages:
            for field in message.field:
                yield f"{path}.{message.name}.{field.name}", (field.number, field.type, field.label, field.type_name)
            yield from fields(message.nested_type, f"{path}.{message.name}")

    known = dict(fields(theirs.message_type, ""))
    different = [name for name, field in fields(ours.message_type, "") if known.get(name) != field]
    check(ours.package == theirs.package and different == [], f"the protocol's fields are tritonclient's: {different}")
    calls = {call.name: (call.input_type, call.output_type) for call in theirs.service[0].method}
    check(
        all(calls.get(call.name) == (call.input_type, call.output_type) for call in ours.service[0].method)
        and ours.service[0].name == theirs.service[0].name
        and len(ours.service[0].method) == 6,
        "and its 6 calls",
    )
