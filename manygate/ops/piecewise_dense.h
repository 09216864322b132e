// SPDX-License-Identifier: Apache-2.0
// The part of a dense product that piecewise-linear inputs make: y = rest + Σ_c e_c·W_c, e_c the pieces of feature c
// (math/piecewise.h). Made by a pass (ops/piecewise_products.h), never by a model.
#ifndef MANYGATE_OPS_PIECEWISE_DENSE_H_
#define MANYGATE_OPS_PIECEWISE_DENSE_H_

#include <string>
#include <utility>
#include <vector>

#include "manygate/graph/graph.h"

namespace manygate {

// Where a feature's encoding stands in an input row, and its rows in the weights.
struct PiecewiseColumn {
  int slot;
  int64_t number_offset;
  int64_t row0;  // first row of the feature in W
  int64_t pieces;
};

// Input 0, if there is one: [B, N], added to. Block 0: W [Σ pieces, N]; block 1, only without input: b [1, N].
// Derived table 0: [Σ pieces, 2·N], FillPiecewiseTable of each column.
class PiecewiseDenseOp final : public Op {
 public:
  PiecewiseDenseOp(Shape out, std::vector<PiecewiseColumn> columns) : out_(out), columns_(std::move(columns)) {}
  Shape OutputShape(std::span<const Shape>) const override { return out_; }
  OpTraits Traits(std::span<const Shape> inputs) const override;
  void Forward(const OpContext& context) const override;
  void Backward(const OpContext& context) const override;
  void BeginBatch(const OpContext& context) const override;
  std::string Describe() const override;

 private:
  Shape out_;
  std::vector<PiecewiseColumn> columns_;
};

}  // namespace manygate

#endif  // MANYGATE_OPS_PIECEWISE_DENSE_H_
