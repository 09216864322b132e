// SPDX-License-Identifier: Apache-2.0
// All rows of a table as model input: one compact record per row, so that a random row costs one to three cache lines.
//
//   MG_ASSIGN_OR_RETURN(features::EncodedTable table, features::Encode(schema, raw_table, /*with_labels=*/true, pool));
//   table.CopyRows(shuffled.data() + start, n, ids, numbers, labels, weights);   // once per batch
//
// A record, without gaps but for the padding at its end:
//   ids       num_id_slots of 2 bytes (every vocabulary <= 65,536 ids, 65,535 where a row has several) or 4 bytes; then
//             padding to 4 bytes
//   numbers   number_width floats
//   labels    num_labels floats, NaN = this row lacks the label
//   weights   num_weights floats, one per weight column of the schema
// padded to 8, 16, 32 or 64 bytes and beyond that to a multiple of 64, so that small records never straddle two cache
// lines and large ones never touch one line more than they need. Groups of rows are not part of records: few models
// have any, and metrics read them by row.
#ifndef MANYGATE_FEATURES_ENCODE_H_
#define MANYGATE_FEATURES_ENCODE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "manygate/base/memory.h"
#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/data/table.h"
#include "manygate/features/schema.h"

namespace manygate::features {

// Where the parts of a record lie, in bytes.
struct RecordLayout {
  int num_id_slots = 0;
  int number_width = 0;
  int num_labels = 0;
  int num_weights = 0;
  int id_bytes = 2;
  size_t numbers_offset = 0;
  size_t labels_offset = 0;
  size_t weights_offset = 0;
  size_t record_bytes = 0;
};
RecordLayout LayoutOf(const Schema& schema, bool with_labels);

class EncodedTable {
 public:
  EncodedTable() = default;
  // All records and groups zero; Encode fills them.
  EncodedTable(int64_t rows, const RecordLayout& layout, int num_groups = 0);

  int64_t rows() const { return rows_; }
  int num_id_slots() const { return layout_.num_id_slots; }
  int number_width() const { return layout_.number_width; }
  int num_labels() const { return layout_.num_labels; }    // 0 if encoded without labels
  int num_weights() const { return layout_.num_weights; }  // 0 if encoded without labels
  int num_groups() const { return static_cast<int>(groups_.size()); }
  // [rows], the group of each row by schema.group_column(k): equal numbers = equal values, missing being a value too.
  // The numbers mean nothing in another table.
  std::span<const int32_t> groups(int k) const { return groups_[k]; }
  std::vector<int32_t>& mutable_groups(int k) { return groups_[k]; }
  const RecordLayout& layout() const { return layout_; }
  size_t memory_bytes() const { return storage_.size() * sizeof(float); }

  // Copies n rows, in the order given, into row-major arrays; any of the arrays may be null. Does not allocate. Records
  // are fetched some rows ahead: shuffled rows of 128 bytes take 18 to 26 ns each instead of 115 (AMD EPYC, one thread,
  // encode_bench.cc).
  //   rows: [n], each in 0 .. rows()-1         ids: [n, num_id_slots]      numbers: [n, number_width]
  //   labels: [n, num_labels], NaN = missing   weights: [n, num_weights]
  void CopyRows(const uint32_t* rows, int n, int32_t* ids, float* numbers, float* labels, float* weights) const;

  std::byte* record(int64_t row) { return bytes() + row * layout_.record_bytes; }
  const std::byte* record(int64_t row) const { return bytes() + row * layout_.record_bytes; }

 private:
  std::byte* bytes() { return reinterpret_cast<std::byte*>(storage_.data()); }
  const std::byte* bytes() const { return reinterpret_cast<const std::byte*>(storage_.data()); }

  int64_t rows_ = 0;
  RecordLayout layout_;
  FloatBuffer storage_;
  std::vector<std::vector<int32_t>> groups_;
};

// table: has RequiredColumns(schema, {.labels = with_labels, .weight = with_labels}); without labels, row weights and
// groups are not read either. The result is the same for every pool size.
// InvalidInput, all problems, a line each: a column is missing (with the nearest name); a text where a number was
// expected; an infinite number; a binary label that is not 0 or 1; a class that is
// not known; a negative number where a loss takes none; a negative or missing row weight.
StatusOr<EncodedTable> Encode(const Schema& schema, const Table& table, bool with_labels, ThreadPool& pool);

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_ENCODE_H_
