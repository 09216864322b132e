// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/mix.h"

#include "manygate/base/check.h"
#include "manygate/math/gate.h"

namespace manygate {
namespace {

class SoftmaxOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override { return inputs[0]; }
  OpTraits Traits(std::span<const Shape>) const override {
    return {.memory = OpTraits::Memory::kInPlace, .backward_reads_output = true};
  }
  void Forward(const OpContext& c) const override {
    SoftmaxForward(c.rows, c.shape.width, c.inputs[0].data, c.inputs[0].stride, c.output.data, c.output.stride);
  }
  void Backward(const OpContext& c) const override {
    if (c.d_inputs[0].data == nullptr) return;
    SoftmaxBackward(c.rows, c.shape.width, c.output.data, c.output.stride, c.d_output.data, c.d_output.stride,
                    c.accumulate[0], c.d_inputs[0].data, c.d_inputs[0].stride);
  }
  std::string Describe() const override { return "softmax"; }
};

class MixOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override { return {1, inputs[0].width}; }
  OpTraits Traits(std::span<const Shape>) const override { return {.backward_reads_inputs = true}; }
  void Forward(const OpContext& c) const override {
    MixForward(c.rows, c.input_shapes[0].groups, c.shape.width, c.inputs[0].data, c.inputs[0].stride,
               c.inputs[1].data, c.inputs[1].stride, c.output.data, c.output.stride);
  }
  void Backward(const OpContext& c) const override {
    MixBackward(c.rows, c.input_shapes[0].groups, c.shape.width, c.inputs[0].data, c.inputs[0].stride,
                c.inputs[1].data, c.inputs[1].stride, c.d_output.data, c.d_output.stride, c.accumulate[0],
                c.d_inputs[0].data, c.d_inputs[0].stride, c.accumulate[1], c.d_inputs[1].data, c.d_inputs[1].stride);
  }
  std::string Describe() const override { return "mix experts by gate"; }
};

}  // namespace

Value Softmax(Graph& graph, Value x, std::string name) {
  return graph.AddNode(std::move(name), std::make_unique<SoftmaxOp>(), {x});
}

Value Mix(Graph& graph, Value experts, Value gates, std::string name) {
  MG_CHECK(graph.shape(experts).groups == graph.shape(gates).width, "{} experts, {} gate weights",
           graph.shape(experts).groups, graph.shape(gates).width);
  return graph.AddNode(std::move(name), std::make_unique<MixOp>(), {experts, gates});
}

}  // namespace manygate
