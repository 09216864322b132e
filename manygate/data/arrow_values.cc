// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/arrow_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "manygate/base/text.h"
#include "manygate/data/arrow_layout.h"
#include "manygate/data/blanks.h"
#include "manygate/data/csv_block.h"
#include "manygate/data/number_text.h"
#include "manygate/data/row_writer.h"
#include "manygate/data/utf8.h"

namespace manygate {
namespace {

constexpr size_t kFormattedBytes = 64;  // the longest: a decimal of 38 digits, or with as many zeros before or behind

// IEEE 754 binary16: 1 bit sign, 5 bits exponent, 10 bits fraction.
float HalfToFloat(uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  float value;
  if (exponent == 31) {
    value = fraction == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    value = std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  }
  return (half >> 15) != 0 ? -value : value;
}

__int128 LoadDecimal(const ArrowArray& array, int bytes, int64_t row) {
  return bytes == 16 ? Load<__int128>(array, 1, row) : LoadSigned(array, bytes, row);
}

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

// 12345, scale 2 -> "123.45"; 5, scale 2 -> "0.05"; 5, scale -2 -> "500".
char* WriteDecimal(__int128 value, int scale, char* out) {
  char digits[kFormattedBytes];
  size_t count = 0;
  auto rest = static_cast<unsigned __int128>(value);
  if (value < 0) rest = -rest, *out++ = '-';
  for (; rest != 0 || count == 0; rest /= 10) digits[count++] = static_cast<char>('0' + static_cast<int>(rest % 10));
  const size_t behind = std::min<size_t>(scale > 0 ? static_cast<size_t>(scale) : 0, 38);
  while (count <= behind) digits[count++] = '0';
  while (count > behind) *out++ = digits[--count];
  if (behind > 0) *out++ = '.';
  while (count > 0) *out++ = digits[--count];
  for (int i = 0; i < std::min(-scale, 20); ++i) *out++ = '0';
  return out;
}

// False: beyond the years that have four digits.
bool WriteDate(int64_t days, char** out) {
  constexpr int64_t kFirst = -719528, kLast = 2932896;  // 0000-01-01, 9999-12-31
  if (days < kFirst || days > kLast) return false;
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  *out = fmt::format_to(*out, "{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                        static_cast<unsigned>(date.day()));
  return true;
}

char* WriteTimestamp(int64_t value, int64_t units, char* out) {
  const int64_t seconds = FloorDivide(value, units), days = FloorDivide(seconds, 86400);
  int64_t fraction = value - seconds * units;
  if (!WriteDate(days, &out)) return fmt::format_to(out, "{}", value);
  const int64_t time = seconds - days * 86400;
  out = fmt::format_to(out, " {:02}:{:02}:{:02}", time / 3600, time / 60 % 60, time % 60);
  if (fraction == 0) return out;
  *out++ = '.';
  for (int64_t unit = units / 10; fraction > 0; unit /= 10) {
    *out++ = static_cast<char>('0' + fraction / unit);
    fraction %= unit;
  }
  return out;
}

template <typename T>
char* WriteFloat(T value, char* out) {
  const std::string text = NumberText(value);
  return std::copy(text.begin(), text.end(), out);
}

// The text of one value that is not null; at most kFormattedBytes.
char* WriteValue(const ArrowType& type, const ArrowArray& array, int64_t row, char* out) {
  switch (type.kind) {
    case ArrowKind::kBool: *out = LoadBool(array, row) ? '1' : '0'; return out + 1;
    case ArrowKind::kInteger: {
      const fmt::format_int text = type.is_signed ? fmt::format_int(LoadSigned(array, type.bytes, row))
                                                  : fmt::format_int(LoadUnsigned(array, type.bytes, row));
      return std::copy_n(text.data(), text.size(), out);
    }
    case ArrowKind::kFloat:
      if (type.bytes == 8) return WriteFloat(Load<double>(array, 1, row), out);
      return WriteFloat(type.bytes == 4 ? Load<float>(array, 1, row) : HalfToFloat(Load<uint16_t>(array, 1, row)), out);
    case ArrowKind::kDecimal: return WriteDecimal(LoadDecimal(array, type.bytes, row), type.scale, out);
    case ArrowKind::kDate: {
      const int64_t value = LoadSigned(array, type.bytes, row);
      return WriteDate(FloorDivide(value, type.units), &out) ? out : fmt::format_to(out, "{}", value);
    }
    case ArrowKind::kTimestamp: return WriteTimestamp(Load<int64_t>(array, 1, row), type.units, out);
    default: return out;  // null
  }
}

}  // namespace

void ArrowTexts::Read(const ArrowType& type, const ArrowArray& array, int64_t begin, int64_t rows) {
  views_.assign(static_cast<size_t>(rows), std::string_view());
  if (rows == 0) return;
  const int64_t first = array.offset + begin;
  switch (type.kind) {
    case ArrowKind::kText: return ReadText(type, array, first, rows);
    case ArrowKind::kTextView:
      for (int64_t i = 0; i < rows; ++i)
        if (IsValid(array, first + i)) views_[static_cast<size_t>(i)] = LoadView(array, first + i);
      return;
    case ArrowKind::kDictionary: return ReadDictionary(type, array, first, rows);
    case ArrowKind::kList:
    case ArrowKind::kFixedList: return ReadLists(type, array, first, rows);
    case ArrowKind::kNull: return;
    default: return ReadFormatted(type, array, first, rows);
  }
}

void ArrowTexts::Trim() {
  for (std::string_view& text : views_) text = TrimBlanks(text);
}

void ArrowTexts::ReadText(const ArrowType& type, const ArrowArray& array, int64_t first, int64_t rows) {
  // An array of empty texts may come without bytes.
  const char* bytes = array.buffers[2] == nullptr ? "" : static_cast<const char*>(array.buffers[2]);
  int64_t begin = LoadOffset(array, type.bytes, first);
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t end = LoadOffset(array, type.bytes, first + i + 1);
    if (IsValid(array, first + i)) views_[static_cast<size_t>(i)] = {bytes + begin, static_cast<size_t>(end - begin)};
    begin = end;
  }
}

void ArrowTexts::ReadDictionary(const ArrowType& type, const ArrowArray& array, int64_t first, int64_t rows) {
  values_ = std::make_unique<ArrowTexts>();
  values_->Read(*type.values, *array.dictionary, 0, array.dictionary->length);
  for (int64_t i = 0; i < rows; ++i) {
    if (!IsValid(array, first + i)) continue;
    const auto code = static_cast<size_t>(DictionaryCode(type, array, first + i));
    views_[static_cast<size_t>(i)] = values_->views()[code];
  }
}

void ArrowTexts::ReadLists(const ArrowType& type, const ArrowArray& array, int64_t first, int64_t rows) {
  const bool fixed = type.kind == ArrowKind::kFixedList;
  const auto begin_of = [&](int64_t row) { return fixed ? row * type.list_size : LoadOffset(array, type.bytes, row); };
  const int64_t begin = begin_of(first), end = begin_of(first + rows);
  values_ = std::make_unique<ArrowTexts>();
  values_->Read(*type.values, *array.children[0], begin, end - begin);
  size_t bytes = 1;
  for (const std::string_view value : values_->views()) bytes += value.size() + 1;
  memory_ = std::make_unique_for_overwrite<char[]>(bytes);
  char* out = memory_.get();
  for (int64_t i = 0; i < rows; ++i) {
    if (!IsValid(array, first + i)) continue;
    char* const start = out;
    bool any = false;
    for (int64_t k = begin_of(first + i); k < begin_of(first + i + 1); ++k) {
      const std::string_view value = values_->views()[static_cast<size_t>(k - begin)];
      if (value.data() == nullptr) continue;
      if (any) *out++ = kValueSeparator;
      any = true;
      out = std::copy(value.begin(), value.end(), out);
    }
    views_[static_cast<size_t>(i)] = {start, static_cast<size_t>(out - start)};
  }
}

void ArrowTexts::ReadFormatted(const ArrowType& type, const ArrowArray& array, int64_t first, int64_t rows) {
  // Pages of it that no text reaches are never touched.
  memory_ = std::make_unique_for_overwrite<char[]>(static_cast<size_t>(rows) * kFormattedBytes);
  char* out = memory_.get();
  for (int64_t i = 0; i < rows; ++i) {
    if (!IsValid(array, first + i)) continue;
    char* const end = WriteValue(type, array, first + i, out);
    views_[static_cast<size_t>(i)] = {out, static_cast<size_t>(end - out)};
    out = end;
  }
}

namespace {

class NumberReader {
 public:
  NumberReader(std::span<const std::string> missing_values, size_t most_problems, std::vector<ArrowProblem>* problems)
      : missing_values_(missing_values), most_problems_(most_problems), problems_(problems) {
    for (const std::string& text : missing_values) {
      double value;
      if (ParseDouble(text, &value) == NumberParse::kOk) missing_numbers_.push_back(value);
    }
  }

