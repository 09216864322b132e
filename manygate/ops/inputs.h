// SPDX-License-Identifier: Apache-2.0
// The nodes by which a row's encoded features enter the graph.
#ifndef MANYGATE_OPS_INPUTS_H_
#define MANYGATE_OPS_INPUTS_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// [B, width]: numbers offset .. offset + width of each row.
Value Numbers(Graph& graph, std::string name, int64_t offset, int64_t width);

// Which values of an input row a node reads. One of num_slots values: ids[row, slot]. Several: ids[row, slot] ..
// ids[row, slot + num_slots - 1]; the first is always a value, and an id of `vocabulary` ends them.
struct IdSlots {
  // From a slot alone: of one value.
  IdSlots(int first_slot, int most_values = 1) : slot(first_slot), num_slots(most_values) {}
  int slot, num_slots;
};

enum class Pooling { kSum, kMean };

// [B, vocabulary]: 1 in column ids[row, slot], 0 elsewhere; of several values, how often the row has each. Written out only
// where no pass turned the product behind it into a sum of weight rows (ops/lookup_products.h). default_id: the value that
// most rows have, if one stands out; it changes the speed only, and is -1 with several values.
Value OneHot(Graph& graph, std::string name, IdSlots slots, int64_t vocabulary, int32_t default_id = -1);

// [B, dim]: row ids[row, slot] of an embedding table of the graph (AddEmbedding); of several values the sum of their rows,
// or their mean, as PyTorch's EmbeddingBag: a value that stands twice counts twice. Tables may be shared. default_id: as
// for OneHot.
// Sums of 21 values on average, of 50,000, 16 wide, in 200 slots: 320,000 rows/s where one value per row trains at 510,000
// (MMoE of 4 experts [64, 32], batch 512, one thread of an AMD EPYC, AVX2, 2026); a tenth of the time is spent on them.
Value Lookup(Graph& graph, std::string name, IdSlots slots, int table, int32_t default_id = -1,
             Pooling pooling = Pooling::kSum);
// A table [vocabulary, dim] with the parameter "embeddings.<name>.weight".
int AddEmbedding(Graph& graph, const std::string& name, int64_t vocabulary, int64_t dim,
                 const Initializer& initializer);

// What the look-up pass asks of a node: the rows of its vocabulary that an input row selects, row0 being 0.
class OneHotOp final : public Op {
 public:
  explicit OneHotOp(const LookupColumn& column) : column_(column) {}
  const LookupColumn& column() const { return column_; }
  Shape OutputShape(std::span<const Shape>) const override { return {1, column_.rows}; }
  OpTraits Traits(std::span<const Shape>) const override { return {}; }
  void Forward(const OpContext& context) const override;
  void Backward(const OpContext&) const override {}
  StatusOr<Tensor> Export(const ExportContext& context) const override;
  std::string Describe() const override;

 private:
  LookupColumn column_;
};

class LookupOp final : public Op {
 public:
  // The column's row0 is 0.
  LookupOp(const LookupColumn& column, int64_t dim, Pooling pooling);
  LookupColumn column() const;
  Pooling pooling() const { return pooling_; }
  int64_t dim() const { return dim_; }
  Shape OutputShape(std::span<const Shape>) const override { return {1, dim_}; }
  OpTraits Traits(std::span<const Shape>) const override;
  void Forward(const OpContext& context) const override;
  void Backward(const OpContext& context) const override;
  void Commit(const OpContext& context) const override;
  void Touch(const InputBatch& input, std::span<RowTable* const> tables) const override;
  StatusOr<Tensor> Export(const ExportContext& context) const override;
  std::string Describe() const override;

 private:
  // A slice keeps the rows that it selects (SelectRows), and behind them, of means, the gradient of each value: [B, dim].
  int32_t* Selected(const OpContext& c) const { return reinterpret_cast<int32_t*>(c.workspace); }
  float* ValueGradients(const OpContext& c) const { return c.workspace + c.rows * selected_stride_; }

  LookupColumn column_;  // without its default: every row adds its embedding to 0
  int64_t dim_;
  int32_t default_id_;
  Pooling pooling_;
  int64_t selected_stride_;
};

}  // namespace manygate

#endif  // MANYGATE_OPS_INPUTS_H_
