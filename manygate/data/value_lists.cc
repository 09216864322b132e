// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/value_lists.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "manygate/base/text.h"
#include "manygate/data/row_writer.h"

namespace manygate {
namespace {

constexpr size_t kFewestTexts = 20;
constexpr size_t kTextsPerValue = 3;
constexpr double kFewestLists = 0.25, kMostOfALength = 0.95, kFewestMoving = 0.3;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

struct Places {
  size_t first = 0, later = 0;
  size_t all() const { return first + later; }
};

// What the texts fall into.
struct Parts {
  std::unordered_map<std::string_view, Places> values;
  std::unordered_map<size_t, size_t> lengths;  // values of a text -> texts
  size_t occurrences = 0;
  size_t lists = 0;           // texts of more than one value
  bool digit_in_each = true;  // of the values
  bool thousands = true;      // every later value has three digits
  bool empty = false;         // some value is empty: "a||b"
};

Parts Cut(std::span<const std::string> texts, char separator) {
  Parts parts;
  for (const std::string& text : texts) {
    if (text.empty()) continue;
    size_t length = 0;
    for (size_t begin = 0; begin <= text.size(); ++length) {
      const size_t end = std::min(text.find(separator, begin), text.size());
      const std::string_view value = Trim(std::string_view(text).substr(begin, end - begin));
      Places& places = parts.values[value];
      ++(length == 0 ? places.first : places.later);
      parts.empty |= value.empty();
      parts.digit_in_each &= std::any_of(value.begin(), value.end(), IsDigit);
      parts.thousands &= length == 0 || (value.size() == 3 && std::all_of(value.begin(), value.end(), IsDigit));
      begin = end + 1;
    }
    ++parts.lengths[length];
    parts.occurrences += length;
    parts.lists += length > 1;
  }
  return parts;
}

// The share of the values seen three times or more that stand both in the first and in a later place.
double MovingShare(const Parts& parts) {
  size_t often = 0, moving = 0;
  for (const auto& [value, places] : parts.values) {
    if (places.all() < kTextsPerValue) continue;
    ++often;
    moving += places.first > 0 && places.later > 0;
  }
  return often == 0 ? 0 : static_cast<double>(moving) / static_cast<double>(often);
}

bool AreLists(const Parts& parts, size_t texts, char separator) {
  const double all = static_cast<double>(texts);
  if (parts.empty || static_cast<double>(parts.lists) < kFewestLists * all) return false;
  if (parts.occurrences < kTextsPerValue * parts.values.size()) return false;
  const auto most = std::max_element(parts.lengths.begin(), parts.lengths.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  if (static_cast<double>(most->second) > kMostOfALength * all) return false;
  if (separator == ' ' && !parts.digit_in_each) return false;
  if (separator == ',' && parts.thousands) return false;
  return MovingShare(parts) >= kFewestMoving;
}

}  // namespace

ValueLists FindValueLists(std::span<const std::string> texts) {
  const auto with = [&](char separator) {
    return static_cast<size_t>(std::count_if(texts.begin(), texts.end(), [separator](const std::string& text) {
      return text.find(separator) != std::string::npos;
    }));
  };
  if (with(kValueSeparator) > 0)
    return {std::string(1, kValueSeparator), static_cast<int64_t>(Cut(texts, kValueSeparator).values.size())};
  if (texts.size() < kFewestTexts) return {};
  for (const char separator : {'|', ';', ',', ' '}) {
    if (static_cast<double>(with(separator)) < kFewestLists * static_cast<double>(texts.size())) continue;
    const Parts parts = Cut(texts, separator);
    if (AreLists(parts, texts.size(), separator))
      return {std::string(1, separator), static_cast<int64_t>(parts.values.size())};
  }
  return {};
}

}  // namespace manygate
