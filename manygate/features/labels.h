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
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/config/pipeline.pb.h"
#include "manygate/data/table.h"
#include "manygate/features/feature.h"
#include "manygate/features/schema.h"

namespace manygate::features {

// data_config.label_fields in order, then labels that only towers name, as theirs or as their task space. Not fitted.
//   CLASSES  has class_values, or a tower with softmax_cross_entropy
//   BINARY   has positive_values, or a tower with a binary loss (the default loss is one)
//   NUMBER   all others
// pairwise_loss takes any number: it makes a label BINARY only where nothing else decides.
std::vector<LabelSchema> LabelsOf(const config::Pipeline& pipeline);

// Why no kind fits all that use the label, as a clause behind its name: `is 0 or 1 for tower "a" (binary_cross_entropy)
// but a number for tower "b" (l2_loss). ...`; "" if there is one.
std::string LabelConflict(const config::Pipeline& pipeline, const std::string& label_name);

// Statistics of the training rows. Problems: values that are not 0 and 1 in a binary label (which values, how many
// rows, and the positive_values to write); values that are no class (and the class_values to write); negative numbers
// where a loss takes none; a positive value that no row has (a note if it is close to one that rows do have); one class
// only; no value. Notes: a class, or a class value, that no training row has; a number that is the same in all rows.
void FitLabel(const Column& column, int64_t rows, std::span<const uint32_t> training_rows, LabelSchema* label,
              FitMessages* messages);

// A label of each row of a table. The column must outlive the view.
class LabelColumn {
 public:
  // InvalidInput, a clause that goes behind the label's name: texts that are no numbers, a binary label that is not 0
  // or 1 and has no positive_values, a value that is no class, a negative number of a label that is non_negative. "nan"
  // in any case is a missing binary label or class.
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
