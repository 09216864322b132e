// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/gate_dropout.h"

#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/check.h"
#include "manygate/graph/tensor_program.h"
#include "manygate/math/dropout.h"
#include "manygate/math/elementwise.h"

namespace manygate {
namespace {

constexpr float kNothing = 1e-20f;  // its reciprocal, times a gradient, is still a float

// With s = 1 / (1 - ratio), DropoutRows gives s m_e x_e; s cancels in forward and backward.
class GateDropoutOp final : public Op {
 public:
  explicit GateDropoutOp(float ratio) : ratio_(ratio) {}
  Shape OutputShape(std::span<const Shape> inputs) const override { return inputs[0]; }
  // Of each row E numbers for the backward pass to work in, and then 1 / Σ_j s m_j w_j; 0: the row stayed as it was.
  OpTraits Traits(std::span<const Shape> inputs) const override {
    return {.backward_reads_output = true, .workspace_per_row = inputs[0].size() + 1};
  }

  void Forward(const OpContext& c) const override {
    const int64_t experts = c.shape.size();
    const View w = c.inputs[0], y = c.output;
    if (!c.training) return CopyOrAdd(c.rows, experts, w.data, w.stride, false, y.data, y.stride);
    DropoutRows(Key(c), ratio_, c.rows, experts, w.data, w.stride, false, y.data, y.stride);
    float* factors = Factors(c);
    for (int64_t r = 0; r < c.rows; ++r) {
      float* row = y.data + r * y.stride;
      float sum = 0;
      for (int64_t e = 0; e < experts; ++e) sum += row[e];
      factors[r] = sum * (1 - ratio_) < kNothing ? 0.f : 1.f / sum;
      if (factors[r] == 0) {
        std::copy_n(w.data + r * w.stride, experts, row);
      } else {
        for (int64_t e = 0; e < experts; ++e) row[e] *= factors[r];
      }
    }
  }

  // d_w_e = m_e (d_y_e − Σ_j d_y_j y_j) / Σ_j m_j w_j. The mask is drawn again, so none is kept.
  void Backward(const OpContext& c) const override {
    const View y = c.output, d_y = c.d_output, d_w = c.d_inputs[0];
    if (d_w.data == nullptr) return;
    const int64_t experts = c.shape.size();
    const float* factors = Factors(c);
    for (int64_t r = 0; r < c.rows; ++r) {
      const float *out = y.data + r * y.stride, *up = d_y.data + r * d_y.stride;
      float dot = 0;
      for (int64_t e = 0; e < experts; ++e) dot += up[e] * out[e];
      for (int64_t e = 0; e < experts; ++e) c.workspace[r * experts + e] = (up[e] - dot) * factors[r];
    }
    DropoutRows(Key(c), ratio_, c.rows, experts, c.workspace, experts, c.accumulate[0], d_w.data, d_w.stride);
    for (int64_t r = 0; r < c.rows; ++r)
      if (factors[r] == 0) AddTo(experts, d_y.data + r * d_y.stride, d_w.data + r * d_w.stride);
  }
  StatusOr<Tensor> Export(const ExportContext& c) const override { return c.inputs[0]; }
  std::string Describe() const override { return fmt::format("dropout of experts {:g}", ratio_); }

 private:
  static DropoutKey Key(const OpContext& c) { return {c.seed, static_cast<uint64_t>(c.step), c.first_row}; }
  static float* Factors(const OpContext& c) { return c.workspace + c.rows * c.shape.size(); }
  float ratio_;
};

}  // namespace

Value GateDropout(Graph& graph, Value weights, float ratio, std::string name) {
  MG_CHECK(ratio >= 0 && ratio < 1, "{}: ratio {}", name, ratio);
  if (ratio == 0.f) return weights;
  return graph.AddNode(std::move(name), std::make_unique<GateDropoutOp>(ratio), {weights});
}

}  // namespace manygate
