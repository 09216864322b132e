// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/value_list.h"

#include <unordered_map>

#include "manygate/data/number_text.h"

namespace manygate::features {

WeightedValue SplitWeight(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {text};
  WeightedValue result{Trim(text.substr(0, colon))};
  if (ParseFloat(Trim(text.substr(colon + 1)), &result.weight) != NumberParse::kOk) result.weight = 1;
  return result;
}

TrainingColumn SplitValues(const TrainingColumn& texts, const ValueListKind& kind, uint32_t max_values) {
  struct Seen {
    size_t place;  // in result.values
    size_t text;   // the last text that has the value
  };
  TrainingColumn result;
  result.missing_rows = kind.sequence ? 0 : texts.missing_rows;  // a sequence without a position lacks nothing
  std::unordered_map<std::string_view, Seen> seen;
  for (size_t i = 0; i < texts.values.size(); ++i) {
    const uint64_t rows = texts.values[i].rows;
    size_t count = 0;
    bool has_empty = false;
    const auto add = [&](std::string_view value) {
      if (++count > max_values && max_values > 0) return true;
      if (kind.weighted) value = SplitWeight(value).value;
      if (value.empty()) {
        has_empty = true;
        return true;
      }
      const auto [found, is_new] = seen.try_emplace(value, Seen{result.values.size(), i});
      if (is_new) result.values.push_back({value, 0});
      if (is_new || found->second.text != i) result.values[found->second.place].rows += rows;
      found->second.text = i;
      return true;
    };
    kind.sequence ? ForEachPosition(texts.values[i].text, kind.separator, add)
                  : ForEachValue(texts.values[i].text, kind.separator, add);
    if (kind.sequence ? has_empty : count == 0) result.missing_rows += rows;
    if (result.rows_by_values.size() <= count) result.rows_by_values.resize(count + 1, 0);
    if (count > 0) result.rows_by_values[count] += rows;
  }
  return result;
}

}  // namespace manygate::features
