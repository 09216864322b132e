// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/csv_rows.h"

#include <algorithm>
#include <cstring>

#include "manygate/data/separator_scan.h"

namespace manygate {

RowSplitter::RowSplitter(const SourceOptions& options)
    : delimiter_(options.delimiter), quote_(options.quote), trim_(options.trim_blanks), comment_(options.comment) {
  // A blank that is the delimiter is not a blank.
  if (delimiter_ == ' ') blank_ = '\t';
  if (delimiter_ == '\t') second_blank_ = ' ';
}

void RowSplitter::Start(const char* text, size_t size, bool at_end) {
  Start(text, size, at_end, quote_ != '\0' && memchr(text, quote_, size) != nullptr);
}

void RowSplitter::Start(const char* text, size_t size, bool at_end, bool may_have_quotes) {
  text_ = text;
  size_ = size;
  at_end_ = at_end;
  has_quotes_ = quote_ != '\0' && may_have_quotes;
  has_nul_ = has_escapes_ = false;
  position_ = row_begin_ = 0;
  row_line_ = lines_ = open_quote_line_ = 0;
  num_fields_ = 0;
  num_kept_ = 0;
  next_special_ = num_specials_ = window_end_ = 0;
}

bool RowSplitter::FindSpecials() {
  next_special_ = num_specials_ = 0;
  // Without quotes in the text the third character is the line end once more.
  const char third = has_quotes_ ? quote_ : '\n';
  while (num_specials_ == 0 && window_end_ < size_) {
    const size_t bytes = std::min(kWindowBytes, size_ - window_end_);
    num_specials_ = FindSeparators({text_ + window_end_, bytes, static_cast<uint32_t>(window_end_)}, delimiter_, '\n',
                                   third, specials_.data(), &has_nul_);
    window_end_ += bytes;
  }
  return num_specials_ > 0;
}

inline size_t RowSplitter::NextSpecial() {
  if (next_special_ == num_specials_ && !FindSpecials()) [[unlikely]]
    return size_;
  return specials_[next_special_++];
}

inline void RowSplitter::Push(const Field& field) {
  const size_t index = num_kept_ + static_cast<size_t>(num_fields_++);
  if (index == fields_.size()) [[unlikely]]
    fields_.resize(fields_.size() * 2 + 16);
  fields_[index] = field;
}

inline Field RowSplitter::PlainField(const char* begin, const char* end, bool last_of_row) const {
  if (last_of_row && end > begin && end[-1] == '\r') --end;
  if (trim_) {
    while (begin < end && IsBlank(*begin)) ++begin;
    while (begin < end && IsBlank(end[-1])) --end;
  }
  return {begin, static_cast<uint32_t>(end - begin), false, false};
}

RowResult RowSplitter::SkipLine() {
  for (;;) {
    const size_t at = NextSpecial();
    if (at == size_ && !at_end_) return RowResult::kIncomplete;
    if (at == size_ || text_[at] == '\n') {
      ++lines_;
      position_ = std::min(at + 1, size_);
      return RowResult::kTextAfterQuote;
    }
  }
}

RowResult RowSplitter::QuotedField(size_t quote_at, size_t* end) {
  open_quote_line_ = lines_;
  bool has_escape = false;
  size_t at = NextSpecial();  // the opening quote itself
  for (;;) {
    at = NextSpecial();
    if (at == size_) return at_end_ ? RowResult::kOpenQuote : RowResult::kIncomplete;
    if (text_[at] == '\n') ++lines_;
    if (text_[at] != quote_) continue;
    if (at + 1 == size_ && !at_end_) return RowResult::kIncomplete;  // it may be the first of a doubled quote
    if (at + 1 == size_ || text_[at + 1] != quote_) break;
    has_escape = true;
    at = NextSpecial();
  }
  size_t behind = at + 1;
  while (trim_ && behind < size_ && IsBlank(text_[behind])) ++behind;
  if (behind < size_ && text_[behind] == '\r' && (behind + 1 == size_ || text_[behind + 1] == '\n')) ++behind;
  if (behind == size_ && !at_end_) return RowResult::kIncomplete;
  if (behind < size_ && text_[behind] != delimiter_ && text_[behind] != '\n') return RowResult::kTextAfterQuote;
  *end = NextSpecial();
  has_escapes_ |= has_escape;
  Push({text_ + quote_at + 1, static_cast<uint32_t>(at - quote_at - 1), true, has_escape});
  return RowResult::kRow;
}

RowResult RowSplitter::NextPlainRow() {
  row_begin_ = position_;
  row_line_ = lines_;
  num_fields_ = 0;
  if (position_ >= size_) return RowResult::kEnd;
  // Copies of members: the compiler must assume that writing a field changes them.
  const char* const text = text_;
  const char* const text_end = text + size_;
  const char* begin = text + position_;
  const char delimiter = delimiter_;
  const uint32_t* special = specials_.data() + next_special_;
  const uint32_t* special_end = specials_.data() + num_specials_;
  size_t index = num_kept_;
  Field* fields = fields_.data();
  size_t room = fields_.size();
  for (bool last_of_row = false; !last_of_row;) {
    if (special == special_end) [[unlikely]] {
      FindSpecials();
      special = specials_.data();
      special_end = special + num_specials_;
    }
    const char* const end = special == special_end ? text_end : text + *special++;
    if (end == text_end && !at_end_) return RowResult::kIncomplete;
    last_of_row = end == text_end || *end != delimiter;
    if (index == room) [[unlikely]] {
      fields_.resize(room * 2 + 16);
      fields = fields_.data();
      room = fields_.size();
    }
    fields[index++] = PlainField(begin, end, last_of_row);
    begin = end + 1;
  }
  next_special_ = static_cast<size_t>(special - specials_.data());
  num_fields_ = static_cast<int>(index - num_kept_);
  ++lines_;
  position_ = std::min(static_cast<size_t>(begin - text), size_);
  return RowResult::kRow;
}

RowResult RowSplitter::NextQuotedRow() {
  size_t begin = row_begin_ = position_;
  row_line_ = lines_;
  num_fields_ = 0;
  if (begin >= size_) return RowResult::kEnd;
  for (;;) {
    size_t end;
    size_t value = begin;
    while (trim_ && value < size_ && IsBlank(text_[value])) ++value;
    if (value < size_ && text_[value] == quote_) {
      const RowResult result = QuotedField(value, &end);
      if (result == RowResult::kTextAfterQuote) return SkipLine();
      if (result != RowResult::kRow) return result;
    } else {
      do {
        end = NextSpecial();
      } while (end < size_ && text_[end] == quote_);
      if (end == size_ && !at_end_) return RowResult::kIncomplete;
      Push(PlainField(text_ + begin, text_ + end, end == size_ || text_[end] == '\n'));
    }
    if (end == size_ || text_[end] != delimiter_) {
      ++lines_;
      position_ = std::min(end + 1, size_);
      return RowResult::kRow;
    }
    begin = end + 1;
  }
}

bool RowSplitter::AtComment() const {
  return !comment_.empty() && std::string_view(text_ + position_, size_ - position_).starts_with(comment_);
}

RowResult RowSplitter::Next() {
  while (AtComment()) [[unlikely]] {
      row_begin_ = position_;
      if (SkipLine() == RowResult::kIncomplete) return RowResult::kIncomplete;
    }
  return has_quotes_ ? NextQuotedRow() : NextPlainRow();
}

std::string Unescaped(const Field& field, char quote) {
  std::string value;
  value.reserve(field.size);
  for (uint32_t i = 0; i < field.size; ++i) {
    value.push_back(field.data[i]);
    if (field.data[i] == quote) ++i;  // the second of the two
  }
  return value;
}

}  // namespace manygate
