// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/inputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "manygate/math/elementwise.h"

namespace manygate {
namespace {

class NumbersOp final : public Op {
 public:
  NumbersOp(int64_t offset, int64_t width) : offset_(offset), width_(width) {}
  Shape OutputShape(std::span<const Shape>) const override { return {1, width_}; }
  OpTraits Traits(std::span<const Shape>) const override { return {}; }
  void Forward(const OpContext& c) const override {
    CopyOrAdd(c.rows, width_, c.input->numbers + offset_, c.input->number_stride, false, c.output.data,
              c.output.stride);
  }
  void Backward(const OpContext&) const override {}
  std::string Describe() const override { return fmt::format("numbers {}..{}", offset_, offset_ + width_ - 1); }

 private:
  int64_t offset_, width_;
};

}  // namespace

void OneHotOp::Forward(const OpContext& c) const {
  for (int64_t r = 0; r < c.rows; ++r) {
    float* row = c.output.data + r * c.output.stride;
    std::fill_n(row, vocabulary_, 0.f);
    row[c.input->ids[r * c.input->id_stride + slot_]] = 1.f;
  }
}

std::string OneHotOp::Describe() const { return fmt::format("one-hot of {} values, written out", vocabulary_); }

void LookupOp::Forward(const OpContext& c) const {
  for (int64_t r = 0; r < c.rows; ++r) std::fill_n(c.output.data + r * c.output.stride, dim_, 0.f);
  int32_t* selected = reinterpret_cast<int32_t*>(c.workspace);
  SelectRows({&column_, 1}, c.rows, c.input->ids, c.input->id_stride, selected);
  GatherSum(*c.tables[0], c.rows, selected, 2, c.output.data, c.output.stride);
}

void LookupOp::Commit(const OpContext& c) const {
  ScatterAdd(*c.tables[0], c.rows, reinterpret_cast<const int32_t*>(c.workspace), 2, c.d_output.data,
             c.d_output.stride);
}

void LookupOp::Touch(const InputBatch& input, std::span<RowTable* const> tables) const {
  tables[0]->Touch({&column_, 1}, input.rows, input.ids, input.id_stride);
}

std::string LookupOp::Describe() const { return fmt::format("embedding of {} values", column_.rows); }

Value Numbers(Graph& graph, std::string name, int64_t offset, int64_t width) {
  return graph.AddNode(std::move(name), std::make_unique<NumbersOp>(offset, width), {});
}

Value OneHot(Graph& graph, std::string name, int slot, int64_t vocabulary, int32_t default_id) {
  return graph.AddNode(std::move(name), std::make_unique<OneHotOp>(slot, vocabulary, default_id), {});
}

int AddEmbedding(Graph& graph, const std::string& name, int64_t vocabulary, int64_t dim,
                 const Initializer& initializer) {
  const int parameter = graph.AddParameter({"embeddings." + name + ".weight", {vocabulary, dim}, initializer});
  return graph.AddTable({name, vocabulary, dim, {{parameter, 0, vocabulary, dim, 0, 0}}, true});
}

Value Lookup(Graph& graph, std::string name, int slot, int table, int32_t default_id) {
  auto op = std::make_unique<LookupOp>(slot, graph.tables[table].rows, graph.tables[table].columns, default_id);
  return graph.AddNode(std::move(name), std::move(op), {}, {}, {table});
}

}  // namespace manygate
