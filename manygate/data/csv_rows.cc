// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/csv_rows.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "manygate/data/separator_scan.h"

namespace manygate {

RowSplitter::RowSplitter(const CsvOptions& options)
    : delimiter_(options.delimiter), quote_(options.quote), trim_(options.trim_blanks) {
  // A blank that is the delimiter is not a blank.
  if (delimiter_ == ' ') blank_ = '\t';
  if (delimiter_ == '\t') second_blank_ = ' ';
}

void RowSplitter::Start(const char* text, size_t size, bool at_end) {
  text_ = text;
  size_ = size;
  at_end_ = at_end;
  has_quotes_ = quote_ != '\0' && memchr(text, quote_, size) != nullptr;
  position_ = row_begin_ = 0;
  row_line_ = lines_ = open_quote_line_ = 0;
  num_fields_ = 0;
  window_begin_ = window_words_ = word_ = 0;
  mask_ = 0;
}

bool RowSplitter::RefillMasks() {
  window_begin_ += window_words_ * 64;
  if (window_begin_ >= size_) {
    window_words_ = 0;
    return false;
  }
  const size_t rest = size_ - window_begin_;
  window_words_ = std::min(kWindowWords, (rest + 63) / 64);
  // Without quotes in the text the third character is the line end once more.
  ScanSeparators(text_ + window_begin_, window_words_, delimiter_, '\n', has_quotes_ ? quote_ : '\n', masks_.data());
  if (rest < window_words_ * 64) masks_[window_words_ - 1] &= ~uint64_t{0} >> (64 - rest % 64);
  word_ = 0;
  mask_ = masks_[0];
  return true;
}

inline size_t RowSplitter::NextSpecial() {
  while (mask_ == 0) {
    if (word_ + 1 < window_words_) {
      mask_ = masks_[++word_];
    } else if (!RefillMasks()) {
      return size_;
    }
  }
  const size_t at = window_begin_ + word_ * 64 + static_cast<size_t>(std::countr_zero(mask_));
  mask_ &= mask_ - 1;
  return at;
}

inline void RowSplitter::Push(const Field& field) {
  if (static_cast<size_t>(num_fields_) == fields_.size()) fields_.resize(fields_.size() * 2 + 16);
  fields_[static_cast<size_t>(num_fields_++)] = field;
}

inline void RowSplitter::AddField(size_t begin, size_t end, bool last_of_row) {
  const char* first = text_ + begin;
  const char* last = text_ + end;
  if (last_of_row && last > first && last[-1] == '\r') --last;
  if (trim_) {
    while (first < last && IsBlank(*first)) ++first;
    while (first < last && IsBlank(last[-1])) --last;
  }
  Push({first, static_cast<uint32_t>(last - first), false, false});
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
  Push({text_ + quote_at + 1, static_cast<uint32_t>(at - quote_at - 1), true, has_escape});
  return RowResult::kRow;
}

template <bool kQuotes>
RowResult RowSplitter::NextRow() {
  size_t begin = row_begin_ = position_;
  row_line_ = lines_;
  num_fields_ = 0;
  if (begin >= size_) return RowResult::kEnd;
  for (;;) {
    size_t end;
    size_t value = begin;
    if constexpr (kQuotes) {
      while (trim_ && value < size_ && IsBlank(text_[value])) ++value;
    }
    if (kQuotes && value < size_ && text_[value] == quote_) {
      const RowResult result = QuotedField(value, &end);
      if (result == RowResult::kTextAfterQuote) return SkipLine();
      if (result != RowResult::kRow) return result;
    } else {
      do {
        end = NextSpecial();
      } while (kQuotes && end < size_ && text_[end] == quote_);
      if (end == size_ && !at_end_) return RowResult::kIncomplete;
      AddField(begin, end, end == size_ || text_[end] == '\n');
    }
    if (end == size_ || text_[end] != delimiter_) {
      ++lines_;
      position_ = std::min(end + 1, size_);
      return RowResult::kRow;
    }
    begin = end + 1;
  }
}

RowResult RowSplitter::Next() { return has_quotes_ ? NextRow<true>() : NextRow<false>(); }

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
