// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "manygate/graph/tensor_program.h"

namespace manygate {
namespace {

constexpr float kEps = 1e-5f;
constexpr float kMomentum = 0.1f;

float& At(View view, int64_t row, int64_t column) { return view.data[row * view.stride + column]; }

// Workspace: mean [n], then 1 / deviation [n], of the statistics that Forward used; then 1 if they came from the batch.
// Blocks: weight, bias, running mean, running variance, each [n].
class BatchNormOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override { return inputs[0]; }
  OpTraits Traits(std::span<const Shape> inputs) const override {
    return {.backward_reads_inputs = true, .whole_batch = true, .workspace_fixed = 2 * inputs[0].size()};
  }

  void Forward(const OpContext& c) const override {
    const int64_t n = c.shape.size();
    float* mean = c.workspace;
    float* scale = c.workspace + n;
    const bool from_batch = c.training && c.rows > 1;
    for (int64_t i = 0; i < n; ++i) {
      double average = c.blocks[2][i], variance = c.blocks[3][i];
      if (from_batch) BatchStatistics(c, i, average, variance);
      if (from_batch && c.first_pass) {
        const double unbiased = variance * c.rows / (c.rows - 1);
        c.blocks[2][i] += kMomentum * static_cast<float>(average - c.blocks[2][i]);
        c.blocks[3][i] += kMomentum * static_cast<float>(unbiased - c.blocks[3][i]);
      }
      mean[i] = static_cast<float>(average);
      scale[i] = static_cast<float>(1.0 / std::sqrt(variance + kEps));
    }
    for (int64_t r = 0; r < c.rows; ++r)
      for (int64_t i = 0; i < n; ++i)
        At(c.output, r, i) = (At(c.inputs[0], r, i) - mean[i]) * scale[i] * c.blocks[0][i] + c.blocks[1][i];
  }

  void Backward(const OpContext& c) const override {
    const int64_t n = c.shape.size();
    const float* mean = c.workspace;
    const float* scale = c.workspace + n;
    for (int64_t i = 0; i < n; ++i) {
      double sum = 0, sum_x = 0;
      for (int64_t r = 0; r < c.rows; ++r) {
        const float d = At(c.d_output, r, i);
        sum += d;
        sum_x += double{d} * ((At(c.inputs[0], r, i) - mean[i]) * scale[i]);
      }
      c.d_blocks[0][i] = static_cast<float>(sum_x);
      c.d_blocks[1][i] = static_cast<float>(sum);
      if (c.d_inputs[0].data == nullptr) continue;
      // Through the statistics too, unless they were the running ones.
      const float mean_d = c.rows > 1 ? static_cast<float>(sum / c.rows) : 0.f;
      const float mean_dx = c.rows > 1 ? static_cast<float>(sum_x / c.rows) : 0.f;
      for (int64_t r = 0; r < c.rows; ++r) {
        const float x = (At(c.inputs[0], r, i) - mean[i]) * scale[i];
        const float d = (At(c.d_output, r, i) - mean_d - x * mean_dx) * scale[i] * c.blocks[0][i];
        float& out = At(c.d_inputs[0], r, i);
        out = c.accumulate[0] ? out + d : d;
      }
    }
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    std::vector<float> scale;
    for (const float variance : c.blocks[3])
      scale.push_back(static_cast<float>(1.0 / std::sqrt(static_cast<double>(variance) + kEps)));
    const Tensor centred = program.Subtract(c.inputs[0], program.Numbers(c.shape, c.blocks[2]));
    const Tensor normal = program.Multiply(centred, program.Numbers(c.shape, std::move(scale)));
    return program.Add(program.Multiply(normal, program.Numbers(c.shape, c.blocks[0])),
                       program.Numbers(c.shape, c.blocks[1]));
  }
  std::string Describe() const override { return "batch norm"; }

 private:
  static void BatchStatistics(const OpContext& c, int64_t i, double& average, double& variance) {
    double sum = 0;
    for (int64_t r = 0; r < c.rows; ++r) sum += At(c.inputs[0], r, i);
    average = sum / c.rows;
    double squares = 0;
    for (int64_t r = 0; r < c.rows; ++r) {
      const double d = At(c.inputs[0], r, i) - average;
      squares += d * d;
    }
    variance = squares / c.rows;
  }
};

// Workspace, per row and group: mean, 1 / deviation. Blocks: weight, bias, each [E, H], or [H] where they are shared.
class LayerNormOp final : public Op {
 public:
  explicit LayerNormOp(bool shared) : shared_(shared) {}
  Shape OutputShape(std::span<const Shape> inputs) const override { return inputs[0]; }
  OpTraits Traits(std::span<const Shape> inputs) const override {
    return {.backward_reads_inputs = true, .workspace_per_row = 2 * inputs[0].groups};
  }

