// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/lookup_dense.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "manygate/math/elementwise.h"
#include "manygate/math/gemm.h"
#include "manygate/math/tabulated_rows.h"

namespace manygate {

LookupDenseOp::LookupDenseOp(Shape out, Inputs inputs)
    : out_(out), one_hots_(std::move(inputs.one_hots)), has_rest_(inputs.has_rest), has_bias_(inputs.has_bias) {
  std::map<int, std::vector<size_t>> by_table;
  for (const TabulatedColumn& column : inputs.tabulated) {
    by_table[column.table].push_back(tabulated_.size());
    tabulated_.push_back(column.column);
  }
  by_table_.assign(by_table.begin(), by_table.end());
  for (auto* columns : {&one_hots_, &tabulated_}) {
    for (LookupColumn& column : *columns) {
      if (!has_bias_) column.default_id = -1;  // the bias' gradient is the sum that default rows are computed from
      has_defaults_ |= column.default_id >= 0;
      if (columns == &one_hots_) has_one_hot_defaults_ |= column.default_id >= 0;
    }
  }
}

OpTraits LookupDenseOp::Traits(std::span<const Shape> inputs) const {
  return {.backward_reads_inputs = has_rest_,
          .commits = true,
          .workspace_per_row = OneHotStride() + TabulatedStride(),
          .scratch = has_rest_ ? inputs[0].size() * out_.size() : 0};
}

float* LookupDenseOp::Base(const OpContext& c) const {
  return tabulated_.empty() ? c.tables[0]->base() : Products(c).base();
}

const float* LookupDenseOp::Start(const OpContext& c) const {
  if (has_defaults_) return Base(c);
  return has_bias_ ? c.blocks[BiasBlock()] : nullptr;
}

void LookupDenseOp::Forward(const OpContext& c) const {
  const int64_t width = out_.size();
  const float* start = Start(c);
  if (has_rest_) {
    MultiplyNN(c.rows, width, c.input_shapes[0].size(), c.inputs[0].data, c.inputs[0].stride, c.blocks[0], width, start,
               c.output.data, c.output.stride);
  } else {
    for (int64_t r = 0; r < c.rows; ++r) {
      float* out = c.output.data + r * c.output.stride;
      if (start != nullptr) {
        std::copy_n(start, width, out);
      } else {
        std::fill_n(out, width, 0.f);
      }
    }
  }
  if (!one_hots_.empty()) {
    SelectRows(one_hots_, c.rows, c.input->ids, c.input->id_stride, SelectedOneHots(c));
    GatherSum(*c.tables[0], c.rows, SelectedOneHots(c), OneHotStride(), c.output.data, c.output.stride);
  }
  if (!tabulated_.empty()) {
    SelectRows(tabulated_, c.rows, c.input->ids, c.input->id_stride, SelectedProducts(c));
    GatherSum(Products(c), c.rows, SelectedProducts(c), TabulatedStride(), c.output.data, c.output.stride);
  }
}

void LookupDenseOp::Backward(const OpContext& c) const {
  const int64_t width = out_.size();
  if (has_rest_) {
    const int64_t in = c.input_shapes[0].size();
    MultiplyTN(c.rows, width, in, c.inputs[0].data, c.inputs[0].stride, c.d_output.data, c.d_output.stride,
               c.d_blocks[0], width);
    if (c.d_inputs[0].data != nullptr) {
      MultiplyNT(c.rows, width, in, c.d_output.data, c.d_output.stride, c.blocks[0], width, c.accumulate[0],
                 c.d_inputs[0].data, c.d_inputs[0].stride, c.scratch);
    }
  }
  if (has_bias_) ColumnSums(c.rows, width, c.d_output.data, c.d_output.stride, c.d_blocks[BiasBlock()]);
}

void LookupDenseOp::Commit(const OpContext& c) const {
  if (!one_hots_.empty())
    ScatterAdd(*c.tables[0], c.rows, SelectedOneHots(c), OneHotStride(), c.d_output.data, c.d_output.stride);
  if (!tabulated_.empty())
    ScatterAdd(Products(c), c.rows, SelectedProducts(c), TabulatedStride(), c.d_output.data, c.d_output.stride);
}

std::span<const int32_t> LookupDenseOp::RowsOf(const OpContext& c, const RowTable& table, size_t column,
                                               const LookupColumn& range, std::vector<int32_t>& all) const {
  if (c.training) return table.touched()[column];
  all.resize(range.rows);
  std::iota(all.begin(), all.end(), static_cast<int32_t>(range.row0));
  return all;
}

void LookupDenseOp::BeginBatch(const OpContext& c) const {
  if (has_defaults_) std::copy_n(c.blocks[BiasBlock()], out_.size(), Base(c));
  if (has_one_hot_defaults_) BeginOneHots(c);
  if (!tabulated_.empty()) BeginTabulated(c);
}

void LookupDenseOp::BeginOneHots(const OpContext& c) const {
  RowTable& table = *c.tables[0];
  std::vector<int32_t> all;
  for (size_t i = 0; i < one_hots_.size(); ++i) {
    const LookupColumn& column = one_hots_[i];
    const int64_t default_row = column.default_id < 0 ? -1 : column.row0 + column.default_id;
    UpdateDifferences(table, RowsOf(c, table, i, column, all), default_row);
    if (default_row >= 0) AddTo(out_.size(), table.weights(default_row), Base(c));
  }
}

// Columns write rows of their own, so threads may share them out; the base is summed in the order of columns.
void LookupDenseOp::BeginTabulated(const OpContext& c) const {
  RowTable& products = Products(c);
  c.pool->ParallelFor(static_cast<int64_t>(by_table_.size()), [&](int64_t group, int) {
    const auto& [table, columns] = by_table_[group];
    std::vector<int32_t> all;
    for (const size_t i : columns) {
      TabulateRows(*c.tables[table], tabulated_[i], c.blocks[FirstTabulatedBlock() + i],
                   RowsOf(c, products, i, tabulated_[i], all), products);
    }
  });
  for (const LookupColumn& column : tabulated_)
    if (column.default_id >= 0) AddTo(out_.size(), products.weights(column.row0 + column.default_id), Base(c));
}

void LookupDenseOp::EndBatch(const OpContext& c) const {
  const float* total = has_bias_ ? c.d_blocks[BiasBlock()] : nullptr;
  const auto default_gradient = [&](RowTable& table, size_t i, const LookupColumn& column) {
    const int64_t default_row = column.row0 + column.default_id;
    if (column.default_id >= 0 && table.IsSelected(default_row))
      DefaultGradient(table, table.touched()[i], default_row, total);
  };
  for (size_t i = 0; i < one_hots_.size(); ++i) default_gradient(*c.tables[0], i, one_hots_[i]);
  // The columns of one embedding table add to the same rows, in their order.
  c.pool->ParallelFor(static_cast<int64_t>(by_table_.size()), [&](int64_t group, int) {
    const auto& [table, columns] = by_table_[group];
    RowTable& products = Products(c);
    for (const size_t i : columns) {
      default_gradient(products, i, tabulated_[i]);
      TabulateRowsBackward(*c.tables[table], tabulated_[i], c.blocks[FirstTabulatedBlock() + i], products.touched()[i],
                           products, c.d_blocks[FirstTabulatedBlock() + i]);
    }
  });
}

void LookupDenseOp::Touch(const InputBatch& input, std::span<RowTable* const> tables) const {
  if (!one_hots_.empty()) tables[0]->Touch(one_hots_, input.rows, input.ids, input.id_stride);
  if (tabulated_.empty()) return;
  RowTable& products = *tables.back();
  products.Touch(tabulated_, input.rows, input.ids, input.id_stride);
  for (const auto& [table, columns] : by_table_)
    for (const size_t i : columns) tables[table]->TouchRows(products.touched()[i], tabulated_[i].row0);
}

std::string LookupDenseOp::Describe() const {
  std::string parts;
  const auto add = [&](const std::string& part) { parts += (parts.empty() ? "" : " + ") + part; };
  if (!one_hots_.empty()) add(fmt::format("{} one-hot columns", one_hots_.size()));
  if (!tabulated_.empty())
    add(fmt::format("{} tabulated embedding{}", tabulated_.size(), tabulated_.size() == 1 ? "" : "s"));
  if (has_rest_) add("dense rest");
  return "sum of weight rows: " + parts;
}

}  // namespace manygate
