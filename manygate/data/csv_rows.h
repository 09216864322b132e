// SPDX-License-Identifier: Apache-2.0
// Cuts text into rows and rows into values, without copying.
//
//   RowSplitter rows(options);
//   rows.Start(text, size, /*at_end=*/true);     // the text begins at a row and has kTextPadding bytes behind it
//   while (rows.Next() == RowResult::kRow) for (int i = 0; i < rows.num_fields(); ++i) use(rows.field(i));
#ifndef MANYGATE_DATA_CSV_ROWS_H_
#define MANYGATE_DATA_CSV_ROWS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/data/csv_options.h"

namespace manygate {

// Readable bytes behind every text that is split or looked up, so that whole words can be loaded.
inline constexpr size_t kTextPadding = 64;

struct Field {
  const char* data;
  uint32_t size;
  bool quoted;
  bool has_escape;  // doubled quotes inside: Unescaped() gives the value

  std::string_view view() const { return {data, size}; }
};

enum class RowResult {
  kRow,
  kEnd,             // no text is left
  kIncomplete,      // the row goes on behind the text (only when not at_end)
  kOpenQuote,       // at_end: a quoted value is never closed; open_quote_line() and num_fields() say where
  kTextAfterQuote,  // something other than a delimiter or line end behind a closing quote, in field num_fields() + 1
};

class RowSplitter {
 public:
  explicit RowSplitter(const CsvOptions& options);

  // at_end: the text is the last of its file, so a last row without line end is whole.
  void Start(const char* text, size_t size, bool at_end);

  // After kTextAfterQuote the next call goes on with the next line.
  RowResult Next();

  int num_fields() const { return num_fields_; }
  const Field& field(int i) const { return fields_[static_cast<size_t>(i)]; }
  size_t row_begin() const { return row_begin_; }  // bytes from the start of the text
  size_t position() const { return position_; }    // where the next row begins
  uint64_t row_line() const { return row_line_; }  // physical line of the row's begin, from 0
  uint64_t lines() const { return lines_; }        // physical lines consumed
  uint64_t open_quote_line() const { return open_quote_line_; }

 private:
  template <bool kQuotes>
  RowResult NextRow();
  // A value whose opening quote is at `quote_at`; sets *end to the delimiter or line end behind it.
  RowResult QuotedField(size_t quote_at, size_t* end);
  void AddField(size_t begin, size_t end, bool last_of_row);
  void Push(const Field& field);
  size_t NextSpecial();
  bool RefillMasks();
  RowResult SkipLine();
  bool IsBlank(char c) const { return c == blank_ || c == second_blank_; }

  const char delimiter_;
  const char quote_;
  const bool trim_;
  char blank_ = ' ';
  char second_blank_ = '\t';

  const char* text_ = nullptr;
  size_t size_ = 0;
  bool at_end_ = false;
  bool has_quotes_ = false;
  size_t position_ = 0;
  size_t row_begin_ = 0;
  uint64_t row_line_ = 0;
  uint64_t lines_ = 0;
  uint64_t open_quote_line_ = 0;
  int num_fields_ = 0;
  std::vector<Field> fields_;  // num_fields_ in use

  // Masks of the special characters in a window of the text that stays in the first-level cache.
  static constexpr size_t kWindowWords = 128;
  std::array<uint64_t, kWindowWords> masks_;
  size_t window_begin_ = 0;  // bytes
  size_t window_words_ = 0;
  size_t word_ = 0;
  uint64_t mask_ = 0;
};

// The value of a field with doubled quotes.
std::string Unescaped(const Field& field, char quote);

}  // namespace manygate

#endif  // MANYGATE_DATA_CSV_ROWS_H_
