// SPDX-License-Identifier: Apache-2.0
// Rows as single numbers, to find those that are equal, or equal but for one column.
//
//   RowHashes hashes(ComparedColumns(rows), rows.train);
//   hashes.whole()[i];                  // equal for equal rows
//   hashes.whole()[i] - hashes.Part(c)[i];  // equal for rows that are equal in all columns but c
#ifndef MANYGATE_CHECK_ROW_HASHES_H_
#define MANYGATE_CHECK_ROW_HASHES_H_

#include <cstdint>
#include <span>
#include <vector>

#include "manygate/check/checked_rows.h"
#include "manygate/data/table.h"

namespace manygate::check {

// Hashes of values, one per row: equal for equal texts, or numbers, in any table. digits: numbers that agree in that
// many leading digits are equal too, up to where they round apart; 0: exactly equal ones only.
std::vector<uint64_t> ValueHashes(const Column& column, std::span<const uint32_t> rows, int digits = 0);

// The columns of features and labels, each once, in the training and in the evaluation rows.
struct ComparedColumns {
  explicit ComparedColumns(const CheckedRows& rows);
  std::vector<const Column*> train, evaluation;
};

// columns and rows must outlive it.
class RowHashes {
 public:
  RowHashes(std::span<const Column* const> columns, std::span<const uint32_t> rows, int digits = 0);
  // A sum over the columns, modulo 2^64.
  const std::vector<uint64_t>& whole() const { return whole_; }
  // What the column adds to each row's sum.
  std::vector<uint64_t> Part(size_t column) const;

 private:
  std::span<const Column* const> columns_;
  std::span<const uint32_t> rows_;
  int digits_;
  std::vector<uint64_t> whole_;
};

// How often each of some keys is counted.
class KeyCounts {
 public:
  explicit KeyCounts(size_t most);  // keys
  void Insert(uint64_t key) { *Slot(key) = {key, Slot(key)->count}; }
  // Nothing for a key that was not inserted.
  void Count(uint64_t key) {
    Entry* const slot = Slot(key);
    slot->count += slot->key == key;
  }
  uint32_t CountOf(uint64_t key) { return Slot(key)->count; }

 private:
  struct Entry {
    uint64_t key = 0;  // 0: free; a row whose hash is 0 is never counted
    uint32_t count = 0;
  };
  Entry* Slot(uint64_t key) {
    size_t slot = key & mask_;
    while (slots_[slot].key != key && slots_[slot].key != 0) slot = (slot + 1) & mask_;
    return &slots_[slot];
  }
  size_t mask_;
  std::vector<Entry> slots_;
};

}  // namespace manygate::check

#endif  // MANYGATE_CHECK_ROW_HASHES_H_
