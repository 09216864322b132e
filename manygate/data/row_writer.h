// SPDX-License-Identifier: Apache-2.0
// Makes a block of rows of values that come row by row, each with the name of its column: what the readers of formats
// share whose rows name their values.
//
//   RowWriter writer(requests, options.missing_values);    // one per thread
//   writer.Start(&parsed);
//   writer.AddText(0, "88"); writer.AddText(0, "91");      // several values in one cell: "88\x1d91"
//   writer.AddInteger(1, 35);
//   writer.EndRow(/*place=*/17);                           // columns without a value: missing
//   writer.Finish();                                       // parsed.rows, parsed.columns, parsed.problems
//
// Texts are not copied unless several stand in one cell. Problems (of the values; those of the rows are the reader's):
// text, infinity or several values in a number column, text that is not UTF-8.
#ifndef MANYGATE_DATA_ROW_WRITER_H_
#define MANYGATE_DATA_ROW_WRITER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/data/row_block.h"
#include "manygate/data/table.h"

namespace manygate {

// Stands between several values of one cell; IdFeature.separator's default.
inline constexpr char kValueSeparator = '\x1d';

// Texts that stay where they are until Clear, each with kTextPadding readable bytes behind it.
class TextArena {
 public:
  char* Allocate(size_t size);
  void Clear();

 private:
  static constexpr size_t kChunkBytes = 64 << 10;
  std::vector<std::unique_ptr<char[]>> chunks_;  // of kChunkBytes
  size_t num_used_ = 0;                          // chunks; the last of them is being filled
  size_t filled_ = kChunkBytes;                  // bytes of it
  std::vector<std::unique_ptr<char[]>> large_;   // of one text each
};

struct RowProblem {
  uint64_t place;     // which row, as the reader counts them
  uint32_t position;  // of the value in its row, as the reader counts them
  int column;         // a request; -1: the row as a whole
  std::string text;   // what follows the place
};

struct ParsedRows : RowBlock {
  TextArena arena;
  std::vector<RowProblem> problems;  // the first kMaxProblems, in order
};

class RowWriter {
 public:
  // Both must outlive the writer.
  RowWriter(std::span<const ColumnRequest> requests, std::span<const std::string> missing_values);

  void Start(ParsedRows* parsed);
  // Another value of the present row. text: stays where it is while the block is used, with kTextPadding readable bytes
  // behind it. position: for problems.
  void AddText(size_t column, std::string_view text, uint32_t position = 0);
  void AddInteger(size_t column, int64_t value);
  void AddFloat(size_t column, float value);  // NaN: missing
  void ClearCell(size_t column);              // forgets the column's values in the present row
  void EndRow(uint64_t place);
  void DropRow();  // forgets the present row
  void AddRowProblem(uint64_t place, uint32_t position, std::string text);
  void Finish();

 private:
  struct Value {
    std::string_view text;  // data() null: it is `number`
    float number;
    uint32_t position;
    uint32_t next;  // index of values_
  };
  struct Cell {
    uint32_t count = 0;
    uint32_t first = 0;
    uint32_t last = 0;
  };

  void AddValue(size_t column, const Value& value);
  void EndCell(size_t column);
  void EndNumber(size_t column, const Cell& cell);
  Field Joined(const Cell& cell);
  bool IsMissing(std::string_view text) const;
  void AddProblem(size_t column, uint64_t place, uint32_t position, std::string text);
  void Store();  // the rows taken so far, column by column
  void CheckUtf8(size_t column, uint32_t first_code);

  const std::span<const ColumnRequest> requests_;
  const std::span<const std::string> missing_values_;
  bool has_numeric_missing_ = false;  // a missing value that would be a number
  const size_t batch_rows_;           // rows whose cells stay in the cache until they are stored

  ParsedRows* parsed_ = nullptr;
  std::vector<Value> values_;         // of the present row
  std::vector<Cell> cells_;           // [columns] of the present row
  std::vector<uint32_t> with_value_;  // columns that have one in the present row
  std::vector<uint64_t> places_;      // [rows taken]
  std::vector<Field> fields_;         // [rows taken, columns]
  std::vector<float> numbers_;        // [rows taken, columns]
  std::vector<uint32_t> positions_;   // [rows taken, columns]
};

}  // namespace manygate

#endif  // MANYGATE_DATA_ROW_WRITER_H_
