// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/lookup_dense.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "manygate/math/elementwise.h"
#include "manygate/math/gemm.h"

namespace manygate {
namespace {

// Touched rows stand column by column (Touch): takes those of this column off the front.
std::span<const int32_t> TakeColumn(const LookupColumn& column, std::span<const int32_t>& touched) {
  size_t n = 0;
  while (n < touched.size() && touched[n] < column.row0 + column.rows) ++n;
  const auto rows = touched.first(n);
  touched = touched.subspan(n);
  return rows;
}

}  // namespace

LookupDenseOp::LookupDenseOp(Shape out, std::vector<LookupColumn> columns, bool has_rest, bool has_bias)
    : out_(out), columns_(std::move(columns)), has_rest_(has_rest), has_bias_(has_bias) {
  for (LookupColumn& column : columns_) {
    if (!has_bias) column.default_id = -1;  // the bias' gradient is the sum that default rows are computed from
    has_defaults_ |= column.default_id >= 0;
  }
}

OpTraits LookupDenseOp::Traits(std::span<const Shape> inputs) const {
  return {.backward_reads_inputs = has_rest_,
          .commits = true,
          .workspace_per_row = SelectedStride(),
          .scratch = has_rest_ ? inputs[0].size() * out_.size() : 0};
}

const float* LookupDenseOp::Start(const OpContext& c) const {
  if (has_defaults_) return c.tables[0]->base();
  return has_bias_ ? c.blocks[has_rest_ ? 1 : 0] : nullptr;
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
  int32_t* selected = reinterpret_cast<int32_t*>(c.workspace);
  SelectRows(columns_, c.rows, c.input->ids, c.input->id_stride, selected);
  GatherSum(*c.tables[0], c.rows, selected, SelectedStride(), c.output.data, c.output.stride);
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
  if (has_bias_) ColumnSums(c.rows, width, c.d_output.data, c.d_output.stride, c.d_blocks[has_rest_ ? 1 : 0]);
}

void LookupDenseOp::Commit(const OpContext& c) const {
  ScatterAdd(*c.tables[0], c.rows, reinterpret_cast<const int32_t*>(c.workspace), SelectedStride(), c.d_output.data,
             c.d_output.stride);
}

void LookupDenseOp::BeginBatch(const OpContext& c) const {
  if (!has_defaults_) return;
  RowTable& table = *c.tables[0];
  std::copy_n(c.blocks[has_rest_ ? 1 : 0], out_.size(), table.base());
  std::vector<int32_t> all;
  std::span<const int32_t> touched = table.touched();
  for (const LookupColumn& column : columns_) {
    if (!c.training) {
      all.resize(column.rows);
      std::iota(all.begin(), all.end(), static_cast<int32_t>(column.row0));
    }
    const std::span<const int32_t> rows = c.training ? TakeColumn(column, touched) : std::span<const int32_t>(all);
    const int64_t default_row = column.default_id < 0 ? -1 : column.row0 + column.default_id;
    UpdateDifferences(table, rows, default_row);
    if (default_row >= 0) AddTo(out_.size(), table.weights(default_row), table.base());
  }
}

void LookupDenseOp::EndBatch(const OpContext& c) const {
  if (!has_defaults_) return;
  RowTable& table = *c.tables[0];
  const float* total = c.d_blocks[has_rest_ ? 1 : 0];
  std::span<const int32_t> touched = table.touched();
  for (const LookupColumn& column : columns_) {
    const std::span<const int32_t> rows = TakeColumn(column, touched);
    const int64_t default_row = column.row0 + column.default_id;
    if (column.default_id < 0 || !table.IsSelected(default_row)) continue;
    DefaultGradient(table, rows, default_row, total);
  }
}

// The default rows are read by every batch, through the base, whether a row of it has them or not.
void LookupDenseOp::Touch(const InputBatch& input, std::span<RowTable* const> tables) const {
  for (const LookupColumn& column : columns_) {
    tables[0]->Touch(input.ids + column.slot, input.id_stride, input.rows, column.row0);
    if (column.default_id >= 0) tables[0]->TouchDefault(column.row0 + column.default_id);
  }
}

std::string LookupDenseOp::Describe() const {
  return fmt::format("sum of weight rows: {} one-hot columns{}", columns_.size(), has_rest_ ? " + dense rest" : "");
}

}  // namespace manygate