  void Read(const ArrowType& type, const ArrowArray& array, int64_t begin, int64_t rows, float* numbers) {
    const int64_t first = array.offset + begin;
    switch (type.kind) {
      case ArrowKind::kBool:
      case ArrowKind::kInteger:
      case ArrowKind::kFloat:
        for (int64_t i = 0; i < rows; ++i)
          numbers[i] = IsValid(array, first + i) ? Narrow(LoadNumber(type, array, first + i), i) : kMissing;
        return;
      case ArrowKind::kDictionary: return ReadDictionary(type, array, first, rows, numbers);
      default: return ReadTexts(type, array, begin, rows, numbers);
    }
  }

 private:
  static constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

  static double LoadNumber(const ArrowType& type, const ArrowArray& array, int64_t row) {
    if (type.kind == ArrowKind::kBool) return LoadBool(array, row) ? 1 : 0;
    if (type.kind == ArrowKind::kInteger) {
      return type.is_signed ? static_cast<double>(LoadSigned(array, type.bytes, row))
                            : static_cast<double>(LoadUnsigned(array, type.bytes, row));
    }
    if (type.bytes == 8) return Load<double>(array, 1, row);
    return type.bytes == 4 ? Load<float>(array, 1, row) : HalfToFloat(Load<uint16_t>(array, 1, row));
  }