  void Forward(const OpContext& c) const override {
    const auto [groups, width] = c.shape;
    for (int64_t r = 0; r < c.rows; ++r) {
      for (int64_t e = 0; e < groups; ++e) {
        const float* x = &At(c.inputs[0], r, e * width);
        double sum = 0, squares = 0;
        for (int64_t i = 0; i < width; ++i) sum += x[i];
        const double mean = sum / width;
        for (int64_t i = 0; i < width; ++i) squares += (x[i] - mean) * (x[i] - mean);
        float* kept = c.workspace + 2 * (r * groups + e);
        kept[0] = static_cast<float>(mean);
        kept[1] = static_cast<float>(1.0 / std::sqrt(squares / width + kEps));
        const float* weight = c.blocks[0] + First(e, width);
        const float* bias = c.blocks[1] + First(e, width);
        for (int64_t i = 0; i < width; ++i)
          At(c.output, r, e * width + i) = (x[i] - kept[0]) * kept[1] * weight[i] + bias[i];
      }
    }
  }

  void Backward(const OpContext& c) const override {
    const auto [groups, width] = c.shape;
    for (float* d_block : c.d_blocks) std::fill_n(d_block, shared_ ? width : groups * width, 0.f);
    for (int64_t r = 0; r < c.rows; ++r) {
      for (int64_t e = 0; e < groups; ++e) BackwardGroup(c, r, e, width);
    }
  }
  // The statistics in double, as Forward.
  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const Tensor x = c.inputs[0], width = program.Double(static_cast<double>(c.shape.width));
    const auto rounded = [&](Tensor y) { return program.Cast(y, TensorType::kNumber); };
    const Tensor exact = program.Cast(x, TensorType::kDouble);
    const Tensor mean = program.Divide(program.SumWidth(exact), width);
    const Tensor centred = program.Subtract(exact, mean);
    const Tensor variance = program.Divide(program.SumWidth(program.Multiply(centred, centred)), width);
    const Tensor deviation = program.Unary(UnaryKind::kSqrt, program.Add(variance, program.Double(kEps)));
    const Tensor scale = rounded(program.Divide(program.Double(1), deviation));
    const Tensor normal = program.Multiply(program.Subtract(x, rounded(mean)), scale);
    const Shape weights{shared_ ? 1 : c.shape.groups, c.shape.width};
    return program.Add(program.Multiply(normal, program.Numbers(weights, c.blocks[0])),
                       program.Numbers(weights, c.blocks[1]));
  }
  std::string Describe() const override { return "layer norm"; }

 private:
  // Of a group's weights and biases.
  int64_t First(int64_t group, int64_t width) const { return shared_ ? 0 : group * width; }

  void BackwardGroup(const OpContext& c, int64_t r, int64_t e, int64_t width) const {
    const float* x = &At(c.inputs[0], r, e * width);
    const float* d_y = &At(c.d_output, r, e * width);
    const float* weight = c.blocks[0] + First(e, width);
    float* d_weight = c.d_blocks[0] + First(e, width);
    float* d_bias = c.d_blocks[1] + First(e, width);
    const float* kept = c.workspace + 2 * (r * c.shape.groups + e);
    double sum = 0, sum_x = 0;
    for (int64_t i = 0; i < width; ++i) {
      const float normal = (x[i] - kept[0]) * kept[1];
      d_weight[i] += d_y[i] * normal;
      d_bias[i] += d_y[i];
      sum += double{d_y[i]} * weight[i];
      sum_x += double{d_y[i]} * weight[i] * normal;
    }
    if (c.d_inputs[0].data == nullptr) return;
    const float mean = static_cast<float>(sum / width), mean_x = static_cast<float>(sum_x / width);
    for (int64_t i = 0; i < width; ++i) {
      const float normal = (x[i] - kept[0]) * kept[1];
      const float d = (d_y[i] * weight[i] - mean - normal * mean_x) * kept[1];
      float& out = At(c.d_inputs[0], r, e * width + i);
      out = c.accumulate[0] ? out + d : d;
    }
  }

  bool shared_;
};

std::vector<Block> NormBlocks(Graph& graph, Shape shape, const std::string& name, bool statistics) {
  const std::vector<int64_t> dims =
      shape.groups == 1 ? std::vector<int64_t>{shape.width} : std::vector<int64_t>{shape.groups, shape.width};
  const auto constant = [](float value) { return Initializer{Initializer::Kind::kConstant, value, 0}; };
  std::vector<int> parameters = {graph.AddParameter({name + ".weight", dims, constant(1), false}),
                                 graph.AddParameter({name + ".bias", dims, constant(0), false})};
  if (statistics) {
    parameters.push_back(graph.AddParameter({name + ".running_mean", dims, constant(0), false, false}));
    parameters.push_back(graph.AddParameter({name + ".running_var", dims, constant(1), false, false}));
  }
  std::vector<Block> blocks;
  for (const int p : parameters) blocks.push_back({1, shape.size(), {{p, 0, 1, shape.size(), 0, 0}}});
  return blocks;
}

}  // namespace

Value BatchNorm(Graph& graph, Value x, std::string name) {
  auto blocks = NormBlocks(graph, graph.shape(x), name, true);
  return graph.AddNode(std::move(name), std::make_unique<BatchNormOp>(), {x}, std::move(blocks));
}

Value LayerNorm(Graph& graph, Value x, std::string name, bool shared) {
  const Shape shape = graph.shape(x);
  auto blocks = NormBlocks(graph, shared ? Shape{1, shape.width} : shape, name, false);
  return graph.AddNode(std::move(name), std::make_unique<LayerNormOp>(shared), {x}, std::move(blocks));
}

}  // namespace manygate
