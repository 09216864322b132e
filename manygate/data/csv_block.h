// SPDX-License-Identifier: Apache-2.0
// Parses one block of rows into columns; what several threads do at once.
//
//   BlockParser parser(plan);                       // one per thread
//   ParsedBlock parsed;
//   file->Next(&parsed.block);
//   parser.Parse(&parsed);
#ifndef MANYGATE_DATA_CSV_BLOCK_H_
#define MANYGATE_DATA_CSV_BLOCK_H_

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/data/csv_file.h"
#include "manygate/data/csv_rows.h"
#include "manygate/data/number_text.h"
#include "manygate/data/row_block.h"
#include "manygate/data/source_options.h"
#include "manygate/data/table.h"

namespace manygate {

// What to take from each row.
struct ParsePlan {
  struct Target {
    int field;  // position in the row, from 0
    ColumnKind kind;
  };
  SourceOptions options;
  std::vector<std::string> names;  // all columns of the file
  std::vector<Target> targets;
};

inline constexpr size_t kMaxProblems = 10;
inline constexpr char kEmptyLineProblem[] = "an empty line between rows; remove it";

struct ParsedBlock : RowBlock {
  struct Problem {
    uint64_t line;     // physical line from 0, counted from the block's begin
    int field;         // from 0; -1: the row as a whole
    std::string text;  // what follows the place
  };

  TextBlock block;
  std::deque<std::string> unescaped;  // values that had doubled quotes, with kTextPadding bytes behind them
  uint64_t lines = 0;                 // physical lines
  std::vector<Problem> problems;      // the first kMaxProblems

  // Empty lines are an error only if a row follows, perhaps in a later block.
  bool has_row = false;                  // at least one line is not empty
  bool has_trailing_empty_line = false;  // the last lines are empty; the first of them is:
  uint64_t trailing_empty_line = 0;
};

class BlockParser {
 public:
  // The plan must outlive the parser.
  explicit BlockParser(const ParsePlan& plan);
  void Parse(ParsedBlock* parsed);

 private:
  void TakeRow(ParsedBlock* parsed);
  void StoreRows(ParsedBlock* parsed);  // the rows taken so far, column by column
  void ResolveEscapes(int field_number, ParsedBlock* parsed);
  void StoreCategories(int field_number, ParsedBlock* parsed, ParsedBlock::Column* column);
  void CheckUtf8(int field_number, uint32_t first_code, const ParsedBlock::Column& column, ParsedBlock* parsed);
  void StoreNumbers(int field_number, ParsedBlock* parsed, ParsedBlock::Column* column);
  void ReportBadNumber(NumberParse result, std::string_view text, uint64_t line, int field_number, ParsedBlock* parsed);
  void AddProblem(ParsedBlock* parsed, uint64_t line, int field, std::string text);
  void KeepFirstProblems(ParsedBlock* parsed);
  void ReportNul(ParsedBlock* parsed);
  void ReportBrokenRow(RowResult result, ParsedBlock* parsed);
  std::string RaggedRowText() const;
  bool IsMissing(std::string_view text) const;
  void Reserve(ParsedBlock* parsed);

  const ParsePlan& plan_;
  RowSplitter rows_;
  bool has_numeric_missing_ = false;  // a missing value that would parse as a number
  const size_t batch_rows_;           // rows whose fields stay in the cache until they are stored
  std::vector<uint64_t> row_lines_;   // [rows taken] their physical lines
  size_t capacity_ = 0;               // rows that the present block's columns have room for
};

}  // namespace manygate

#endif  // MANYGATE_DATA_CSV_BLOCK_H_
