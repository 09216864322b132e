// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/inputs.h"

#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/check.h"
#include "manygate/graph/tensor_program.h"
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
  StatusOr<Tensor> Export(const ExportContext& c) const override { return c.NumbersAt(offset_, width_); }
  std::string Describe() const override { return fmt::format("numbers {}..{}", offset_, offset_ + width_ - 1); }

 private:
  int64_t offset_, width_;
};

}  // namespace

void OneHotOp::Forward(const OpContext& c) const {
  for (int64_t r = 0; r < c.rows; ++r) {
    float* row = c.output.data + r * c.output.stride;
    std::fill_n(row, column_.rows, 0.f);
    const int32_t* ids = c.input->ids + r * c.input->id_stride + column_.slot;
    for (int k = 0; k < column_.num_slots && ids[k] < column_.rows; ++k) row[ids[k]] += 1.f;
  }
}

StatusOr<Tensor> OneHotOp::Export(const ExportContext& c) const {
  return c.program->OneHot(c.IdsAt(column_.slot, column_.num_slots), column_.rows);
}

std::string OneHotOp::Describe() const {
  return fmt::format("{} of {} values, written out", column_.num_slots > 1 ? "counts" : "one-hot", column_.rows);
}

LookupOp::LookupOp(const LookupColumn& column, int64_t dim, Pooling pooling)
    : column_(column),
      dim_(dim),
      default_id_(column.default_id),
      pooling_(column.num_slots > 1 ? pooling : Pooling::kSum),
      selected_stride_(SelectedStride({&column, 1})) {
  column_.default_id = -1;
}

LookupColumn LookupOp::column() const {
  LookupColumn column = column_;
  column.default_id = default_id_;
  return column;
}

OpTraits LookupOp::Traits(std::span<const Shape>) const {
  return {.commits = true, .workspace_per_row = selected_stride_ + (pooling_ == Pooling::kMean ? dim_ : 0)};
}

void LookupOp::Forward(const OpContext& c) const {
  for (int64_t r = 0; r < c.rows; ++r) std::fill_n(c.output.data + r * c.output.stride, dim_, 0.f);
  SelectRows({&column_, 1}, c.rows, c.input->ids, c.input->id_stride, Selected(c));
  GatherSum(*c.tables[0], c.rows, Selected(c), selected_stride_, c.output.data, c.output.stride);
  if (pooling_ == Pooling::kSum) return;
  for (int64_t r = 0; r < c.rows; ++r) {
    const float share = 1.f / static_cast<float>(Selected(c)[r * selected_stride_]);
    float* out = c.output.data + r * c.output.stride;
    for (int64_t i = 0; i < dim_; ++i) out[i] *= share;
  }
}

// Of means: each value of a row gets its share of the row's gradient.
void LookupOp::Backward(const OpContext& c) const {
  if (pooling_ == Pooling::kSum) return;
  for (int64_t r = 0; r < c.rows; ++r) {
    const float share = 1.f / static_cast<float>(Selected(c)[r * selected_stride_]);
    const float* d_out = c.d_output.data + r * c.d_output.stride;
    float* d_value = ValueGradients(c) + r * dim_;
    for (int64_t i = 0; i < dim_; ++i) d_value[i] = d_out[i] * share;
  }
}

void LookupOp::Commit(const OpContext& c) const {
  if (pooling_ == Pooling::kSum) {
    ScatterAdd(*c.tables[0], c.rows, Selected(c), selected_stride_, c.d_output.data, c.d_output.stride);
  } else {
    ScatterAdd(*c.tables[0], c.rows, Selected(c), selected_stride_, ValueGradients(c), dim_);
  }
}

void LookupOp::Touch(const InputBatch& input, std::span<RowTable* const> tables) const {
  tables[0]->Touch({&column_, 1}, input.rows, input.ids, input.id_stride);
}

StatusOr<Tensor> LookupOp::Export(const ExportContext& c) const {
  TensorProgram& program = *c.program;
  const Tensor ids = c.IdsAt(column_.slot, column_.num_slots);
  const Tensor sum = program.SumGroups(program.Gather(c.tables[0], ids));
  if (pooling_ == Pooling::kSum) return sum;
  const Tensor is_value = program.Binary(BinaryKind::kLess, ids, program.Ids({1, 1}, {column_.rows}));
  const Tensor count = program.SumWidth(program.Cast(is_value, TensorType::kNumber));
  return program.Multiply(sum, program.Divide(program.Number(1.f), count));
}

std::string LookupOp::Describe() const {
  if (column_.num_slots == 1) return fmt::format("embedding of {} values", column_.rows);
  return fmt::format("{} of up to {} embeddings of {} values", pooling_ == Pooling::kSum ? "sum" : "mean",
                     column_.num_slots, column_.rows);
}

Value Numbers(Graph& graph, std::string name, int64_t offset, int64_t width) {
  return graph.AddNode(std::move(name), std::make_unique<NumbersOp>(offset, width), {});
}

Value OneHot(Graph& graph, std::string name, IdSlots slots, int64_t vocabulary, int32_t default_id) {
  MG_CHECK(slots.num_slots == 1 || default_id < 0, "{} has several values and a default", name);
  const LookupColumn column{slots.slot, 0, vocabulary, default_id, slots.num_slots};
  return graph.AddNode(std::move(name), std::make_unique<OneHotOp>(column), {});
}

int AddEmbedding(Graph& graph, const std::string& name, int64_t vocabulary, int64_t dim,
                 const Initializer& initializer) {
  const int parameter = graph.AddParameter({"embeddings." + name + ".weight", {vocabulary, dim}, initializer});
  return graph.AddTable({name, vocabulary, dim, {{parameter, 0, vocabulary, dim, 0, 0}}, true});
}

Value Lookup(Graph& graph, std::string name, IdSlots slots, int table, int32_t default_id, Pooling pooling) {
  MG_CHECK(slots.num_slots == 1 || default_id < 0, "{} has several values and a default", name);
  const TableBlock& block = graph.tables[table];
  const LookupColumn column{slots.slot, 0, block.rows, default_id, slots.num_slots};
  auto op = std::make_unique<LookupOp>(column, block.columns, pooling);
  return graph.AddNode(std::move(name), std::move(op), {}, {}, {table});
}

}  // namespace manygate
