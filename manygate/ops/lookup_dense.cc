// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/lookup_dense.h"

#include <fmt/format.h>

#include <algorithm>

#include "manygate/math/gemm.h"

namespace manygate {

OpTraits LookupDenseOp::Traits(std::span<const Shape> inputs) const {
  return {.backward_reads_inputs = has_rest_,
          .commits = true,
          .scratch = has_rest_ ? inputs[0].size() * out_.size() : 0};
}

void LookupDenseOp::Forward(const OpContext& c) const {
  const int64_t width = out_.size();
  const float* bias = has_bias_ ? c.blocks[has_rest_ ? 1 : 0] : nullptr;
  if (has_rest_) {
    MultiplyNN(c.rows, width, c.input_shapes[0].size(), c.inputs[0].data, c.inputs[0].stride, c.blocks[0], width, bias,
               c.output.data, c.output.stride);
  } else {
    for (int64_t r = 0; r < c.rows; ++r) {
      float* out = c.output.data + r * c.output.stride;
      if (bias != nullptr) {
        std::copy_n(bias, width, out);
      } else {
        std::fill_n(out, width, 0.f);
      }
    }
  }
  GatherSum(*c.tables[0], columns_, c.rows, c.input->ids, c.input->id_stride, c.output.data, c.output.stride);
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
  ScatterAdd(*c.tables[0], columns_, c.rows, c.input->ids, c.input->id_stride, c.d_output.data, c.d_output.stride);
}

void LookupDenseOp::Touch(const InputBatch& input, std::span<RowTable* const> tables) const {
  for (const LookupColumn& column : columns_)
    tables[0]->Touch(input.ids + column.slot, input.id_stride, input.rows, column.row0);
}

std::string LookupDenseOp::Describe() const {
  return fmt::format("sum of weight rows: {} one-hot columns{}", columns_.size(), has_rest_ ? " + dense rest" : "");
}

}  // namespace manygate
