// SPDX-License-Identifier: Apache-2.0
// Scored rows of two classes, counted between evenly spaced thresholds from 0 to 1, as torchmetrics' binned curves; below
// auc and multiclass_auc with thresholds. 16 bytes per threshold.
//
//   BinnedRows rows(200);
//   for (each row) rows.Add(score, positive, weight);
//   double area = AreaUnderRoc(rows);
#ifndef MANYGATE_METRICS_BINNED_ROWS_H_
#define MANYGATE_METRICS_BINNED_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace manygate {

class BinnedRows {
 public:
  // thresholds >= 2.
  explicit BinnedRows(uint32_t thresholds);

  void Add(float score, bool positive, float weight);
  // Of as many thresholds.
  void Append(const BinnedRows& other);
  size_t thresholds() const { return thresholds_.size(); }
  bool has_positives() const { return any_positive_; }
  bool has_negatives() const { return any_negative_; }
  // By threshold: weight of the rows from it up to the next.
  const std::vector<double>& positives() const { return positives_; }
  const std::vector<double>& negatives() const { return negatives_; }

 private:
  std::vector<float> thresholds_;
  std::vector<double> positives_, negatives_;
  bool any_positive_ = false, any_negative_ = false;
};

// The area below the curve through (share of negatives, share of positives) at or above each threshold, from the highest
// threshold to the lowest, which is 0 and so takes in all rows. As in torchmetrics no point (0, 0) is added: rows at the
// highest threshold start the curve where they stand. Both classes must have rows.
double AreaUnderRoc(const BinnedRows& rows);

}  // namespace manygate

#endif  // MANYGATE_METRICS_BINNED_ROWS_H_
