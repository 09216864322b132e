// SPDX-License-Identifier: Apache-2.0
// A matrix of which a batch touches few rows: embedding tables, and the weights of one-hot inputs. One record per row
// keeps the row and all that an update of it needs side by side:
//
//   record r:  [ weights | gradient | state 0 | state 1 | ... ]   each `padded_width` floats (a multiple of 16)
//
// Order of calls in a training step: CollectTouched (ids of the batch) -> the optimizer brings the touched rows up to
// date (optimizers/optimizer.h) -> GatherSum reads weights -> ScatterAdd adds to gradients, which stay pending in the
// record until the row is touched again or everything is settled.
#ifndef MANYGATE_MATH_ROW_TABLE_H_
#define MANYGATE_MATH_ROW_TABLE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "manygate/base/memory.h"

namespace manygate {

class RowTable {
 public:
  // num_states: optimizer values per weight; -1 for a table that only predicts (no gradient).
  RowTable(std::string name, int64_t rows, int64_t width, int num_states);

  const std::string& name() const { return name_; }
  int64_t rows() const { return rows_; }
  int64_t width() const { return width_; }
  int64_t padded_width() const { return padded_width_; }
  int64_t record_size() const { return record_size_; }  // floats
  int num_states() const { return num_states_; }
  float* records() { return data_.data(); }
  const float* records() const { return data_.data(); }
  int64_t size() const { return rows_ * record_size_; }  // floats in all records
  float* weights(int64_t row) { return data_.data() + row * record_size_; }
  const float* weights(int64_t row) const { return data_.data() + row * record_size_; }
  float* gradient(int64_t row) { return weights(row) + padded_width_; }
  float* state(int64_t row, int k) { return weights(row) + (2 + k) * padded_width_; }

  // Per row: the first training step whose update is not yet in the weights (steps count from 1).
  std::vector<int32_t>& first_pending() { return first_pending_; }

  // Rows of the present batch, each once, in order of first appearance.
  const std::vector<int32_t>& touched() const { return touched_; }
  // Starts a new batch: forgets the touched rows.
  void StartBatch();
  // Adds row0 + ids[r * id_stride] for r < n.
  void Touch(const int32_t* ids, int64_t id_stride, int64_t n, int64_t row0);

 private:
  std::string name_;
  int64_t rows_, width_, padded_width_, record_size_;
  int num_states_;
  FloatBuffer data_;
  std::vector<int32_t> first_pending_;
  std::vector<int32_t> touched_;
  std::vector<uint8_t> is_touched_;
};

// Which row of the table each one-hot or embedding column of an input row selects.
struct LookupColumn {
  int slot;      // index into the ids of an input row
  int64_t row0;  // the column's first row in the table
};

// out[r, :] += Σ_c weights(columns[c].row0 + ids[r, columns[c].slot]), in the order of columns.
// ids: [rows, id_stride]; out: [rows, out_stride], width floats used.
void GatherSum(const RowTable& table, std::span<const LookupColumn> columns, int64_t rows, const int32_t* ids,
               int64_t id_stride, float* out, int64_t out_stride);
// gradient(columns[c].row0 + ids[r, columns[c].slot]) += d_out[r, :], row by row in order.
void ScatterAdd(RowTable& table, std::span<const LookupColumn> columns, int64_t rows, const int32_t* ids,
                int64_t id_stride, const float* d_out, int64_t d_out_stride);

}  // namespace manygate

#endif  // MANYGATE_MATH_ROW_TABLE_H_
