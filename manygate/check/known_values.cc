// SPDX-License-Identifier: Apache-2.0
#include "manygate/check/known_values.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <vector>

#include "manygate/check/checked_rows.h"

namespace manygate::check {
namespace {

constexpr size_t kFewestMeasurements = 50;

}  // namespace

KnownValues::KnownValues(const Column& column, std::span<const uint32_t> rows) {
  if (column.kind == ColumnKind::kCategory) {
    const std::vector<int64_t> counts = CountCodes(column, rows);
    for (size_t code = 1; code < counts.size(); ++code)
      if (counts[code] > 0) values_.insert(std::hash<std::string_view>()(column.dictionary[code]));
    return;
  }
  size_t present = 0;
  for (const uint32_t row : rows) {
    if (IsMissing(column, row)) continue;
    const float value = column.numbers[row];
    least_ = present == 0 ? value : std::min(least_, value);
    most_ = present == 0 ? value : std::max(most_, value);
    ++present;
    values_.insert(ValueKey(column, row));
  }
  is_range_ = values_.size() >= kFewestMeasurements && 2 * values_.size() > present;
}

bool KnownValues::HasNumber(const Column& column, uint32_t row) const {
  if (is_range_) return column.numbers[row] >= least_ && column.numbers[row] <= most_;
  return values_.contains(ValueKey(column, row));
}

Matches KnownValues::Match(const Column& column, std::span<const uint32_t> rows) const {
  Matches matches;
  if (column.kind == ColumnKind::kCategory) {
    const std::vector<int64_t> counts = CountCodes(column, rows);
    for (size_t code = 1; code < counts.size(); ++code) {
      matches.present += counts[code];
      if (counts[code] > 0 && values_.contains(std::hash<std::string_view>()(column.dictionary[code])))
        matches.known += counts[code];
    }
    return matches;
  }
  for (const uint32_t row : rows) {
    if (IsMissing(column, row)) continue;
    ++matches.present;
    matches.known += HasNumber(column, row);
  }
  return matches;
}

}  // namespace manygate::check
