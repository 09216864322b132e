// SPDX-License-Identifier: Apache-2.0
// Several values in one text: "comedy|drama|crime".
//
//   ForEachValue(text, '|', [&](std::string_view value) { ... return true; });
//   TrainingColumn values = SplitValues(texts, {.separator = '|'}, 0);    // what Feature::Fit learns from
#ifndef MANYGATE_FEATURES_VALUE_LIST_H_
#define MANYGATE_FEATURES_VALUE_LIST_H_

#include <cstdint>
#include <string_view>

#include "manygate/base/text.h"
#include "manygate/data/row_writer.h"
#include "manygate/features/feature.h"

namespace manygate::features {

// What separates the values of a text: a list of a Parquet file has 0x1d between them, whatever the configuration says of
// texts.
inline char SeparatorOf(std::string_view text, char separator) {
  const bool is_list = separator != kValueSeparator && text.find(kValueSeparator) != std::string_view::npos;
  return is_list && text.find(separator) == std::string_view::npos ? kValueSeparator : separator;
}

// Calls f(value) for each value of a text in order, until f returns false: what stands between separators, without the
// blanks around it, and is not empty.
template <typename Function>
void ForEachValue(std::string_view text, char separator, Function f) {
  separator = SeparatorOf(text, separator);
  while (!text.empty()) {
    const size_t end = text.find(separator);
    const std::string_view value = Trim(text.substr(0, end));
    if (!value.empty() && !f(value)) return;
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

// Calls f(part) for each position of a sequence in order, until f returns false: each part between separators, without the
// blanks around it, empty ones too; an empty text has none.
template <typename Function>
void ForEachPosition(std::string_view text, char separator, Function f) {
  separator = SeparatorOf(text, separator);
  while (!text.empty()) {
    const size_t end = text.find(separator);
    if (!f(Trim(text.substr(0, end)))) return;
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
    if (text.empty()) f(text);  // a separator at the end has an empty position behind it
  }
}

// "value:weight" in its parts; the weight is 1 where there is none, or no number.
struct WeightedValue {
  std::string_view value;
  float weight = 1;
};
WeightedValue SplitWeight(std::string_view text);

struct ValueListKind {
  char separator = '\0';
  bool sequence = false;
  bool weighted = false;
};

// The distinct values of distinct texts, in order of first appearance, each with the rows that have it, once or more, among
// their first max_values (0: among all). Texts without a value are added to the missing ones; of sequences those that have an
// empty position, once.
TrainingColumn SplitValues(const TrainingColumn& texts, const ValueListKind& kind, uint32_t max_values);

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_VALUE_LIST_H_
