// SPDX-License-Identifier: Apache-2.0
#include "manygate/check/outcome.h"

#include <cmath>
#include <vector>

#include "manygate/data/number_text.h"

namespace manygate::check {
namespace {

constexpr int64_t kFewestFilled = 20;

}  // namespace

bool TellsOutcome(const Column& column, int64_t rows, const std::function<float(int64_t)>& label) {
  std::vector<bool> filled_code(column.dictionary.size(), false);
  for (size_t code = 1; code < filled_code.size(); ++code) {
    double number = 0;
    filled_code[code] = ParseDouble(column.dictionary[code], &number) != NumberParse::kOk || number != 0;
  }
  const auto is_filled = [&](int64_t row) -> bool {
    if (column.kind == ColumnKind::kCategory) return filled_code[column.Code(row)];
    return column.numbers[row] != 0 && !std::isnan(column.numbers[row]);
  };
  int64_t filled = 0, positive = 0, labelled = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const float value = label(row);
    if (std::isnan(value)) continue;
    ++labelled;
    positive += value == 1;
    if (!is_filled(row)) continue;
    if (value != 1) return false;
    ++filled;
  }
  return filled >= kFewestFilled && 2 * positive <= labelled;
}

}  // namespace manygate::check
