// SPDX-License-Identifier: Apache-2.0
// A matrix of which a batch touches few rows: embedding tables, and the weights of one-hot inputs. One record per row
// keeps the row and all that an update of it needs side by side:
//
//   record r:  [ weights | difference | gradient | state 0 | state 1 | ... ]   each `padded_width` floats (x 16)
//
// A column whose values are mostly one default is summed as base + differences: base = Σ of the default rows, difference
// r = weights r − weights of its column's default. A row of the batch then adds only what is not default (10 of 29
// columns on Census-Income). Without defaults there is no difference part.
//
// Order of calls in a training step: StartBatch, Touch (ids of the batch) -> the optimizer brings the touched rows up to
// date (optimizers/optimizer.h) -> SelectRows, GatherSum -> ScatterAdd adds to gradients, which stay pending in the
// record until the row is touched again or everything is settled.
#ifndef MANYGATE_MATH_ROW_TABLE_H_
#define MANYGATE_MATH_ROW_TABLE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "manygate/base/memory.h"

namespace manygate {

// Which row of the table each one-hot or embedding column of an input row selects.
struct LookupColumn {
  int slot;                 // index into the ids of an input row
  int64_t row0;             // the column's first row in the table
  int64_t rows;             // values of the column
  int32_t default_id = -1;  // the value that the base stands for; -1: none
  // Most values of an input row: it selects the rows of ids[slot] .. ids[slot + num_slots - 1], the first of which is
  // always a value; an id of `rows` ends them. One value twice selects its row twice. Several: without default_id.
  int num_slots = 1;
};

class RowTable {
 public:
  // num_states: optimizer values per weight; -1 for a table that only predicts (no gradient).
  RowTable(std::string name, int64_t rows, int64_t width, int num_states, bool differences = false);

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
  bool has_differences() const { return differences_; }
  float* difference(int64_t row) { return weights(row) + padded_width_; }
  float* gradient(int64_t row) { return weights(row) + (differences_ ? 2 : 1) * padded_width_; }
  float* state(int64_t row, int k) { return gradient(row) + (1 + k) * padded_width_; }
  // What is summed for a selected row: its difference if there is one, else its weights.
  const float* summands() const { return data_.data() + (differences_ ? padded_width_ : 0); }
  // Start of every sum: bias + Σ default rows. [padded_width]
  float* base() { return base_.data(); }

  // Per row: the first training step whose update is not yet in the weights (steps count from 1).
  std::vector<int32_t>& first_pending() { return first_pending_; }

  // Rows that the present batch reads, each once: one list per column of those that Touch was given, in order of first
  // appearance.
  const std::vector<std::vector<int32_t>>& touched() const { return touched_; }
  // Starts a new batch: forgets the touched rows.
  void StartBatch();
  // Adds the rows that a batch selects. A table that several nodes share is touched by each; its lists then mix columns.
  // A default row is added too, selected or not: it is read through the base.
  // ids: [rows, id_stride].
  void Touch(std::span<const LookupColumn> columns, int64_t rows, const int32_t* ids, int64_t id_stride);
  // The same for rows that another table was touched with: its row r is row r − row0 here. They join the first list.
  void TouchRows(std::span<const int32_t> rows, int64_t row0);
  // Whether a row of the batch selects it.
  bool IsSelected(int64_t row) const { return is_touched_[row] == kSelected; }

 private:
  // kSeveral: whether a column has several slots.
  template <bool kSeveral>
  void TouchIds(std::span<const LookupColumn> columns, int64_t rows, const int32_t* ids, int64_t id_stride);

  std::string name_;
  int64_t rows_, width_, padded_width_, record_size_;
  int num_states_;
  bool differences_;
  FloatBuffer data_, base_;
  std::vector<int32_t> first_pending_;
  std::vector<std::vector<int32_t>> touched_;
  static constexpr uint8_t kSelected = 1, kReadOnly = 2;
  std::vector<uint8_t> is_touched_;
};

// Numbers per input row of what SelectRows writes: one more than all columns have slots.
int64_t SelectedStride(std::span<const LookupColumn> columns);
// The table rows that each input row adds: selected[r * SelectedStride] is their number n, and n row numbers follow, in the
// order of columns. A column whose value is its default adds none.
// ids: [rows, id_stride]; selected: rows * SelectedStride numbers.
void SelectRows(std::span<const LookupColumn> columns, int64_t rows, const int32_t* ids, int64_t id_stride,
                int32_t* selected);

// out[r, :] += Σ summands of the rows that input row r selects. selected: from SelectRows, selected_stride numbers per row.
void GatherSum(const RowTable& table, int64_t rows, const int32_t* selected, int64_t selected_stride, float* out,
               int64_t out_stride);
// gradient of each selected row += d_out[r, :], row by row in order.
void ScatterAdd(RowTable& table, int64_t rows, const int32_t* selected, int64_t selected_stride, const float* d_out,
                int64_t d_out_stride);

// gradient of default_row = total − Σ gradients of the other given rows, total: [width] the column's whole gradient.
// Where that is lost in the rounding of what it is computed from (below 2^-18 of Σ |terms|) it is an exact 0: units that
// are dead for all default rows have no gradient, and Adam would blow the rounding noise up to full steps.
void DefaultGradient(RowTable& table, std::span<const int32_t> rows, int64_t default_row, const float* total);

// difference = weights − weights of default_row (−1: 0), for the given rows.
void UpdateDifferences(RowTable& table, std::span<const int32_t> rows, int64_t default_row);

}  // namespace manygate

#endif  // MANYGATE_MATH_ROW_TABLE_H_
