// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/lookup_dense.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "manygate/math/elementwise.h"
#include "manygate/math/gemm.h"

namespace manygate {

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
  for (size_t i = 0; i < columns_.size(); ++i) {
    const LookupColumn& column = columns_[i];
    if (!c.training) {
      all.resize(column.rows);
      std::iota(all.begin(), all.end(), static_cast<int32_t>(column.row0));
    }
    const int64_t default_row = column.default_id < 0 ? -1 : column.row0 + column.default_id;
    UpdateDifferences(table, c.training ? table.touched()[i] : all, default_row);
    if (default_row >= 0) AddTo(out_.size(), table.weights(default_row), table.base());
  }
}

void LookupDenseOp::EndBatch(const OpContext& c) const {
  if (!has_defaults_) return;
  RowTable& table = *c.tables[0];
  const float* total = c.d_blocks[has_rest_ ? 1 : 0];
  for (size_t i = 0; i < columns_.size(); ++i) {
    const int64_t default_row = columns_[i].row0 + columns_[i].default_id;
    if (columns_[i].default_id >= 0 && table.IsSelected(default_row))
      DefaultGradient(table, table.touched()[i], default_row, total);
  }
}

void LookupDenseOp::Touch(const InputBatch& input, std::span<RowTable* const> tables) const {
  tables[0]->Touch(columns_, input.rows, input.ids, input.id_stride);
}

std::string LookupDenseOp::Describe() const {
  return fmt::format("sum of weight rows: {} one-hot columns{}", columns_.size(), has_rest_ ? " + dense rest" : "");
}

}  // namespace manygate
