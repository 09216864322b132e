// SPDX-License-Identifier: Apache-2.0
// Cuts text into rows and rows into values, without copying.
//
//   RowSplitter rows(options);
//   rows.Start(text, size, /*at_end=*/true);     // the text begins at a row and has kTextPadding bytes behind it
//   while (rows.Next() == RowResult::kRow) for (int i = 0; i < rows.num_fields(); ++i) use(rows.field(i));
//
// Rows can be collected to be used column by column: KeepRow() after each, then kept_fields() has them end to end.
#ifndef MANYGATE_DATA_CSV_ROWS_H_
#define MANYGATE_DATA_CSV_ROWS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/data/source_options.h"

namespace manygate {

// Readable bytes (blanks) behind every text that is split or looked up, so that whole words can be loaded.
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
  explicit RowSplitter(const SourceOptions& options);

  // at_end: the text is the last of its file, so a last row without line end is whole.
  void Start(const char* text, size_t size, bool at_end);
  // The same for a caller who has already looked for quotes: false promises that there is none.
  void Start(const char* text, size_t size, bool at_end, bool may_have_quotes);

  // Comment lines before the row are passed over. After kTextAfterQuote the next call goes on with the next line.
  RowResult Next();

  int num_fields() const { return num_fields_; }
  const Field& field(int i) const { return fields_[num_kept_ + static_cast<size_t>(i)]; }
  void KeepRow() {
    num_kept_ += static_cast<size_t>(num_fields_);
    num_fields_ = 0;
  }
  Field* kept_fields() { return fields_.data(); }
  bool has_escapes() const { return has_escapes_; }  // a field with has_escape is in the text split so far
  void DropKept() { num_kept_ = 0; }
  size_t row_begin() const { return row_begin_; }  // bytes from the start of the text
  size_t position() const { return position_; }    // where the next row begins
  uint64_t row_line() const { return row_line_; }  // physical line of the row's begin, from 0
  uint64_t lines() const { return lines_; }        // physical lines consumed
  uint64_t open_quote_line() const { return open_quote_line_; }
  bool has_nul() const { return has_nul_; }  // a NUL byte is in the text split so far (or just behind)

 private:
  RowResult NextPlainRow();  // no quote anywhere in the text
  RowResult NextQuotedRow();
  Field PlainField(const char* begin, const char* end, bool last_of_row) const;
  // A value whose opening quote is at `quote_at`; sets *end to the delimiter or line end behind it.
  RowResult QuotedField(size_t quote_at, size_t* end);
  void Push(const Field& field);
  size_t NextSpecial();
  bool FindSpecials();  // in the next window that has any
  bool AtComment() const;
  RowResult SkipLine();
  bool IsBlank(char c) const { return static_cast<unsigned char>(c) <= ' ' && (c == blank_ || c == second_blank_); }

  const char delimiter_;
  const char quote_;
  const bool trim_;
  const std::string comment_;
  char blank_ = ' ';
  char second_blank_ = '\t';

  const char* text_ = nullptr;
  size_t size_ = 0;
  bool at_end_ = false;
  bool has_quotes_ = false;
  bool has_nul_ = false;
  bool has_escapes_ = false;
  size_t position_ = 0;
  size_t row_begin_ = 0;
  uint64_t row_line_ = 0;
  uint64_t lines_ = 0;
  uint64_t open_quote_line_ = 0;
  int num_fields_ = 0;
  size_t num_kept_ = 0;
  std::vector<Field> fields_;  // num_kept_, then num_fields_ of the present row

  // Where the special characters are in a window of the text that stays in the first-level cache.
  static constexpr size_t kWindowBytes = 4096;
  std::array<uint32_t, kWindowBytes + 8> specials_;
  size_t next_special_ = 0;
  size_t num_specials_ = 0;
  size_t window_end_ = 0;  // bytes
};

// The value of a field with doubled quotes.
std::string Unescaped(const Field& field, char quote);

}  // namespace manygate

#endif  // MANYGATE_DATA_CSV_ROWS_H_
