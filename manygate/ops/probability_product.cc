// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/probability_product.h"

#include <algorithm>
#include <cmath>

#include "manygate/base/check.h"

namespace manygate {
namespace {

class ProbabilityProductOp final : public Op {
 public:
  Shape OutputShape(std::span<const Shape>) const override { return {1, 1}; }
  // The two derivatives of each row.
  OpTraits Traits(std::span<const Shape>) const override { return {.workspace_per_row = 2}; }

  void Forward(const OpContext& c) const override {
    for (int64_t r = 0; r < c.rows; ++r) {
      const float a = c.inputs[0].data[r * c.inputs[0].stride], b = c.inputs[1].data[r * c.inputs[1].stride];
      const float largest = std::max({-a, -b, -(a + b)});
      const float not_a = std::exp(-a - largest), not_b = std::exp(-b - largest);
      const float neither = std::exp(-(a + b) - largest);
      const float sum = not_a + not_b + neither;
      c.output.data[r * c.output.stride] = -(largest + std::log(sum));
      c.workspace[2 * r] = (not_a + neither) / sum;
      c.workspace[2 * r + 1] = (not_b + neither) / sum;
    }
  }

  void Backward(const OpContext& c) const override {
    for (int i = 0; i < 2; ++i) {
      const View d_x = c.d_inputs[i];
      if (d_x.data == nullptr) continue;
      for (int64_t r = 0; r < c.rows; ++r) {
        const float d = c.d_output.data[r * c.d_output.stride] * c.workspace[2 * r + i];
        d_x.data[r * d_x.stride] = c.accumulate[i] ? d_x.data[r * d_x.stride] + d : d;
      }
    }
  }

  std::string Describe() const override { return "product of probabilities"; }
};

}  // namespace

Value ProbabilityProduct(Graph& graph, Value a, Value b, std::string name) {
  MG_CHECK(graph.shape(a).size() == 1 && graph.shape(b).size() == 1, "{}: {} and {} logits, not 1 and 1", name,
           graph.shape(a).size(), graph.shape(b).size());
  return graph.AddNode(std::move(name), std::make_unique<ProbabilityProductOp>(), {a, b});
}

}  // namespace manygate
