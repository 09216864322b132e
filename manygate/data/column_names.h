// SPDX-License-Identifier: Apache-2.0
// The names of columns where each row names its values itself.
//
//   NameIndex index(requests);
//   const int column = index.Find(name);         // -1: not requested
//
//   NameCollector names;
//   if (names.Add(name)) CheckName(name);        // true: it is new
//   columns.names = names.Sorted();
//
//   seen.AddColumn(column), seen.AddRow();
//   return seen.Check(requests, files, "record", reader);
#ifndef MANYGATE_DATA_COLUMN_NAMES_H_
#define MANYGATE_DATA_COLUMN_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/csv_dictionary.h"
#include "manygate/data/reader.h"
#include "manygate/data/table.h"

namespace manygate {

// Runs of digits compare as numbers: "f2" < "f10", "101" < "109_14" < "1000".
bool NaturalLess(std::string_view a, std::string_view b);

// Names given to Find and Add have kTextPadding readable bytes behind them.
class NameIndex {
 public:
  explicit NameIndex(std::span<const ColumnRequest> requests);
  // Index of the request, or -1.
  int Find(std::string_view name) const;

 private:
  struct Slot {
    uint64_t hash = 0;
    int column = -1;
  };
  std::vector<std::string> names_;
  std::vector<Slot> slots_;  // a power of two
};

class NameCollector {
 public:
  // Whether the name is new. The empty one never is.
  bool Add(std::string_view name);
  // By NaturalLess.
  std::vector<std::string> Sorted() const;

 private:
  MergedDictionary names_{std::span<const std::string>()};
};

// Which of the requested columns some row has.
class ColumnsSeen {
 public:
  explicit ColumnsSeen(size_t num_requests) : seen_(num_requests, 0) {}

  void AddColumn(size_t request) { seen_[request] = 1; }
  void AddRow() { any_row_ = true; }
  void Add(const ColumnsSeen& other);

  // InvalidInput: there are rows, and none of them has any of the columns; with the nearest names, for which the reader
  // reads the files once more. One column that no row has may just be missing in all of them. row: what the format calls
  // one.
  Status Check(std::span<const ColumnRequest> requests, std::span<const std::string> files, std::string_view row,
               Reader& reader) const;

 private:
  std::vector<uint8_t> seen_;  // [requests]
  bool any_row_ = false;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_COLUMN_NAMES_H_
