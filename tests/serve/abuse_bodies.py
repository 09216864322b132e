# SPDX-License-Identifier: Apache-2.0
"""Bodies that no good client sends, for tests/serve/abuse_test.py, as the cases of abuse_http.py."""

import json
import struct

from abuse_http import INFER, PREDICT, post


def texts(good):
    """Bodies that are no JSON, or not what a JSON request looks like."""
    half = good[:-1]  # without the last brace
    bodies = [
        ("no body", b""),
        ("a blank", b" "),
        ("an open brace", b"{"),
        ("no JSON", b"hello"),
        ("null", b"null"),
        ("a list", b"[]"),
        ("a text", b'"inputs"'),
        ("a number", b"1"),
        ("an empty object", b"{}"),
        ("100,000 open brackets", b"[" * 100000),
        ("100,000 open objects", b'{"a":' * 100000),
        ("deep nesting in a field that is passed over", half + b',"x":' + b"[" * 50000 + b"]" * 50000 + b"}"),
        (
            "deep nesting in data",
            b'{"inputs":[{"name":"user_id","shape":[1],"datatype":"BYTES","data":'
            + b"[" * 5000
            + b'"a"'
            + b"]" * 5000
            + b"}]}",
        ),
        ("rubbish behind", good + b"x"),
        ("two documents", good + good),
        ("a comma too many", half + b",}"),
        ("a comment", b"/* */" + good),
        ("single quotes", good.replace(b'"', b"'")),
        ("a byte order mark and UTF-16", b"\xff\xfe" + good.decode().encode("utf-16-le")),
        ("a NUL byte between", good[:10] + b"\0" + good[10:]),
        ("cut in the middle", good[: len(good) // 2]),
        ("inputs is an object", b'{"inputs":{}}'),
        ("inputs is null", b'{"inputs":null}'),
        ("inputs is empty", b'{"inputs":[]}'),
        ("an input is a number", b'{"inputs":[1]}'),
        ("an input is empty", b'{"inputs":[{}]}'),
        ("id is a number", half + b',"id":5}'),
        ("id is an object", half + b',"id":{}}'),
        ("outputs is a text", half + b',"outputs":"probs_click"}'),
        ("an output is a text", half + b',"outputs":["probs_click"]}'),
        ("an output without a name", half + b',"outputs":[{}]}'),
        ("an unknown output", half + b',"outputs":[{"name":"probs_clik"}]}'),
        ("parameters is a list", half + b',"parameters":[]}'),
        ("a time limit that is a text", half + b',"parameters":{"timeout":"5"}}'),
        ("a negative time limit", half + b',"parameters":{"timeout":-5}}'),
        ("a time limit beyond 64 bits", half + b',"parameters":{"timeout":1e30}}'),
        ("the classes of Triton", half + b',"outputs":[{"name":"probs_device","parameters":{"classification":2}}]}'),
        ("an output twice", half + b',"outputs":[{"name":"probs_click"},{"name":"probs_click"}]}'),
        ("inputs twice", half + b',"inputs":[]}'),
    ]
    return [(name, (400,), [post(INFER, body)]) for name, body in bodies] + [
        ("a body that is compressed", (415,), [post(INFER, good, "Content-Encoding: gzip")]),
        ("a time limit of 1 us", (504,), [post(INFER, half + b',"parameters":{"timeout":1}}')]),
    ]


def tensors(request):
    """Requests with one input tensor changed; request: a right one of two rows, parsed."""
    changes = [
        ("no name", {"name": None}),
        ("a name that is a number", {"name": 7}),
        ("an unknown name", {"name": "user_ids"}),
        ("an empty name", {"name": ""}),
        ("a name with a NUL", {"name": "user_id\0"}),
        ("a name of 100 KB", {"name": "a" * 100000}),
        ("no datatype", {"datatype": None}),
        ("an unknown datatype", {"datatype": "FP31"}),
        ("a datatype in small letters", {"datatype": "bytes"}),
        ("a datatype that is a number", {"datatype": 1}),
        ("no shape", {"shape": None}),
        ("a shape that is a number", {"shape": 2}),
        ("an empty shape", {"shape": []}),
        ("a shape of texts", {"shape": ["2"]}),
        ("a shape of 1.5", {"shape": [1.5]}),
        ("a shape of null", {"shape": [None]}),
        ("no rows", {"shape": [0], "data": []}),
        ("-2 rows", {"shape": [-2]}),
        ("3 rows of 2", {"shape": [3]}),
        ("1 row of 2", {"shape": [1]}),
        ("rows beyond 32 bits", {"shape": [2**33]}),
        ("rows beyond 64 bits", {"shape": [2**64]}),
        ("a shape whose product overflows", {"shape": [2**32, 2**32]}),
        ("one that overflows to 2", {"shape": [2**63 + 1, 2]}),
        ("no width", {"shape": [2, 0]}),
        ("a width of -1", {"shape": [2, -1]}),
        ("three dimensions", {"shape": [2, 1, 1]}),
        ("10,000 dimensions", {"shape": [1] * 10000}),
        ("other rows than the rest", {"shape": [1], "data": ["u1"]}),
        ("no data", {"data": None}),
        ("data that is a text", {"data": "u1"}),
        ("data that is an object", {"data": {}}),
        ("a value that is an object", {"data": [{}, {}]}),
        ("a value that is nested too deep", {"data": [[["u1"]], [["u2"]]]}),
        ("binary_data_size without binary data", {"data": None, "parameters": {"binary_data_size": 4}}),
        ("binary_data_size and data", {"parameters": {"binary_data_size": 4}}),
        ("parameters that are a text", {"parameters": "x"}),
    ]
    cases = []
    for name, change in changes:
        first = {key: value for key, value in {**request["inputs"][0], **change}.items() if value is not None}
        cases.append(
            (
                name,
                (400, 413) if "beyond" in name or "overflow" in name else (400,),
                [post(INFER, {**request, "inputs": [first] + request["inputs"][1:]})],
            )
        )
    more = [
        ("an input twice", request["inputs"] + request["inputs"][:1]),
        ("an input is missing", request["inputs"][1:]),
    ]
    return cases + [(name, (400,), [post(INFER, {**request, "inputs": inputs})]) for name, inputs in more]


def values(request):
    """Values of the number `price` and of the first input, a text, as they stand in JSON."""
    place = [tensor["name"] for tensor in request["inputs"]].index("price")
    cases = []
    for name, status, datatype, text in [
        ("NaN", 200, "FP32", "NaN"),
        ("Infinity", 400, "FP32", "Infinity"),
        ("1e999", 400, "FP32", "1e999"),
        ("-1e39", 400, "FP32", "-1e39"),
        ("a leading zero", 400, "FP32", "007"),
        ("hexadecimal", 400, "FP32", "0x10"),
        ("a plus sign", 400, "FP32", "+1"),
        ("no digit", 400, "FP32", "-"),
        ("a text that is no number", 400, "BYTES", '"old"'),
        ("a text that says inf", 400, "BYTES", '"inf"'),
        ("a number in a text", 200, "BYTES", '"1.5"'),
        ("true as a number", 200, "BOOL", "true"),
        ("null", 200, "FP32", "null"),
        ("1,000 digits", 200, "FP32", "0." + "3" * 1000),
        ("a lone surrogate", 400, "BYTES", '"\\ud800"'),
        ("a broken escape", 400, "BYTES", '"\\x"'),
        ("a raw line feed", 400, "BYTES", '"a\nb"'),
    ]:
        body = json.dumps(request).encode()
        marked = {**request, "inputs": [dict(tensor) for tensor in request["inputs"]]}
        marked["inputs"][place].update(datatype=datatype, data=["PLACE", "PLACE"])
        body = json.dumps(marked).replace('"PLACE"', text).encode()
        # NaN is no JSON; a client that writes it (Python's) may be understood or refused.
        cases.append((f"a number that is {name}", (200, 400) if name == "NaN" else (status,), [post(INFER, body)]))
    for name, status, raw in [
        ("bytes that are no UTF-8", 400, b"\xff\xfe"),
        ("a surrogate in UTF-8", 400, b"\xed\xa0\x80"),
        ("a NUL byte", 400, b"a\0b"),
        ("an escaped NUL", 200, b"a\\u0000b"),
        ("an emoji", 200, b"\\ud83d\\ude00"),
    ]:
        body = json.dumps(
            {**request, "inputs": [{**request["inputs"][0], "data": ["PLACE", ""]}] + request["inputs"][1:]}
        ).encode()
        cases.append((f"a text with {name}", (status,), [post(INFER, body.replace(b"PLACE", raw))]))
    return cases


def binary(request):
    """The binary tensor extension, with the first input in it."""

    def body(size, raw, length=None, datatype="BYTES", place=0):
        inputs = [dict(tensor) for tensor in request["inputs"]]
        del inputs[place]["data"]
        inputs[place].update(datatype=datatype, parameters={"binary_data_size": size})
        text = json.dumps({"inputs": inputs}).encode()
        return [post(INFER, text + raw, f"Inference-Header-Content-Length: {len(text) if length is None else length}")]

    price = [tensor["name"] for tensor in request["inputs"]].index("price")
    two = b"".join(struct.pack("<I", 2) + value for value in (b"u1", b"u2"))
    cases = [
        ("right ones", 200, body(12, two)),
        ("a size above what is there", 400, body(13, two)),
        ("a size below it", 400, body(11, two)),
        ("bytes that nobody claims", 400, body(12, two + b"x")),
        ("a negative size", 400, body(-1, two)),
        ("a size of 2^63", 400, body(2**63, two)),
        ("a size that is a text", 400, body("12", two)),
        ("a size of 1.5", 400, body(1.5, two)),
        ("no bytes", 400, body(12, b"")),
        ("a text's length beyond the end", 400, body(12, struct.pack("<I", 200) + two[4:])),
        ("a length of 2^32 - 1", 400, body(12, b"\xff" * 4 + two[4:])),
        ("a length that is cut", 400, body(8, two[:6] + b"\1\0")),
        ("one text of two", 400, body(6, two[:6])),
        ("three texts of two", 400, body(18, two + two[:6])),
        ("FP32 of 7 bytes", 400, body(7, bytes(7), datatype="FP32", place=price)),
        ("FP32 NaN", 200, body(8, b"\0\0\xc0\x7f" * 2, datatype="FP32", place=price)),
        ("FP32 infinity", 400, body(8, b"\0\0\x80\x7f" * 2, datatype="FP32", place=price)),
        ("FP64 above FP32", 400, body(16, struct.pack("<dd", 1e39, 1), datatype="FP64", place=price)),
        ("INT64", 200, body(16, struct.pack("<qq", -(2**63), 5), datatype="INT64", place=price)),
        ("BOOL of 2 and 255", 200, body(2, b"\2\xff", datatype="BOOL", place=price)),
        ("a header length above the body's", 400, body(12, two, 999999)),
        ("a header length that is cut", 400, body(12, two, 30)),
        ("a header length of 0", 400, body(12, two, 0)),
        ("a negative header length", 400, body(12, two, -5)),
        ("a header length that is no number", 400, body(12, two, "ten")),
        ("a header length beyond 64 bits", 400, body(12, two, 2**65)),
    ]
    return [
        (f"binary: {name}", (200, 400) if name.startswith("BOOL") else (status,), sent) for name, status, sent in cases
    ]


def tensorflow(columns):
    """TensorFlow Serving's requests; columns: {name: values} of a right one."""
    row = {name: values[0] for name, values in columns.items()}
    without = dict(list(row.items())[1:])
    cases = [
        ("right rows", 200, {"instances": [row, row]}),
        ("right columns", 200, {"inputs": columns}),
        ("neither", 400, {}),
        ("both", 400, {"instances": [row], "inputs": columns}),
        ("no rows", 400, {"instances": []}),
        ("rows in an object", 400, {"instances": row}),
        ("rows that are numbers", 400, {"instances": [1, 2]}),
        ("rows that are lists", 400, {"instances": [["u1"]]}),
        ("a column is missing", 400, {"instances": [without]}),
        ("a column is missing from the second", 400, {"instances": [row, without]}),
        ("an unknown column", 400, {"instances": [{**row, "prize": 1}]}),
        ("an object in a row", 400, {"instances": [{**row, "user_id": {}}]}),
        ("a text in place of a number", 400, {"instances": [{**row, "price": "dear"}]}),
        ("columns of other lengths", 400, {"inputs": {**columns, "user_id": ["u1"]}}),
        ("no columns", 400, {"inputs": {}}),
        ("columns in a list", 400, {"inputs": [columns]}),
        (
            "a column is missing (columns)",
            400,
            {"inputs": {name: values for name, values in columns.items() if name != "age"}},
        ),
        ("an unknown column (columns)", 400, {"inputs": {**columns, "prize": [1, 2]}}),
        ("an unknown signature", 400, {"signature_name": "train", "instances": [row]}),
        ("a signature that is a number", 400, {"signature_name": 1, "instances": [row]}),
    ]
    double = json.dumps({"instances": [row]}).replace('"user_id":', '"user_id": "x", "user_id":').encode()
    return [(f"TensorFlow Serving: {name}", (status,), [post(PREDICT, body)]) for name, status, body in cases] + [
        ("TensorFlow Serving: a column twice in a row", (400,), [post(PREDICT, double)]),
        ("TensorFlow Serving: no JSON", (400,), [post(PREDICT, b"{'instances': 1}")]),
    ]
