// SPDX-License-Identifier: Apache-2.0
// Labels: which there are, what column each is computed from, its statistics on the training rows, its values.
//
//   for (LabelSchema& label : LabelsOf(pipeline)) FitLabel(column, table.rows, training_rows, &label, &messages);
//   MG_ASSIGN_OR_RETURN(LabelColumn values, LabelColumn::Of(label, column, table.rows));
//   float y = values.Value(row);   // NaN = this row lacks the label
#ifndef MANYGATE_FEATURES_LABELS_H_
#define MANYGATE_FEATURES_LABELS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/config/pipeline.pb.h"
#include "manygate/data/table.h"
#include "manygate/features/feature.h"
#include "manygate/features/schema.h"

namespace manygate::features {

// data_config.label_fields in order, then labels that only towers name. Not fitted. A label is BINARY if it has
// positive_values or a tower with a binary loss (the default loss is one).
std::vector<LabelSchema> LabelsOf(const config::Pipeline& pipeline);

// Statistics of the training rows. Problems: values that are not 0 and 1 in a binary label (which values, how many
// rows, and the positive_values to write); a positive value that no row has (a note if it is close to one that rows do have); one
// class only; no value.
void FitLabel(const Column& column, int64_t rows, std::span<const uint32_t> training_rows, LabelSchema* label,
              FitMessages* messages);

// A label of each row of a table. The column must outlive the view.
class LabelColumn {
 public:
  // InvalidInput, a clause that goes behind the label's name: texts that are no numbers, or a binary label that is not
  // 0 or 1 and has no positive_values.
  static StatusOr<LabelColumn> Of(const LabelSchema& label, const Column& column, int64_t rows);

  // Category columns: the label of each code.
  std::span<const float> dictionary() const { return dictionary_; }

  float Value(int64_t row) const {
    return column_->kind == ColumnKind::kNumber ? column_->numbers[row] : dictionary_[column_->Code(row)];
  }

 private:
  const Column* column_ = nullptr;
  std::vector<float> dictionary_;
};

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_LABELS_H_
