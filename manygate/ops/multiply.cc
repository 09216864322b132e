// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/multiply.h"

#include <fmt/format.h>

#include "manygate/base/check.h"
#include "manygate/graph/tensor_program.h"
#include "manygate/math/products.h"

namespace manygate {
namespace {

class MultiplyOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override {
    MG_CHECK(inputs[0] == inputs[1], "product of [{}, {}] and [{}, {}]", inputs[0].groups, inputs[0].width,
             inputs[1].groups, inputs[1].width);
    return inputs[0];
  }
  OpTraits Traits(std::span<const Shape>) const override { return {.backward_reads_inputs = true}; }
  void Forward(const OpContext& c) const override { Product(c, c.inputs[0], c.inputs[1], false, c.output); }
  void Backward(const OpContext& c) const override {
    for (int i = 0; i < 2; ++i)
      if (c.d_inputs[i].data != nullptr) Product(c, c.d_output, c.inputs[1 - i], c.accumulate[i], c.d_inputs[i]);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    return c.program->Multiply(c.inputs[0], c.inputs[1]);
  }
  std::string Describe() const override { return "product"; }

 private:
  static void Product(const OpContext& c, View a, View b, bool accumulate, View to) {
    MultiplyValues(c.rows, c.shape.size(), a.data, a.stride, b.data, b.stride, accumulate, to.data, to.stride);
  }
};

class ScaleOp final : public Op {
 public:
  explicit ScaleOp(float factor) : factor_(factor) {}
  Shape OutputShape(std::span<const Shape> inputs) const override { return inputs[0]; }
  OpTraits Traits(std::span<const Shape>) const override { return {.memory = OpTraits::Memory::kInPlace}; }
  void Forward(const OpContext& c) const override { Apply(c, c.inputs[0], false, c.output); }
  void Backward(const OpContext& c) const override {
    if (c.d_inputs[0].data != nullptr) Apply(c, c.d_output, c.accumulate[0], c.d_inputs[0]);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    return c.program->Multiply(c.inputs[0], c.program->Number(factor_));
  }
  std::string Describe() const override { return fmt::format("times {:g}", factor_); }

 private:
  void Apply(const OpContext& c, View from, bool accumulate, View to) const {
    ScaleValues(c.rows, c.shape.size(), factor_, from.data, from.stride, accumulate, to.data, to.stride);
  }
  float factor_;
};

}  // namespace

Value Multiply(Graph& graph, Value a, Value b, std::string name) {
  return graph.AddNode(std::move(name), std::make_unique<MultiplyOp>(), {a, b});
}

Value Scale(Graph& graph, Value x, float factor, std::string name) {
  if (factor == 1.f) return x;
  return graph.AddNode(std::move(name), std::make_unique<ScaleOp>(factor), {x});
}

}  // namespace manygate
