// SPDX-License-Identifier: Apache-2.0
// For tests: what a table holds, as text.
//
//   EXPECT_EQ(TableText(ReadFiles(files, options, requests, pool)), "Rome,31|Oslo,nan");
#ifndef MANYGATE_DATA_TEST_TABLES_H_
#define MANYGATE_DATA_TEST_TABLES_H_

#include <fmt/format.h>

#include <string>

#include "manygate/base/status.h"
#include "manygate/data/table.h"

namespace manygate {

// Rows joined by "|", values by ",", several values of a cell by "+", NaN as "nan"; or the message of the status.
inline std::string TableText(const StatusOr<Table>& table) {
  if (!table.ok()) return table.status().message();
  std::string text;
  for (int64_t row = 0; row < table->rows; ++row) {
    if (row > 0) text += "|";
    for (size_t i = 0; i < table->columns.size(); ++i) {
      const Column& column = table->columns[i];
      if (i > 0) text += ",";
      if (column.kind == ColumnKind::kNumber) {
        text += fmt::format("{}", column.numbers[row]);
      } else {
        for (const char c : column.dictionary[column.Code(row)]) text += c == '\x1d' ? '+' : c;
      }
    }
  }
  return text;
}

// Dictionaries, codes and numbers.
inline bool SameContent(const Table& a, const Table& b) {
  if (a.rows != b.rows || a.columns.size() != b.columns.size()) return false;
  for (size_t i = 0; i < a.columns.size(); ++i) {
    const Column &left = a.columns[i], &right = b.columns[i];
    if (left.name != right.name || left.kind != right.kind || left.dictionary != right.dictionary) return false;
    for (int64_t row = 0; row < a.rows; ++row) {
      if (left.kind == ColumnKind::kCategory
              ? left.Code(row) != right.Code(row)
              : fmt::format("{}", left.numbers[row]) != fmt::format("{}", right.numbers[row]))
        return false;
    }
  }
  return true;
}

}  // namespace manygate

#endif  // MANYGATE_DATA_TEST_TABLES_H_
