// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/values.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>

#include "manygate/base/text.h"
#include "manygate/data/number_text.h"

namespace manygate::features {

StatusOr<NumberColumn> NumberColumn::Of(const Column& column, int64_t rows) {
  NumberColumn result;
  result.column_ = &column;
  if (column.kind == ColumnKind::kNumber) {
    for (int64_t row = 0; row < rows; ++row)
      if (std::isinf(column.numbers[row])) return InvalidInput(fmt::format("is infinite in row {}", row + 1));
    return result;
  }
  result.dictionary_.assign(column.dictionary.size(), std::numeric_limits<float>::quiet_NaN());
  std::vector<std::string> wrong;
  for (size_t code = 1; code < column.dictionary.size(); ++code)
    if (ParseFloat(column.dictionary[code], &result.dictionary_[code]) != NumberParse::kOk)
      wrong.push_back('"' + column.dictionary[code] + '"');
  if (!wrong.empty()) {
    return InvalidInput(fmt::format("has {} {}: {}", wrong.size(),
                                    wrong.size() == 1 ? "value that is no number" : "values that are no numbers",
                                    JoinNames(wrong, 5)));
  }
  return result;
}

std::string WeightProblem(const NumberColumn& weights, int64_t rows) {
  int64_t missing = 0, negative = 0, first = -1;
  for (int64_t row = 0; row < rows; ++row) {
    const float weight = weights.Value(row);
    if (weight >= 0) continue;
    ++(std::isnan(weight) ? missing : negative);
    if (first < 0) first = row;
  }
  if (first < 0) return "";
  return fmt::format(
      "is missing in {} and negative in {} of {} rows, the first of them row {}; every row needs a number "
      ">= 0",
      FormatCount(missing), FormatCount(negative), FormatCount(rows), first + 1);
}

}  // namespace manygate::features
