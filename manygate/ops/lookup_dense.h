// SPDX-License-Identifier: Apache-2.0
// A dense product over an input that consists of one-hot columns, embeddings and the rest:
//
//   y = b + Σ_c W[row of column c's value] + Σ_e (E_e·W_e)[value of column e] + rest·W_rest
//
// Made by the look-up pass (ops/lookup_products.h), never by a model. 29 one-hot columns of 488 values in all cost 29
// additions of a weight row instead of 488 multiply-adds, and their gradient touches the rows of the batch's values only.
// An embedding is tabulated: the product of each value's row is made once per batch (math/tabulated_rows.h) and added by
// every row that has the value; so are its gradients. A column of several values adds a row for each.
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

struct TabulatedColumn {
  LookupColumn column;  // row0: its first row in the derived table
  int table;            // of its embeddings, among the node's tables
};

class LookupDenseOp final : public Op {
 public:
  struct Inputs {
    std::vector<LookupColumn> one_hots;
    std::vector<TabulatedColumn> tabulated;
    bool has_rest, has_bias;
  };

  // Input 0, if has_rest: the other inputs [B, K]. Tables, in order: the one-hot rows [Σ vocabulary, N] if any; the
  // embeddings, each once; derived, if anything is tabulated: one table of the products, [Σ vocabulary, N]. Blocks, in
  // order: W_rest if has_rest, b if has_bias, the batch-only W_e [d, N] of each tabulated column.
  LookupDenseOp(Shape out, Inputs inputs);
  // Whether a one-hot column is summed as differences; its table must then have room for them.
  bool has_one_hot_defaults() const { return has_one_hot_defaults_; }
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
  // Start of the sums: the base with the bias in it, the bias, or null.
  const float* Start(const OpContext& context) const;
  RowTable& Products(const OpContext& context) const { return *context.tables.back(); }
  float* Base(const OpContext& context) const;
  // Rows of a column of the table that this batch reads; predicting: all.
  std::span<const int32_t> RowsOf(const OpContext& context, const RowTable& table, size_t column,
                                  const LookupColumn& range, std::vector<int32_t>& all) const;
  void BeginOneHots(const OpContext& context) const;
  void BeginTabulated(const OpContext& context) const;
  int BiasBlock() const { return has_rest_ ? 1 : 0; }
  int FirstTabulatedBlock() const { return BiasBlock() + (has_bias_ ? 1 : 0); }
  int64_t OneHotStride() const { return one_hots_.empty() ? 0 : SelectedStride(one_hots_); }
  int64_t TabulatedStride() const { return tabulated_.empty() ? 0 : SelectedStride(tabulated_); }
  // Where a slice keeps the rows that it selects (SelectRows).
  int32_t* SelectedOneHots(const OpContext& c) const { return reinterpret_cast<int32_t*>(c.workspace); }
  int32_t* SelectedProducts(const OpContext& c) const { return SelectedOneHots(c) + c.rows * OneHotStride(); }

  Shape out_;
  std::vector<LookupColumn> one_hots_, tabulated_;
  std::vector<std::pair<int, std::vector<size_t>>> by_table_;  // embeddings -> its tabulated columns
  bool has_rest_, has_bias_, has_one_hot_defaults_ = false, has_defaults_ = false;
};

}  // namespace manygate

#endif  // MANYGATE_OPS_LOOKUP_DENSE_H_
