// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/mix.h"

#include <fmt/format.h>

#include "manygate/base/check.h"
#include "manygate/graph/tensor_program.h"
#include "manygate/math/elementwise.h"
#include "manygate/math/gate.h"

namespace manygate {
namespace {

class SoftmaxOp final : public Op {
 public:
  explicit SoftmaxOp(float temperature) : temperature_(temperature) {}
  Shape OutputShape(std::span<const Shape> inputs) const override { return inputs[0]; }
  OpTraits Traits(std::span<const Shape> inputs) const override {
    return {.memory = OpTraits::Memory::kInPlace,
            .backward_reads_output = true,
            .scratch = temperature_ == 1 ? 0 : inputs[0].size()};
  }
  void Forward(const OpContext& c) const override {
    View x = c.inputs[0];
    if (temperature_ != 1) {
      for (int64_t r = 0; r < c.rows; ++r)
        Divide(x.data + r * x.stride, c.shape.width, c.output.data + r * c.output.stride);
      x = c.output;
    }
    SoftmaxForward(c.rows, c.shape.width, x.data, x.stride, c.output.data, c.output.stride);
  }
  void Backward(const OpContext& c) const override {
    const View y = c.output, d_y = c.d_output, d_x = c.d_inputs[0];
    if (d_x.data == nullptr) return;
    if (temperature_ == 1)
      return SoftmaxBackward(c.rows, c.shape.width, y.data, y.stride, d_y.data, d_y.stride, c.accumulate[0], d_x.data,
                             d_x.stride);
    for (int64_t r = 0; r < c.rows; ++r) {
      Divide(d_y.data + r * d_y.stride, c.shape.width, c.scratch);
      SoftmaxBackward(1, c.shape.width, y.data + r * y.stride, y.stride, c.scratch, 0, c.accumulate[0],
                      d_x.data + r * d_x.stride, d_x.stride);
    }
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const Tensor x = c.inputs[0];
    return program.Softmax(temperature_ == 1 ? x : program.Divide(x, program.Number(temperature_)));
  }
  std::string Describe() const override {
    return temperature_ == 1 ? "softmax" : fmt::format("softmax, temperature {:g}", temperature_);
  }

 private:
  void Divide(const float* x, int64_t width, float* y) const {
    for (int64_t i = 0; i < width; ++i) y[i] = x[i] / temperature_;
  }
  float temperature_;
};

class MixOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override { return {1, inputs[0].width}; }
  OpTraits Traits(std::span<const Shape>) const override { return {.backward_reads_inputs = true}; }
  void Forward(const OpContext& c) const override {
    MixForward(c.rows, c.input_shapes[0].groups, c.shape.width, c.inputs[0].data, c.inputs[0].stride, c.inputs[1].data,
               c.inputs[1].stride, c.output.data, c.output.stride);
  }
  void Backward(const OpContext& c) const override {
    if (c.d_inputs[0].data == nullptr || c.d_inputs[1].data == nullptr) return BackwardOfOne(c);
    MixBackward(c.rows, c.input_shapes[0].groups, c.shape.width, c.inputs[0].data, c.inputs[0].stride, c.inputs[1].data,
                c.inputs[1].stride, c.d_output.data, c.d_output.stride, c.accumulate[0], c.d_inputs[0].data,
                c.d_inputs[0].stride, c.accumulate[1], c.d_inputs[1].data, c.d_inputs[1].stride);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    return c.program->RowMatMul(c.program->Flat(c.inputs[1]), c.inputs[0]);
  }
  std::string Describe() const override { return "mix experts by gate"; }

 private:
  // Where one of the two does not learn: weights that are inputs, or a sequence of numbers.
  static void BackwardOfOne(const OpContext& c) {
    const auto [experts, width] = c.input_shapes[0];
    for (int64_t r = 0; r < c.rows; ++r) {
      const float* d_out = c.d_output.data + r * c.d_output.stride;
      for (int64_t e = 0; e < experts; ++e) {
        if (c.d_inputs[0].data != nullptr) {
          const float gate = c.inputs[1].data[r * c.inputs[1].stride + e];
          float* d_expert = c.d_inputs[0].data + r * c.d_inputs[0].stride + e * width;
          c.accumulate[0] ? AddScaled(width, gate, d_out, d_expert) : CopyScaled(width, gate, d_out, d_expert);
        } else if (c.d_inputs[1].data != nullptr) {
          const float* expert = c.inputs[0].data + r * c.inputs[0].stride + e * width;
          float& d_gate = c.d_inputs[1].data[r * c.d_inputs[1].stride + e];
          d_gate = (c.accumulate[1] ? d_gate : 0.f) + static_cast<float>(Dot(width, d_out, expert));
        }
      }
    }
  }
};

}  // namespace

Value Softmax(Graph& graph, Value x, std::string name, float temperature) {
  MG_CHECK(temperature > 0, "{}: temperature {}", name, temperature);
  return graph.AddNode(std::move(name), std::make_unique<SoftmaxOp>(temperature), {x});
}

Value Mix(Graph& graph, Value experts, Value gates, std::string name) {
  MG_CHECK(graph.shape(experts).groups == graph.shape(gates).width, "{} experts, {} gate weights",
           graph.shape(experts).groups, graph.shape(gates).width);
  return graph.AddNode(std::move(name), std::make_unique<MixOp>(), {experts, gates});
}

bool IsSoftmax(const Graph& graph, Value value) {
  return dynamic_cast<const SoftmaxOp*>(graph.node(value).op.get()) != nullptr;
}

bool IsMix(const Graph& graph, Value value) {
  return dynamic_cast<const MixOp*>(graph.node(value).op.get()) != nullptr;
}

}  // namespace manygate
