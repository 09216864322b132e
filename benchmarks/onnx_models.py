# SPDX-License-Identifier: Apache-2.0
"""A trained MMoE of one expert layer, as ONNX over encoded rows, wired in the ways that suit ONNX Runtime:
    dense     one product of all experts and gates over the row's inputs: one-hot columns written out (C1), or embeddings picked
              from one table (C2)
    rows      goes further: a sum of weight rows picked by id (C1), or of products of embeddings with their part of the weight (C2)
Each with its experts mixed by a batched product ("bmm") or by multiplying and summing ("multiply"). Weights are those of a model
directory, so that all must give its scores.

    model = TrainedModel("out/mmoe")
    model.rows(ids, numbers)                  # what the form "dense" of C1 reads, [B, inputs]
    onnx_model = build(model, "rows", "bmm")   # inputs "x", or "ids" and "numbers"; output "probs" [B, tasks]
"""
import json
import pathlib
import re
import struct

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def read_safetensors(path):
    data = pathlib.Path(path).read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(data[8 + size + begin:8 + size + end], np.float32).reshape(entry["shape"])
    return tensors


class TrainedModel:
    """Weights by part, and for each input column its place: ids first row in the wide weight, numbers theirs."""

    def __init__(self, directory):
        directory = pathlib.Path(directory)
        self.weights = read_safetensors(directory / "weights.safetensors")
        self.tasks = [name.split(".")[1] for name in self.weights if re.fullmatch(r"gates\.\w+\.output\.bias", name)]
        self.columns = self._columns((directory / "schema.pbtxt").read_text())
        self.experts, self.width = self.weights["experts.layers.0.bias"].shape
        first = self.weights["experts.layers.0.weight"]
        gates = [self.weights[f"gates.{task}.output.weight"] for task in self.tasks]
        self.wide = np.concatenate([first.reshape(len(first), -1), *gates], axis=1)
        biases = [self.weights[f"gates.{task}.output.bias"] for task in self.tasks]
        self.wide_bias = np.concatenate([self.weights["experts.layers.0.bias"].reshape(-1), *biases])

    @staticmethod
    def _columns(schema):
        """[{slot, vocabulary, embedding, offset, width, row}], in the order of the features."""
        columns, row = [], 0
        for text in re.split(r"^features \{", schema, flags=re.M)[1:]:
            def field(name, text=text):
                found = re.search(rf"^  {name}: \"?([\w.]+)", text, re.M)
                return found and found.group(1)
            column = {"row": row, "name": field("name")}
            if field("encoding") == "NUMBERS":
                column.update(offset=int(field("number_offset") or 0), width=int(field("width")))
                row += column["width"]
            else:
                column.update(slot=int(field("id_slot") or 0), vocabulary=int(field("vocabulary_size")),
                              embedding=int(field("embedding_dim") or 0))
                row += column["embedding"] or column["vocabulary"]
            columns.append(column)
        return columns

    def of_ids(self):
        return [column for column in self.columns if "slot" in column]

    def number_rows(self):
        """Rows of the wide weight that the encoded numbers have, in their order."""
        rows = {}
        for column in self.columns:
            for k in range(column.get("width", 0)):
                rows[column["offset"] + k] = column["row"] + k
        return [rows[k] for k in range(len(rows))]

    def rows(self, ids, numbers):
        x = np.zeros((len(ids), len(self.wide)), np.float32)
        for column in self.of_ids():
            x[np.arange(len(ids)), column["row"] + ids[:, column["slot"]]] = 1
        x[:, self.number_rows()] = numbers
        return x

    def embedding(self, column):
        return self.weights[f"embeddings.{column['name']}.weight"]


