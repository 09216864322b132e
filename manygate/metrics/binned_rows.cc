// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/binned_rows.h"

#include <algorithm>

#include "manygate/base/check.h"

namespace manygate {

BinnedRows::BinnedRows(uint32_t thresholds) : thresholds_(thresholds), positives_(thresholds), negatives_(thresholds) {
  MG_CHECK(thresholds >= 2, "rows between {} thresholds", thresholds);
  // The steps are counted from the nearer end and rounded once, as torch.linspace does: equal float32 values.
  const float step = 1.0f / static_cast<float>(thresholds - 1);
  for (uint32_t i = 0; i < thresholds; ++i)
    thresholds_[i] = i < thresholds / 2 ? step * static_cast<float>(i)
                                        : static_cast<float>(1.0 - static_cast<double>(step) * (thresholds - 1 - i));
}

// Into the last threshold at or below the score; scores below 0 count as 0.
void BinnedRows::Add(float score, bool positive, float weight) {
  const auto above = std::upper_bound(thresholds_.begin() + 1, thresholds_.end(), score);
  (positive ? positives_ : negatives_)[static_cast<size_t>(above - thresholds_.begin()) - 1] += weight;
  (positive ? any_positive_ : any_negative_) = true;
}

void BinnedRows::Append(const BinnedRows& other) {
  MG_CHECK(thresholds() == other.thresholds(), "{} thresholds after {}", other.thresholds(), thresholds());
  for (size_t i = 0; i < thresholds(); ++i) {
    positives_[i] += other.positives_[i];
    negatives_[i] += other.negatives_[i];
  }
  any_positive_ = any_positive_ || other.any_positive_;
  any_negative_ = any_negative_ || other.any_negative_;
}

double AreaUnderRoc(const BinnedRows& rows) {
  long double area = 0.0L;
  long double positives = rows.positives().back(), negatives = rows.negatives().back();
  for (size_t i = rows.thresholds() - 1; i-- > 0;) {
    area += rows.negatives()[i] * (positives + 0.5L * rows.positives()[i]);
    positives += rows.positives()[i];
    negatives += rows.negatives()[i];
  }
  return static_cast<double>(area / (positives * negatives));
}

}  // namespace manygate
