// SPDX-License-Identifier: Apache-2.0
// The curves behind single numbers, for drawing: receiver operating characteristic (below the AUC), precision over
// recall (below the average precision), and calibration (below calibration and its error).
//
//   const ScoredRows rows{.predictions = p, .labels = y, .weights = w};
//   for (const CurvePoint& point : RocCurve(rows)) ...        // x: false positive rate, y: true positive rate
//   for (const CalibrationBin& bin : CalibrationBins(rows, 10, BinInterval::kShare)) ...
//
// Rows whose label is NaN, whose weight is 0 or whose prediction is not finite are passed over. "Rows" means the sum of
// their weights, as in metric.h. Rows of equal prediction are one step of a curve and lie in one bin, so that the order
// of the rows changes nothing.
#ifndef MANYGATE_METRICS_CURVES_H_
#define MANYGATE_METRICS_CURVES_H_

#include <cstdint>
#include <span>
#include <vector>

namespace manygate {

struct ScoredRows {
  std::span<const float> predictions;   // [rows], one per row
  std::span<const float> labels;        // [rows]; of curves over two classes: positive above one half
  std::span<const float> weights = {};  // [rows], >= 0; empty = all 1
};

// What holds when rows with prediction >= threshold are called positive.
struct CurvePoint {
  double x = 0, y = 0;
  double threshold = 0;
};

inline constexpr int kMostCurvePoints = 200;

// x: share of the negative rows at or above the threshold; y: the same of the positive rows. From (0, 0), threshold
// infinite, to (1, 1); one point per distinct prediction, as scikit-learn's roc_curve without dropping. More than
// `most_points` are thinned to about so many, evenly along the curve; those that stay are exact. Empty: one class has
// no rows.
std::vector<CurvePoint> RocCurve(const ScoredRows& rows, int most_points = kMostCurvePoints);

// x: recall, y: precision, from the highest distinct prediction down to recall 1, as scikit-learn's
// precision_recall_curve read backwards without its last point (1 at recall 0, where there is no threshold). Thinned in
// the same way. Empty: no positive rows.
std::vector<CurvePoint> PrecisionRecallCurve(const ScoredRows& rows, int most_points = kMostCurvePoints);

struct CalibrationBin {
  int64_t rows = 0;  // their number, whatever they weigh
  double mean_prediction = 0, mean_label = 0;
  double low = 0, high = 0;  // 95 % interval of mean_label
};

// Of n = (Σ w)² / Σ w² rows in a bin (Kish's effective number; the rows themselves when all weigh the same):
//   kShare  labels are shares of two classes: Wilson's interval for a binomial share (Wilson 1927)
//   kMean   labels are numbers: mean ± 1.96 s / √n with s² = Σ w (y - mean)² / Σ w · n / (n - 1); NaN for a single row
enum class BinInterval { kShare, kMean };

// At most `bins` bins of equally many rows, from the smallest predictions up. Rows of equal prediction go to the bin
// that the middle one of them belongs to; bins that stay empty are left out. Empty: no rows.
std::vector<CalibrationBin> CalibrationBins(const ScoredRows& rows, int bins, BinInterval interval);

}  // namespace manygate

#endif  // MANYGATE_METRICS_CURVES_H_
