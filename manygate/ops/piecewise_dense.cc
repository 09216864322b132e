// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/piecewise_dense.h"

#include <fmt/format.h>

#include <algorithm>

#include "manygate/math/elementwise.h"
#include "manygate/math/gemm.h"
#include "manygate/math/piecewise.h"

namespace manygate {
namespace {

PiecewiseRows RowsOf(const OpContext& c, const PiecewiseColumn& column) {
  return {c.rows, c.input->ids + column.slot, c.input->id_stride, c.input->numbers + column.number_offset,
          c.input->number_stride};
}

}  // namespace

OpTraits PiecewiseDenseOp::Traits(std::span<const Shape> inputs) const {
  int64_t most = 0;
  for (const PiecewiseColumn& column : columns_) most = std::max(most, column.pieces);
  return {.memory = inputs.empty() ? OpTraits::Memory::kOwn : OpTraits::Memory::kInPlace,
          .scratch = most * out_.size()};
}

void PiecewiseDenseOp::BeginBatch(const OpContext& c) const {
  RowTable& table = *c.tables[0];
  for (const PiecewiseColumn& column : columns_) {
    FillPiecewiseTable(column.pieces, out_.size(), c.blocks[0] + column.row0 * out_.size(), table.weights(column.row0),
                       table.record_size());
  }
}

void PiecewiseDenseOp::Forward(const OpContext& c) const {
  const int64_t width = out_.size();
  if (c.inputs.empty()) {
    for (int64_t r = 0; r < c.rows; ++r) {
      float* row = c.output.data + r * c.output.stride;
      if (c.blocks.size() > 1) {
        std::copy_n(c.blocks[1], width, row);
      } else {
        std::fill_n(row, width, 0.f);
      }
    }
  } else if (c.inputs[0].data != c.output.data) {
    CopyOrAdd(c.rows, width, c.inputs[0].data, c.inputs[0].stride, false, c.output.data, c.output.stride);
  }
  const RowTable& table = *c.tables[0];
  for (const PiecewiseColumn& column : columns_) {
    AddPiecewise(RowsOf(c, column), width, table.weights(column.row0), table.record_size(), c.output.data,
                 c.output.stride);
  }
}

void PiecewiseDenseOp::Backward(const OpContext& c) const {
  const int64_t width = out_.size();
  for (const PiecewiseColumn& column : columns_) {
    PiecewiseGradient(RowsOf(c, column), column.pieces, width, c.d_output.data, c.d_output.stride,
                      c.d_blocks[0] + column.row0 * width, c.scratch);
  }
  if (c.inputs.empty()) {
    if (c.blocks.size() > 1) ColumnSums(c.rows, width, c.d_output.data, c.d_output.stride, c.d_blocks[1]);
  } else if (c.d_inputs[0].data != nullptr && c.d_inputs[0].data != c.d_output.data) {
    CopyOrAdd(c.rows, width, c.d_output.data, c.d_output.stride, c.accumulate[0], c.d_inputs[0].data,
              c.d_inputs[0].stride);
  }
}

std::string PiecewiseDenseOp::Describe() const {
  return fmt::format("sum of weight rows: {} piecewise-linear {}", columns_.size(),
                     columns_.size() == 1 ? "column" : "columns");
}

}  // namespace manygate