  float Narrow(double value, int64_t row) {
    if (std::find(missing_numbers_.begin(), missing_numbers_.end(), value) != missing_numbers_.end()) return kMissing;
    // Some threads flush denormal numbers to zero and others do not; so that all agree, none is kept.
    if (std::abs(value) < double{std::numeric_limits<float>::min()}) return 0;
    const auto number = static_cast<float>(value);
    if (std::isinf(number) && problems_->size() < most_problems_) {
      problems_->push_back({row, std::isinf(value) ? fmt::format("found {}, expected a finite number", value)
                                                   : TooLarge(NumberText(value))});
    }
    return number;
  }

  static std::string TooLarge(std::string_view text) {
    return fmt::format(
        "found \"{}\", which is beyond the largest number (3.4e38); if it means \"missing\", add it to "
        "data_config.missing_values",
        text);
  }

  void ReadTexts(const ArrowType& type, const ArrowArray& array, int64_t begin, int64_t rows, float* numbers) {
    ArrowTexts texts;
    texts.Read(type, array, begin, rows);
    for (int64_t i = 0; i < rows; ++i) {
      const std::string_view text = Trim(texts.views()[static_cast<size_t>(i)]);
      numbers[i] = kMissing;
      if (text.empty() || std::find(missing_values_.begin(), missing_values_.end(), text) != missing_values_.end())
        continue;
      const NumberParse result = ParseFloat(text, &numbers[i]);
      if (result == NumberParse::kOk || problems_->size() >= most_problems_) continue;
      const std::string shown = ShownValue(text);
      problems_->push_back(
          {i, result == NumberParse::kTooLarge
                  ? TooLarge(shown)
                  : fmt::format("found \"{}\", expected a number; if it means \"missing\", add it to "
                                "data_config.missing_values; if the column holds texts or codes, declare it as an "
                                "id_feature",
                                shown)});
    }
  }

  // What is wrong with a value of the dictionary is wrong with each row that has it, and of no account where none has.
  void ReadDictionary(const ArrowType& type, const ArrowArray& array, int64_t first, int64_t rows, float* numbers) {
    std::vector<float> values(static_cast<size_t>(array.dictionary->length));
    std::vector<ArrowProblem> of_values;
    NumberReader reader(missing_values_, SIZE_MAX, &of_values);
    reader.Read(*type.values, *array.dictionary, 0, array.dictionary->length, values.data());
    for (int64_t i = 0; i < rows; ++i) {
      numbers[i] = kMissing;
      if (!IsValid(array, first + i)) continue;
      const int64_t code = DictionaryCode(type, array, first + i);
      numbers[i] = values[static_cast<size_t>(code)];
      if (of_values.empty() || problems_->size() >= most_problems_) continue;
      const auto found = std::find_if(of_values.begin(), of_values.end(),
                                      [code](const ArrowProblem& problem) { return problem.row == code; });
      if (found != of_values.end()) problems_->push_back({i, found->text});
    }
  }

  const std::span<const std::string> missing_values_;
  const size_t most_problems_;
  std::vector<ArrowProblem>* const problems_;
  std::vector<double> missing_numbers_;
};

}  // namespace

void ReadArrowNumbers(const ArrowType& type, const ArrowArray& array, int64_t begin, int64_t rows,
                      std::span<const std::string> missing_values, float* numbers,
                      std::vector<ArrowProblem>* problems) {
  NumberReader(missing_values, kMaxProblems, problems).Read(type, array, begin, rows, numbers);
}

}  // namespace manygate
