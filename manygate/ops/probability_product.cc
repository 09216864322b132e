// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/probability_product.h"

#include <algorithm>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/graph/tensor_program.h"

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

  StatusOr<Tensor> Export(const ExportContext& c) const override {
    TensorProgram& program = *c.program;
    const auto negative = [&](Tensor x) { return program.Unary(UnaryKind::kNegative, x); };
    const Tensor a = program.Flat(c.inputs[0]), b = program.Flat(c.inputs[1]);
    const Tensor terms[] = {negative(a), negative(b), negative(program.Add(a, b))};
    const Tensor largest =
        program.Binary(BinaryKind::kLarger, program.Binary(BinaryKind::kLarger, terms[0], terms[1]), terms[2]);
    const auto odds = [&](Tensor term) { return program.Unary(UnaryKind::kExp, program.Subtract(term, largest)); };
    const Tensor sum = program.Add(program.Add(odds(terms[0]), odds(terms[1])), odds(terms[2]));
    return negative(program.Add(largest, program.Unary(UnaryKind::kLog, sum)));
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
