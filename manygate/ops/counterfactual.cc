// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/counterfactual.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "manygate/base/check.h"

namespace manygate {
namespace {

float Softplus(float x) { return std::max(x, 0.f) + std::log1p(std::exp(-std::abs(x))); }
float Sigmoid(float x) { return 1.f / (1.f + std::exp(-x)); }

class CounterfactualOp final : public Op {
 public:
  explicit CounterfactualOp(const Counterfactual& terms) : terms_(terms) {}
  Shape OutputShape(std::span<const Shape>) const override { return {1, 1}; }
  OpTraits Traits(std::span<const Shape>) const override { return {.backward_reads_inputs = true}; }

  void Forward(const OpContext& c) const override {
    for (int64_t r = 0; r < c.rows; ++r) {
      const Row row = Read(c, r);
      float loss = 0;
      if (row.counts) {
        const float excess = row.loss - row.imputed;
        loss = row.weight * excess;
        if (robust()) loss += row.imputed + row.weight * excess * excess;
      }
      c.output.data[r * c.output.stride] = loss;
    }
  }

  void Backward(const OpContext& c) const override {
    for (int64_t r = 0; r < c.rows; ++r) {
      const Row row = Read(c, r);
      const float d = c.d_output.data[r * c.d_output.stride];
      std::array<float, 3> slopes = {0, 0, 0};
      if (row.counts) {
        // ∂/∂δ; of the imputed loss it is the rest to 1.
        const float slope = row.weight * (robust() ? 1 + 2 * (row.loss - row.imputed) : 1.f);
        if (row.weight > 0) slopes[1] = slope * (Sigmoid(row.conversion) - row.label);
        if (robust()) slopes[2] = (1 - slope) * Sigmoid(row.imputation);
      }
      for (size_t i = 0; i < c.inputs.size(); ++i) {
        const View d_x = c.d_inputs[i];
        if (d_x.data == nullptr) continue;
        const float old = c.accumulate[i] ? d_x.data[r * d_x.stride] : 0.f;
        d_x.data[r * d_x.stride] = old + slopes[i] * d;
      }
    }
  }

  std::string Describe() const override { return robust() ? "doubly robust loss" : "inverse propensity weighted loss"; }

 private:
  struct Row {
    bool counts = false;  // the labels that it needs are there
    float weight = 0;     // o · w; where it is 0, loss stays 0 too
    float label = 0, conversion = 0, loss = 0;
    float imputation = 0, imputed = 0;
  };

  bool robust() const { return terms_.imputation >= 0; }

  Row Read(const OpContext& c, int64_t r) const {
    Row row;
    if (c.input->labels == nullptr) return row;
    const float* labels = c.input->labels + r * c.input->label_stride;
    const float click = labels[terms_.click_label];
    row.label = labels[terms_.conversion_label];
    row.counts = click == 0 || (!std::isnan(click) && !std::isnan(row.label));
    if (!row.counts) return row;
    if (robust()) {
      row.imputation = c.inputs[2].data[r * c.inputs[2].stride];
      row.imputed = Softplus(row.imputation);
    }
    if (click == 0) return row;
    const float inverse = 1 + std::exp(-c.inputs[0].data[r * c.inputs[0].stride]);
    row.weight = click * std::min(inverse, terms_.max_inverse_propensity);
    row.conversion = c.inputs[1].data[r * c.inputs[1].stride];
    row.loss = Softplus(row.conversion) - row.label * row.conversion;
    return row;
  }

  Counterfactual terms_;
};

}  // namespace

Value CounterfactualLoss(Graph& graph, const Counterfactual& terms, std::string name) {
  std::vector<Value> inputs = {terms.click, terms.conversion};
  if (terms.imputation >= 0) inputs.push_back(terms.imputation);
  for (const Value input : inputs)
    MG_CHECK(graph.shape(input).size() == 1, "{}: {} logits, not 1", name, graph.shape(input).size());
  return graph.AddNode(std::move(name), std::make_unique<CounterfactualOp>(terms), std::move(inputs));
}

}  // namespace manygate
