// SPDX-License-Identifier: Apache-2.0
// The nodes by which a row's encoded features enter the graph.
#ifndef MANYGATE_OPS_INPUTS_H_
#define MANYGATE_OPS_INPUTS_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// [B, width]: numbers offset .. offset + width of each row.
Value Numbers(Graph& graph, std::string name, int64_t offset, int64_t width);

// [B, vocabulary]: 1 in column ids[row, slot], 0 elsewhere. Written out only where no pass turned the product behind it
// into a sum of weight rows (ops/lookup_products.h). default_id: the value that most rows have, if one stands out; it
// changes the speed only.
Value OneHot(Graph& graph, std::string name, int slot, int64_t vocabulary, int32_t default_id = -1);

// [B, dim]: row ids[row, slot] of an embedding table of the graph (AddEmbedding). Tables may be shared. default_id: as for
// OneHot.
Value Lookup(Graph& graph, std::string name, int slot, int table, int32_t default_id = -1);
// A table [vocabulary, dim] with the parameter "embeddings.<name>.weight".
int AddEmbedding(Graph& graph, const std::string& name, int64_t vocabulary, int64_t dim, const Initializer& initializer);

// What the look-up pass asks of a node.
class OneHotOp final : public Op {
 public:
  OneHotOp(int slot, int64_t vocabulary, int32_t default_id)
      : slot_(slot), vocabulary_(vocabulary), default_id_(default_id) {}
  int slot() const { return slot_; }
  int32_t default_id() const { return default_id_; }
  int64_t vocabulary() const { return vocabulary_; }
  Shape OutputShape(std::span<const Shape>) const override { return {1, vocabulary_}; }
  OpTraits Traits(std::span<const Shape>) const override { return {}; }
  void Forward(const OpContext& context) const override;
  void Backward(const OpContext&) const override {}
  std::string Describe() const override;

 private:
  int slot_;
  int64_t vocabulary_;
  int32_t default_id_;
};

class LookupOp final : public Op {
 public:
  LookupOp(int slot, int64_t vocabulary, int64_t dim, int32_t default_id)
      : column_{slot, 0, vocabulary}, dim_(dim), default_id_(default_id) {}
  // Its row0 is 0, its default that of the column.
  LookupColumn column() const { return {column_.slot, 0, column_.rows, default_id_}; }
  int64_t dim() const { return dim_; }
  Shape OutputShape(std::span<const Shape>) const override { return {1, dim_}; }
  OpTraits Traits(std::span<const Shape>) const override { return {.commits = true, .workspace_per_row = 2}; }
  void Forward(const OpContext& context) const override;
  void Backward(const OpContext&) const override {}
  void Commit(const OpContext& context) const override;
  void Touch(const InputBatch& input, std::span<RowTable* const> tables) const override;
  std::string Describe() const override;

 private:
  LookupColumn column_;  // without its default: every row adds its embedding to 0
  int64_t dim_;
  int32_t default_id_;
};

}  // namespace manygate

#endif  // MANYGATE_OPS_INPUTS_H_
