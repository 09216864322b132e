// SPDX-License-Identifier: Apache-2.0
// Columns that are filled in after the outcome, like the amount of a purchase.
//
//   const bool leak = TellsOutcome(column, table.rows, [&](int64_t row) { return label.Value(row); });
#ifndef MANYGATE_CHECK_OUTCOME_H_
#define MANYGATE_CHECK_OUTCOME_H_

#include <cstdint>
#include <functional>

#include "manygate/data/table.h"

namespace manygate::check {

// Whether a value tells that a label is 1: in every row (20 or more) where the column has a value other than 0, 0.0 or
// missing, the label is 1, and at most half of all rows are 1. So many rows of one class are chance in one of a million
// tables. label: 1, 0, or NaN for a row that does not count.
bool TellsOutcome(const Column& column, int64_t rows, const std::function<float(int64_t)>& label);

}  // namespace manygate::check

#endif  // MANYGATE_CHECK_OUTCOME_H_