class _Writer:
    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, values, kind=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype=kind, order="C"), name))
        return name

    def node(self, kind, *inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name


def _flat_ids(writer, columns, first):
    """ids [B, slots] as rows of one table in which column k begins at first[k]."""
    offsets = np.zeros(len(columns), np.int64)
    for column, begin in zip(columns, first):
        offsets[column["slot"]] = begin
    return writer.node("Add", "ids", writer.constant(offsets, np.int64))


def _wide(writer, model, form):
    columns = model.of_ids()
    if form == "dense" and not columns[0]["embedding"]:
        return writer.node("Gemm", "x", writer.constant(model.wide), writer.constant(model.wide_bias))
    by_slot = sorted(columns, key=lambda column: column["slot"])
    numbers = writer.node("Gemm", "numbers", writer.constant(model.wide[model.number_rows()]),
                          writer.constant(model.wide_bias))
    if form == "dense":
        tables = [model.embedding(column) for column in by_slot]
        first = np.cumsum([0] + [len(table) for table in tables])[:-1]
        picked = writer.node("Gather", writer.constant(np.concatenate(tables)), _flat_ids(writer, by_slot, first))
        dim = tables[0].shape[1]
        order = np.concatenate([np.arange(column["row"], column["row"] + dim) for column in by_slot])
        flat = writer.node("Reshape", picked, writer.constant([0, len(order)], np.int64))
        x = writer.node("Concat", flat, "numbers", axis=1)
        weight = np.concatenate([model.wide[order], model.wide[model.number_rows()]])
        return writer.node("Gemm", x, writer.constant(weight), writer.constant(model.wide_bias))
    rows = [model.embedding(column) @ model.wide[column["row"]:column["row"] + column["embedding"]]
            if column["embedding"] else model.wide[column["row"]:column["row"] + column["vocabulary"]]
            for column in by_slot]
    first = np.cumsum([0] + [len(table) for table in rows])[:-1]
    picked = writer.node("Gather", writer.constant(np.concatenate(rows)), _flat_ids(writer, by_slot, first))
    total = writer.node("ReduceSum", picked, writer.constant([1], np.int64), keepdims=0)
    return writer.node("Add", total, numbers)


def _tower(writer, model, task, x):
    hidden, k = x, 0
    while f"towers.{task}.layers.{k}.weight" in model.weights:
        weight, bias = (writer.constant(model.weights[f"towers.{task}.layers.{k}.{part}"]) for part in ("weight", "bias"))
        hidden = writer.node("Relu", writer.node("Gemm", hidden, weight, bias))
        k += 1
    return writer.node("Gemm", hidden, writer.constant(model.weights[f"towers.{task}.output.weight"]),
                       writer.constant(model.weights[f"towers.{task}.output.bias"]))


def build(model, form, mix):
    writer = _Writer()
    wide = _wide(writer, model, form)
    experts_width, tasks = model.experts * model.width, len(model.tasks)
    split = writer.constant([experts_width] + [model.experts * tasks], np.int64)
    writer.nodes.append(helper.make_node("Split", [wide, split], ["flat_experts", "flat_gates"], axis=1))
    relu = writer.node("Relu", "flat_experts")
    experts = writer.node("Reshape", relu, writer.constant([0, model.experts, model.width], np.int64))
    gates = writer.node("Reshape", "flat_gates", writer.constant([0, tasks, model.experts], np.int64))
    gates = writer.node("Softmax", gates, axis=-1)
    if mix == "bmm":
        mixed = writer.node("MatMul", gates, experts)
    else:
        product = writer.node("Mul", writer.node("Unsqueeze", gates, writer.constant([3], np.int64)),
                              writer.node("Unsqueeze", experts, writer.constant([1], np.int64)))
        mixed = writer.node("ReduceSum", product, writer.constant([2], np.int64), keepdims=0)
    logits = []
    for k, task in enumerate(model.tasks):
        of_task = writer.node("Gather", mixed, writer.constant(k, np.int64), axis=1)
        logits.append(_tower(writer, model, task, of_task))
    together = writer.node("Concat", *logits, axis=1)
    writer.nodes.append(helper.make_node("Sigmoid", [together], ["probs"]))
    if form == "dense" and not model.of_ids()[0]["embedding"]:
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", len(model.wide)])]
    else:
        inputs = [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", len(model.of_ids())]),
                  helper.make_tensor_value_info("numbers", TensorProto.FLOAT, ["batch", len(model.number_rows())])]
    outputs = [helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["batch", tasks])]
    graph = helper.make_graph(writer.nodes, f"{form}-{mix}", inputs, outputs, writer.constants)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
