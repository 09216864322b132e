// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/load_balance.h"

#include <algorithm>

#include "manygate/math/elementwise.h"

namespace manygate {
namespace {

class LoadBalanceOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape>) const override { return {1, 1}; }
  // For each expert the derivative by its weight, which is the same in all rows.
  OpTraits Traits(std::span<const Shape> inputs) const override { return {.workspace_fixed = inputs[0].size()}; }

  void Forward(const OpContext& c) const override {
    const int64_t experts = c.input_shapes[0].size();
    const View w = c.inputs[0];
    float* importance = c.workspace;
    std::fill_n(importance, experts, 0.f);
    for (int64_t r = 0; r < c.rows; ++r) AddTo(experts, w.data + r * w.stride, importance);
    double sum = 0, variance = 0;
    for (int64_t e = 0; e < experts; ++e) sum += importance[e];
    // v_e = E I_e / Σ I − 1, the deviation from the mean in units of it; without any weight there is none.
    const double scale = sum > 0 ? 1 / sum : 0, count = static_cast<double>(experts);
    const auto deviation = [&](int64_t e) { return sum > 0 ? count * importance[e] * scale - 1 : 0; };
    for (int64_t e = 0; e < experts; ++e) variance += deviation(e) * deviation(e) / count;
    for (int64_t r = 0; r < c.rows; ++r) c.output.data[r * c.output.stride] = static_cast<float>(variance);
    // d variance / d I_e = 2 (v_e − variance) / Σ I, as Σ v = 0; from here on in the place of I_e.
    for (int64_t e = 0; e < experts; ++e) c.workspace[e] = static_cast<float>(2 * (deviation(e) - variance) * scale);
  }

  void Backward(const OpContext& c) const override {
    const View d_w = c.d_inputs[0];
    if (d_w.data == nullptr) return;
    double up = 0;
    for (int64_t r = 0; r < c.rows; ++r) up += c.d_output.data[r * c.d_output.stride];
    for (int64_t r = 0; r < c.rows; ++r) {
      float* row = d_w.data + r * d_w.stride;
      for (int64_t e = 0; e < c.input_shapes[0].size(); ++e)
        row[e] = (c.accumulate[0] ? row[e] : 0.f) + static_cast<float>(up) * c.workspace[e];
    }
  }
  std::string Describe() const override { return "load balance of experts"; }
};

}  // namespace

Value LoadBalance(Graph& graph, Value weights, std::string name) {
  return graph.AddNode(std::move(name), std::make_unique<LoadBalanceOp>(), {weights});
}

}  // namespace manygate
