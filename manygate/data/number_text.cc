// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/number_text.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <cstdint>
#include <system_error>

#include "fast_float/fast_float.h"

namespace manygate {
namespace {

template <typename T>
NumberParse Parse(std::string_view text, T* value) {
  const char* begin = text.data();
  const char* const end = begin + text.size();
  // Whole numbers of up to seven digits, the most frequent case, are exact in a float.
  if (text.size() - 1 < 7) {
    uint32_t whole = 0;
    const char* at = begin;
    for (; at != end; ++at) {
      const uint32_t digit = static_cast<uint32_t>(*at) - '0';
      if (digit > 9) break;
      whole = whole * 10 + digit;
    }
    if (at == end) {
      *value = static_cast<T>(whole);
      return NumberParse::kOk;
    }
  }
  if (begin != end && *begin == '+') {
    ++begin;
    if (begin != end && *begin == '-') return NumberParse::kNotANumber;
  }
  // fast_float also takes "inf" and "nan"; only what starts like a decimal number gets there.
  const char* first = begin;
  if (first != end && *first == '-') ++first;
  if (first == end || !((*first >= '0' && *first <= '9') || *first == '.')) return NumberParse::kNotANumber;
  T parsed = 0;
  const auto result = fast_float::from_chars(begin, end, parsed);
  if (result.ptr != end || result.ec == std::errc::invalid_argument) return NumberParse::kNotANumber;
  if (std::isinf(parsed)) return NumberParse::kTooLarge;
  *value = parsed;
  return NumberParse::kOk;
}

}  // namespace

NumberParse ParseFloat(std::string_view text, float* value) { return Parse(text, value); }
NumberParse ParseDouble(std::string_view text, double* value) { return Parse(text, value); }

void AppendNumberText(float value, std::string* text) {
  if (!std::isnan(value)) fmt::format_to(std::back_inserter(*text), "{}", value);
}
void AppendNumberText(double value, std::string* text) {
  if (!std::isnan(value)) fmt::format_to(std::back_inserter(*text), "{}", value);
}

std::string NumberText(float value) {
  std::string text;
  AppendNumberText(value, &text);
  return text;
}
std::string NumberText(double value) {
  std::string text;
  AppendNumberText(value, &text);
  return text;
}

}  // namespace manygate
