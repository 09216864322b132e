// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/activate.h"

#include <fmt/format.h>

#include "manygate/graph/tensor_program.h"
#include "manygate/math/dropout.h"

namespace manygate {
namespace {

class ActivateOp final : public Op {
 public:
  explicit ActivateOp(Activation activation) : activation_(activation) {}
  Shape OutputShape(std::span<const Shape> inputs) const override { return inputs[0]; }
  OpTraits Traits(std::span<const Shape>) const override {
    const bool from_output = DerivativeFromOutput(activation_);
    return {.memory = from_output ? OpTraits::Memory::kInPlace : OpTraits::Memory::kOwn,
            .backward_reads_inputs = !from_output,
            .backward_reads_output = from_output};
  }
  void Forward(const OpContext& c) const override {
    ActivationForward(activation_, c.rows, c.shape.size(), c.inputs[0].data, c.inputs[0].stride, c.output.data,
                      c.output.stride);
  }
  void Backward(const OpContext& c) const override {
    if (c.d_inputs[0].data == nullptr) return;
    const bool from_output = DerivativeFromOutput(activation_);
    ActivationBackward(activation_, c.rows, c.shape.size(), from_output ? nullptr : c.inputs[0].data,
                       c.inputs[0].stride, c.output.data, c.output.stride, c.d_output.data, c.d_output.stride,
                       c.accumulate[0], c.d_inputs[0].data, c.d_inputs[0].stride);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const Tensor x = c.inputs[0];
    switch (activation_) {
      case Activation::kNone: return x;
      case Activation::kRelu: return program.Unary(UnaryKind::kRelu, x);
      case Activation::kSilu: return program.Multiply(x, program.Unary(UnaryKind::kSigmoid, x));
      case Activation::kTanh: return program.Unary(UnaryKind::kTanh, x);
      case Activation::kSigmoid: return program.Unary(UnaryKind::kSigmoid, x);
      case Activation::kGelu: {
        const Tensor erf = program.Unary(UnaryKind::kErf, program.Multiply(x, program.Number(0.70710678118654752f)));
        return program.Multiply(program.Multiply(program.Number(0.5f), x), program.Add(program.Number(1.f), erf));
      }
      case Activation::kLeakyRelu:
        return program.Binary(BinaryKind::kLarger, x, program.Multiply(x, program.Number(0.01f)));
    }
    return InvalidInput(fmt::format("the activation {} cannot be exported", ActivationName(activation_)));
  }
  std::string Describe() const override { return ActivationName(activation_); }

 private:
  Activation activation_;
};

class DropoutOp final : public Op {
 public:
  explicit DropoutOp(float ratio) : ratio_(ratio) {}
  Shape OutputShape(std::span<const Shape> inputs) const override { return inputs[0]; }
  OpTraits Traits(std::span<const Shape>) const override { return {.memory = OpTraits::Memory::kInPlace}; }
  void Forward(const OpContext& c) const override {
    if (c.training) {
      Apply(c, c.inputs[0], false, c.output);
    } else if (c.inputs[0].data != c.output.data) {
      CopyOrAdd(c.rows, c.shape.size(), c.inputs[0].data, c.inputs[0].stride, false, c.output.data, c.output.stride);
    }
  }
  // The mask is drawn again, so nothing is kept between the two.
  void Backward(const OpContext& c) const override {
    if (c.d_inputs[0].data != nullptr) Apply(c, c.d_output, c.accumulate[0], c.d_inputs[0]);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override { return c.inputs[0]; }
  std::string Describe() const override { return fmt::format("dropout {:g}", ratio_); }

 private:
  void Apply(const OpContext& c, View from, bool accumulate, View to) const {
    DropoutRows({c.seed, static_cast<uint64_t>(c.step), c.first_row}, ratio_, c.rows, c.shape.size(), from.data,
                from.stride, accumulate, to.data, to.stride);
  }
  float ratio_;
};

}  // namespace

Value Activate(Graph& graph, Value x, Activation activation, std::string name) {
  if (activation == Activation::kNone) return x;
  return graph.AddNode(std::move(name), std::make_unique<ActivateOp>(activation), {x});
}

Value Dropout(Graph& graph, Value x, float ratio, std::string name) {
  if (ratio == 0.f) return x;
  return graph.AddNode(std::move(name), std::make_unique<DropoutOp>(ratio), {x});
}

}  // namespace manygate
