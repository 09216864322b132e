// SPDX-License-Identifier: Apache-2.0
// A table of typed columns, as read from the user's files, before any feature is fitted.
//
//   const Column& column = table.columns[table.Find("education")];
//   for (int64_t row = 0; row < table.rows; ++row) use(column.dictionary[column.Code(row)]);
//
// A category column holds one code per row in 1, 2 or 4 bytes; dictionary[code] is the text. Code 0 means "missing" and
// dictionary[0] is always "". The other texts stand in order of their first appearance in the files.
// A number column holds one float per row; NaN means "missing".
#ifndef MANYGATE_DATA_TABLE_H_
#define MANYGATE_DATA_TABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace manygate {

enum class ColumnKind { kCategory, kNumber };

struct Column {
  std::string name;
  ColumnKind kind = ColumnKind::kCategory;
  // kCategory: [rows] codes of code_bytes (1, 2 or 4) each; kNumber: [rows] float. Owned by Table::storage.
  int code_bytes = 1;
  const void* codes = nullptr;
  const float* numbers = nullptr;
  std::vector<std::string> dictionary;
  // The values lie in pages of a large mapped file, which can be given back and come again when they are next read.
  bool mapped = false;

  size_t value_bytes() const { return kind == ColumnKind::kNumber ? sizeof(float) : static_cast<size_t>(code_bytes); }
  const char* values() const { return static_cast<const char*>(kind == ColumnKind::kNumber ? numbers : codes); }
  // Gives back the memory of rows begin .. end - 1, if mapped.
  void Release(int64_t begin, int64_t end) const;
  // Asks the system to read them ahead, if mapped.
  void ReadAhead(int64_t begin, int64_t end) const;

  uint32_t Code(int64_t row) const {
    switch (code_bytes) {
      case 1: return static_cast<const uint8_t*>(codes)[row];
      case 2: return static_cast<const uint16_t*>(codes)[row];
      default: return static_cast<const uint32_t*>(codes)[row];
    }
  }
};

struct Table {
  int64_t rows = 0;
  std::vector<Column> columns;
  // Where a row came from, for messages: "census.csv.gz" or "a.csv, b.csv".
  std::string source;
  // Keeps the memory behind the columns alive: heap blocks or a mapped cache file.
  std::vector<std::shared_ptr<const void>> storage;

  // Of all columns.
  void Release(int64_t begin, int64_t end) const;
  void ReadAhead(int64_t begin, int64_t end) const;

  // Index of the column, or -1.
  int Find(std::string_view name) const {
    for (size_t i = 0; i < columns.size(); ++i)
      if (columns[i].name == name) return static_cast<int>(i);
    return -1;
  }
};

// What a consumer wants of a source: this column, parsed as this kind.
struct ColumnRequest {
  std::string name;
  ColumnKind kind = ColumnKind::kCategory;
  bool operator==(const ColumnRequest&) const = default;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_TABLE_H_
