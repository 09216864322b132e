// SPDX-License-Identifier: Apache-2.0
// Columns of a raw table as numbers, whatever kind they were read as.
//
//   MG_ASSIGN_OR_RETURN(NumberColumn numbers, NumberColumn::Of(column, table.rows));
//   float value = numbers.Value(row);   // NaN = missing
#ifndef MANYGATE_FEATURES_VALUES_H_
#define MANYGATE_FEATURES_VALUES_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/table.h"

namespace manygate::features {

// A view of a column as numbers. A category column's dictionary is parsed once. The column must outlive the view.
class NumberColumn {
 public:
  // InvalidInput: texts that are no decimal numbers within float's range (the first few of them), infinite numbers. The
  // message is a clause that goes behind the column's name: `has 3 values that are no numbers: "a", "b", "c"`.
  static StatusOr<NumberColumn> Of(const Column& column, int64_t rows);

  bool is_category() const { return column_->kind == ColumnKind::kCategory; }
  // Category columns: the number of each code.
  std::span<const float> dictionary() const { return dictionary_; }

  float Value(int64_t row) const {
    return column_->kind == ColumnKind::kNumber ? column_->numbers[row] : dictionary_[column_->Code(row)];
  }

 private:
  const Column* column_ = nullptr;
  std::vector<float> dictionary_;
};

// A row weight must be a number >= 0 in every row. "" or a clause: `is missing in 3 rows, the first is row 8`.
std::string WeightProblem(const NumberColumn& weights, int64_t rows);

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_VALUES_H_
