// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/funnel_penalty.h"

#include "manygate/base/check.h"
#include "manygate/math/elementwise.h"

namespace manygate {
namespace {

class FunnelPenaltyOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape>) const override { return {1, 1}; }
  // The probabilities of each row.
  OpTraits Traits(std::span<const Shape> inputs) const override {
    return {.workspace_per_row = static_cast<int64_t>(inputs.size())};
  }

  void Forward(const OpContext& c) const override {
    const int64_t steps = static_cast<int64_t>(c.inputs.size());
    for (int64_t t = 0; t < steps; ++t) {
      ActivationForward(Activation::kSigmoid, c.rows, 1, c.inputs[t].data, c.inputs[t].stride, c.workspace + t, steps);
    }
    for (int64_t r = 0; r < c.rows; ++r) {
      const float* p = c.workspace + r * steps;
      float sum = 0;
      for (int64_t t = 1; t < steps; ++t) sum += p[t] > p[t - 1] ? p[t] - p[t - 1] : 0.f;
      c.output.data[r * c.output.stride] = sum;
    }
  }

  void Backward(const OpContext& c) const override {
    const int64_t steps = static_cast<int64_t>(c.inputs.size());
    for (int64_t t = 0; t < steps; ++t) {
      const View d_x = c.d_inputs[t];
      if (d_x.data == nullptr) continue;
      for (int64_t r = 0; r < c.rows; ++r) {
        const float* p = c.workspace + r * steps;
        const int above = t > 0 && p[t] > p[t - 1], below = t + 1 < steps && p[t + 1] > p[t];
        const float d = static_cast<float>(above - below) * p[t] * (1 - p[t]) * c.d_output.data[r * c.d_output.stride];
        d_x.data[r * d_x.stride] = c.accumulate[t] ? d_x.data[r * d_x.stride] + d : d;
      }
    }
  }

  std::string Describe() const override { return "penalty on a rising funnel"; }
};

}  // namespace

Value FunnelPenalty(Graph& graph, std::vector<Value> logits, std::string name) {
  MG_CHECK(logits.size() >= 2, "{}: a funnel of {}", name, logits.size());
  for (const Value value : logits)
    MG_CHECK(graph.shape(value).size() == 1, "{}: {} logits, not 1", name, graph.shape(value).size());
  return graph.AddNode(std::move(name), std::make_unique<FunnelPenaltyOp>(), std::move(logits));
}

}  // namespace manygate
