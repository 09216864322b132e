// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/dense.h"

#include <fmt/format.h>

#include <cmath>

#include "manygate/graph/tensor_program.h"
#include "manygate/math/gemm.h"

namespace manygate {
namespace {

Initializer LinearInitializer(int64_t in, float gain) {
  if (gain == 0.f) return {};
  const float bound = gain / std::sqrt(static_cast<float>(in));
  return {Initializer::Kind::kUniform, -bound, bound};
}

// Blocks 0 .. E-1: W[e] [K, N]; block E, if any: biases [E, N].
class DenseBankOp final : public Op {
 public:
  explicit DenseBankOp(int64_t width) : width_(width) {}
  Shape OutputShape(std::span<const Shape> inputs) const override { return {inputs[0].groups, width_}; }
  OpTraits Traits(std::span<const Shape> inputs) const override {
    return {.backward_reads_inputs = true, .scratch = inputs[0].width * width_};
  }
  void Forward(const OpContext& c) const override {
    const auto [groups, in] = c.input_shapes[0];
    for (int64_t e = 0; e < groups; ++e) {
      const float* bias = HasBias(c) ? c.blocks[groups] + e * width_ : nullptr;
      MultiplyNN(c.rows, width_, in, c.inputs[0].data + e * in, c.inputs[0].stride, c.blocks[e], width_, bias,
                 c.output.data + e * width_, c.output.stride);
    }
  }
  void Backward(const OpContext& c) const override {
    const auto [groups, in] = c.input_shapes[0];
    for (int64_t e = 0; e < groups; ++e) {
      const float* d_out = c.d_output.data + e * width_;
      MultiplyTN(c.rows, width_, in, c.inputs[0].data + e * in, c.inputs[0].stride, d_out, c.d_output.stride,
                 c.d_blocks[e], width_);
      if (c.d_inputs[0].data != nullptr) {
        MultiplyNT(c.rows, width_, in, d_out, c.d_output.stride, c.blocks[e], width_, c.accumulate[0],
                   c.d_inputs[0].data + e * in, c.d_inputs[0].stride, c.scratch);
      }
    }
    if (HasBias(c)) ColumnSums(c.rows, groups * width_, c.d_output.data, c.d_output.stride, c.d_blocks[groups]);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const auto groups = static_cast<size_t>(c.shape.groups);
    std::vector<float> weights;
    for (size_t e = 0; e < groups; ++e) weights.insert(weights.end(), c.blocks[e].begin(), c.blocks[e].end());
    const Tensor y = program.BankMatMul(c.inputs[0], width_, std::move(weights));
    return c.blocks.size() > groups ? program.Add(y, program.Numbers(c.shape, c.blocks[groups])) : y;
  }
  std::string Describe() const override { return "dense per expert"; }

 private:
  static bool HasBias(const OpContext& c) { return static_cast<int64_t>(c.blocks.size()) > c.input_shapes[0].groups; }
  int64_t width_;
};

}  // namespace

OpTraits DenseOp::Traits(std::span<const Shape> inputs) const {
  return {.backward_reads_inputs = true, .scratch = inputs[0].size() * out_.size()};
}

void DenseOp::Forward(const OpContext& c) const {
  const int64_t in = c.input_shapes[0].size(), out = out_.size();
  MultiplyNN(c.rows, out, in, c.inputs[0].data, c.inputs[0].stride, c.blocks[0], out,
             c.blocks.size() > 1 ? c.blocks[1] : nullptr, c.output.data, c.output.stride);
}

void DenseOp::Backward(const OpContext& c) const {
  const int64_t in = c.input_shapes[0].size(), out = out_.size();
  MultiplyTN(c.rows, out, in, c.inputs[0].data, c.inputs[0].stride, c.d_output.data, c.d_output.stride, c.d_blocks[0],
             out);
  if (c.blocks.size() > 1) ColumnSums(c.rows, out, c.d_output.data, c.d_output.stride, c.d_blocks[1]);
  if (c.d_inputs[0].data != nullptr) {
    MultiplyNT(c.rows, out, in, c.d_output.data, c.d_output.stride, c.blocks[0], out, c.accumulate[0],
               c.d_inputs[0].data, c.d_inputs[0].stride, c.scratch);
  }
}

StatusOr<Tensor> DenseOp::Export(const ExportContext& c) const {
  TensorProgram& program = *c.program;
  const Tensor x = program.Flat(c.inputs[0]);
  Tensor y = program.MatMul(x, {program.shape(x).width, out_.size()}, c.blocks[0]);
  if (c.blocks.size() > 1) y = program.Add(y, program.Numbers({1, out_.size()}, c.blocks[1]));
  return program.Reshape(y, out_);
}

std::string DenseOp::Describe() const { return fmt::format("dense to {}", out_.size()); }

Value Dense(Graph& graph, Value x, Shape out, std::string name, bool bias, float gain) {
  const int64_t in = graph.shape(x).size();
  std::vector<int64_t> tail =
      out.groups == 1 ? std::vector<int64_t>{out.width} : std::vector<int64_t>{out.groups, out.width};
  std::vector<int64_t> weight_shape = {in};
  weight_shape.insert(weight_shape.end(), tail.begin(), tail.end());
  const int weight = graph.AddParameter({name + ".weight", weight_shape, LinearInitializer(in, gain)});
  std::vector<Block> blocks = {{in, out.size(), {{weight, 0, in, out.size(), 0, 0}}}};
  if (bias) {
    const int b = graph.AddParameter({name + ".bias", tail, LinearInitializer(in, gain), false});
    blocks.push_back({1, out.size(), {{b, 0, 1, out.size(), 0, 0}}});
  }
  return graph.AddNode(std::move(name), std::make_unique<DenseOp>(out), {x}, std::move(blocks));
}

Value DenseBank(Graph& graph, Value x, int64_t width, std::string name, bool bias, float gain) {
  const auto [groups, in] = graph.shape(x);
  const int weight = graph.AddParameter({name + ".weight", {groups, in, width}, LinearInitializer(in, gain)});
  std::vector<Block> blocks;
  for (int64_t e = 0; e < groups; ++e) blocks.push_back({in, width, {{weight, e * in, in, width, 0, 0}}});
  if (bias) {
    const int b = graph.AddParameter({name + ".bias", {groups, width}, LinearInitializer(in, gain), false});
    blocks.push_back({1, groups * width, {{b, 0, 1, groups * width, 0, 0}}});
  }
  return graph.AddNode(std::move(name), std::make_unique<DenseBankOp>(width), {x}, std::move(blocks));
}

std::vector<Block> DenseBlocks(Graph& graph, int64_t in, int64_t width, const std::string& name, bool bias,
                               float gain) {
  const int weight = graph.AddParameter({name + ".weight", {in, width}, LinearInitializer(in, gain)});
  std::vector<Block> blocks = {{in, width, {{weight, 0, in, width, 0, 0}}}};
  if (bias) {
    const int b = graph.AddParameter({name + ".bias", {width}, LinearInitializer(in, gain), false});
    blocks.push_back({1, width, {{b, 0, 1, width, 0, 0}}});
  }
  return blocks;
}

}  // namespace manygate
