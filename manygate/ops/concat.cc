// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/concat.h"

#include <fmt/format.h>

#include "manygate/graph/tensor_program.h"
#include "manygate/math/elementwise.h"

namespace manygate {

Shape ConcatOp::OutputShape(std::span<const Shape> inputs) const {
  Shape shape{1, 0};
  for (const Shape& input : inputs) shape.width += input.size();
  return shape;
}

void ConcatOp::Forward(const OpContext& c) const {
  int64_t column = 0;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const int64_t width = c.input_shapes[i].size();
    CopyOrAdd(c.rows, width, c.inputs[i].data, c.inputs[i].stride, false, c.output.data + column, c.output.stride);
    column += width;
  }
}

void ConcatOp::Backward(const OpContext& c) const {
  int64_t column = 0;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const int64_t width = c.input_shapes[i].size();
    if (c.d_inputs[i].data != nullptr) {
      CopyOrAdd(c.rows, width, c.d_output.data + column, c.d_output.stride, c.accumulate[i], c.d_inputs[i].data,
                c.d_inputs[i].stride);
    }
    column += width;
  }
}

StatusOr<Tensor> ConcatOp::Export(const ExportContext& c) const {
  std::vector<Tensor> parts;
  for (const Tensor input : c.inputs) parts.push_back(c.program->Flat(input));
  return c.program->Concat(std::move(parts));
}

StatusOr<Tensor> SliceOp::Export(const ExportContext& c) const {
  TensorProgram& program = *c.program;
  return program.Reshape(program.Slice(program.Flat(c.inputs[0]), offset_, shape_.size()), shape_);
}

std::string SliceOp::Describe() const {
  return fmt::format("columns {}..{}, a view", offset_, offset_ + shape_.size() - 1);
}

Value Concat(Graph& graph, std::string name, std::vector<Value> values) {
  if (values.size() == 1) return values[0];
  return graph.AddNode(std::move(name), std::make_unique<ConcatOp>(), std::move(values));
}

std::vector<Value> ConcatParts(const Graph& graph, Value value) {
  if (dynamic_cast<const ConcatOp*>(graph.node(value).op.get()) != nullptr) return graph.node(value).inputs;
  return {value};
}

Value SliceColumns(Graph& graph, std::string name, Value value, int64_t offset, Shape shape) {
  return graph.AddNode(std::move(name), std::make_unique<SliceOp>(offset, shape), {value});
}

}  // namespace manygate
