// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/attention_transfer.h"

#include <cmath>

#include "manygate/base/check.h"
#include "manygate/graph/tensor_program.h"
#include "manygate/math/elementwise.h"
#include "manygate/math/gemm.h"

namespace manygate {
namespace {

// Four sums side by side, so that an addition need not wait for the one before.
float Dot(const float* a, const float* b, int64_t n) {
  float sums[4] = {0, 0, 0, 0};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int64_t j = 0; j < 4; ++j) sums[j] += a[i + j] * b[i + j];
  for (; i < n; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Block 0: h1, h2, h3 side by side, [H, 3H].
class AttentionTransferOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape> inputs) const override { return inputs[0]; }
  // A row of the workspace: h1, h2, h3 of the information, the same of the task's own vector, the information's weight.
  OpTraits Traits(std::span<const Shape> inputs) const override {
    const int64_t width = inputs[0].width;
    return {.backward_reads_inputs = true, .workspace_per_row = 6 * width + 1, .scratch = 3 * width * width};
  }

  void Forward(const OpContext& c) const override {
    const int64_t width = c.shape.width, stride = 6 * width + 1;
    for (int u = 0; u < 2; ++u) {
      MultiplyNN(c.rows, 3 * width, width, c.inputs[u].data, c.inputs[u].stride, c.blocks[0], 3 * width, nullptr,
                 c.workspace + u * 3 * width, stride);
    }
    const float scale = 1.f / std::sqrt(static_cast<float>(width));
    for (int64_t r = 0; r < c.rows; ++r) {
      float* row = c.workspace + r * stride;
      const float *information = row, *own = row + 3 * width;
      const float difference = (Dot(information, information + width, width) - Dot(own, own + width, width)) * scale;
      const float weight = 1.f / (1.f + std::exp(-difference));
      row[6 * width] = weight;
      float* out = c.output.data + r * c.output.stride;
      for (int64_t h = 0; h < width; ++h)
        out[h] = weight * information[2 * width + h] + (1 - weight) * own[2 * width + h];
    }
  }

  void Backward(const OpContext& c) const override {
    const int64_t width = c.shape.width, stride = 6 * width + 1;
    for (int64_t r = 0; r < c.rows; ++r)
      ProjectionGradients(width, c.d_output.data + r * c.d_output.stride, c.workspace + r * stride);
    for (int u = 0; u < 2; ++u) {
      const float* d_projections = c.workspace + u * 3 * width;
      MultiplyTN(c.rows, 3 * width, width, c.inputs[u].data, c.inputs[u].stride, d_projections, stride,
                 u == 0 ? c.d_blocks[0] : c.scratch, 3 * width);
      if (u == 1) AddTo(3 * width * width, c.scratch, c.d_blocks[0]);
      if (c.d_inputs[u].data != nullptr) {
        MultiplyNT(c.rows, 3 * width, width, d_projections, stride, c.blocks[0], 3 * width, c.accumulate[u],
                   c.d_inputs[u].data, c.d_inputs[u].stride, c.scratch);
      }
    }
  }

  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const int64_t width = c.shape.width;
    const Tensor scale = program.Number(1.f / std::sqrt(static_cast<float>(width)));
    Tensor scores[2], values[2];
    for (int u = 0; u < 2; ++u) {
      const Tensor h = program.MatMul(c.inputs[static_cast<size_t>(u)], {width, 3 * width}, c.blocks[0]);
      scores[u] = program.SumWidth(program.Multiply(program.Slice(h, 0, width), program.Slice(h, width, width)));
      values[u] = program.Slice(h, 2 * width, width);
    }
    const Tensor difference = program.Multiply(program.Subtract(scores[0], scores[1]), scale);
    const Tensor weight = program.Unary(UnaryKind::kSigmoid, difference);
    const Tensor rest = program.Subtract(program.Number(1.f), weight);
    return program.Add(program.Multiply(weight, values[0]), program.Multiply(rest, values[1]));
  }

  std::string Describe() const override { return "attention transfer"; }

 private:
  // One row of the workspace: projections become their gradients.
  static void ProjectionGradients(int64_t width, const float* d_out, float* row) {
    const float weight = row[6 * width];
    float *information = row, *own = row + 3 * width;
    // Of the difference of the two scores, divided by √H as the scores are.
    const float d_score = weight * (1 - weight) / std::sqrt(static_cast<float>(width)) *
                          (Dot(d_out, information + 2 * width, width) - Dot(d_out, own + 2 * width, width));
    const auto gradients = [&](float* h, float d, float share) {
      for (int64_t i = 0; i < width; ++i) {
        const float h1 = h[i];
        h[i] = d * h[width + i];
        h[width + i] = d * h1;
        h[2 * width + i] = share * d_out[i];
      }
    };
    gradients(information, d_score, weight);
    gradients(own, -d_score, 1 - weight);
  }
};

}  // namespace

Value AttentionTransfer(Graph& graph, Value information, Value own, std::string name) {
  const Shape shape = graph.shape(own);
  MG_CHECK(shape.groups == 1 && graph.shape(information) == shape, "{}: {} wide information, {} x {} wide own", name,
           graph.shape(information).width, shape.groups, shape.width);
  const int64_t width = shape.width;
  const float bound = 1.f / std::sqrt(static_cast<float>(width));
  Block block{width, 3 * width, {}};
  for (int64_t i = 0; i < 3; ++i) {
    const int weight = graph.AddParameter({name + ".h" + std::to_string(i + 1) + ".weight",
                                           {width, width},
                                           {Initializer::Kind::kUniform, -bound, bound}});
    block.pieces.push_back({weight, 0, width, width, 0, i * width});
  }
  return graph.AddNode(std::move(name), std::make_unique<AttentionTransferOp>(), {information, own}, {block});
}

}  // namespace manygate
