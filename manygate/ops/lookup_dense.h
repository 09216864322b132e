// SPDX-License-Identifier: Apache-2.0
// A dense product over an input that is partly one-hot: y = b + Σ_c W[row of column c's value] + rest·W_rest. Made by the
// look-up pass (ops/lookup_products.h), never by a model. 29 one-hot columns of 488 values in all cost 29 additions of
// a weight row instead of 488 multiply-adds, and their gradient touches the rows of the batch's values only.
//
// Columns with a default value (most rows have it) are summed as base + differences (math/row_table.h), if there is a
// bias. The gradient of a default row is then what the other rows of its column leave of the whole: Σ_b d_y[b] − Σ others
// (DefaultGradient); a default that no row of the batch holds has none.
#ifndef MANYGATE_OPS_LOOKUP_DENSE_H_
#define MANYGATE_OPS_LOOKUP_DENSE_H_

#include <string>
#include <vector>

#include "manygate/graph/graph.h"

namespace manygate {

// Table 0: the one-hot rows, [Σ vocabulary, N]. Input 0, if has_rest: the other inputs [B, K]. Blocks, in order: W_rest
// if has_rest, b if has_bias.
class LookupDenseOp final : public Op {
 public:
  LookupDenseOp(Shape out, std::vector<LookupColumn> columns, bool has_rest, bool has_bias);
  // Whether any column is summed as differences; the table must then have room for them.
  bool has_defaults() const { return has_defaults_; }
  Shape OutputShape(std::span<const Shape>) const override { return out_; }
  OpTraits Traits(std::span<const Shape> inputs) const override;
  void Forward(const OpContext& context) const override;
  void Backward(const OpContext& context) const override;
  void Commit(const OpContext& context) const override;
  void Touch(const InputBatch& input, std::span<RowTable* const> tables) const override;
  void BeginBatch(const OpContext& context) const override;
  void EndBatch(const OpContext& context) const override;
  std::string Describe() const override;

 private:
  Shape out_;
  // Start of the sums: the base with the bias in it, the bias, or null.
  const float* Start(const OpContext& context) const;
  int64_t SelectedStride() const { return static_cast<int64_t>(columns_.size()) + 1; }

  std::vector<LookupColumn> columns_;
  bool has_rest_, has_bias_, has_defaults_ = false;
};

}  // namespace manygate

#endif  // MANYGATE_OPS_LOOKUP_DENSE_H_
