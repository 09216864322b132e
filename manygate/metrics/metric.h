// SPDX-License-Identifier: Apache-2.0
// A number that says how good one task's predictions are, gathered over any number of calls. One family = one .cc here
// with its factory functions; the switch from a config::MetricConfig to these factories is catalog/.
//
//   std::unique_ptr<Metric> auc = MakeAuc(config::AUC());
//   for (each batch) auc->Add({.predictions = p, .labels = y, .weights = w, .rows = n});
//   double value = auc->Value();             // NaN when it does not exist; then
//   std::string reason = auc->Reason();      // "one class", "no rows", ...
//   auto [low, high] = auc->Interval();
//
// To add a metric: message in config/pipeline.proto, Make<Name> here (row_metric.h is the base of all), its direction
// in evaluation.cc, one line in catalog/.
#ifndef MANYGATE_METRICS_METRIC_H_
#define MANYGATE_METRICS_METRIC_H_

#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "manygate/config/pipeline.pb.h"

namespace manygate {

// Why a value can be missing; what Reason() returns and what tables print as "n/a (<reason>)".
inline constexpr char kNoRows[] = "no rows";
inline constexpr char kOneClass[] = "one class";
inline constexpr char kNoPositives[] = "no positives";
inline constexpr char kOneClassPerGroup[] = "one class in every group";
inline constexpr char kEqualLabels[] = "labels all equal";
inline constexpr char kEqualLabelsPerGroup[] = "labels all equal in every group";
inline constexpr char kNotFinite[] = "predictions not finite";

// Rows of one task. Rows whose label is NaN or whose weight is 0 are skipped.
struct MetricBatch {
  const float* predictions;        // [rows, width], dense
  int width = 1;                   // 1, or the number of classes; the same in every call
  const float* labels;             // [rows]; with classes: 0 .. width-1
  const float* weights = nullptr;  // [rows], >= 0; null = all 1
  const int32_t* groups =
      nullptr;  // [rows], given if GroupColumn() names a column; equal numbers = one group, in all calls
  int64_t rows;
};

class Metric {
 public:
  virtual ~Metric() = default;
  // The name of the field in config::MetricConfig, such as "auc"; the key in every report.
  virtual const char* name() const = 0;
  // The column that MetricBatch::groups is made from; empty: none.
  virtual std::string GroupColumn() const { return ""; }
  virtual void Add(const MetricBatch& batch) = 0;
  // Adds what another metric of the same kind and configuration has gathered, as if its rows followed ours.
  virtual void Merge(const Metric& other) = 0;
  // Over all rows so far; NaN when the value does not exist. More rows may be added afterwards. Not for several threads
  // at once: some metrics sort their rows here.
  virtual double Value() const = 0;
  // 95 % confidence interval of Value(); NaN, NaN for metrics that have none.
  virtual std::pair<double, double> Interval() const {
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  }
  // Why Value() is NaN; empty when it is a number.
  virtual std::string Reason() const = 0;
  virtual bool HigherIsBetter() const = 0;
};

// A label counts as positive above one half: labels are 0 and 1, or probabilities.
inline bool IsPositive(float label) { return label > 0.5f; }
// Whether a row takes part: it has a label and a weight.
inline bool TakesPart(float label, float weight) { return !std::isnan(label) && weight != 0.0f; }

// Of a single prediction per row, unless classes are mentioned. "Rows" means the sum of their weights. Memory is what a
// metric keeps; where none is stated it does not grow with the rows.

// auc.cc. Area under the receiver operating characteristic: the chance that a positive row scores above a negative
// one, ties counting one half.
// thresholds = 0: exact; 8 bytes per row, 16 while they are sorted. Interval() is the area ± 1.96 standard errors,
// clipped to [0, 1], by DeLong, DeLong & Clarke-Pearson 1988 in its O(n log n) form (Sun & Xu 2014): with V_i the share
// of the other class that row i is on the right side of, the variance is Σ over the two classes of
//   [e / (e - 1)] Σ w_i² (V_i - area)² / (Σ w_i)²,   e = (Σ w_i)² / Σ w_i²,
// which is DeLong's for equal weights; other weights count as sampling weights, not as numbers of equal rows. No
// interval when a class has a single row; no width when all pairs are ordered alike.
// thresholds = n >= 2: over n evenly spaced thresholds from 0 to 1, as torchmetrics' binned AUROC; 16 bytes per
// threshold, no interval.
std::unique_ptr<Metric> MakeAuc(const config::AUC& config);
// grouped_auc.cc. Mean of the exact AUC of each group, weighted by its rows; groups of one class are left out. 12 bytes
// per row.
std::unique_ptr<Metric> MakeGroupedAuc(const config::GroupedAUC& config);
// multiclass_auc.cc. Classes: the AUC of each class's probability against the other classes, and their mean, plain or
// weighted by the class's rows; classes that do not occur are left out. thresholds as for auc: exact with 8 bytes per row
// and class, or 16 bytes per threshold and class.
std::unique_ptr<Metric> MakeMulticlassAuc(const config::MulticlassAUC& config);
// pr_auc.cc. Average precision Σ (R_n - R_{n-1}) P_n over the distinct scores from the highest down, as scikit-learn's
// average_precision_score; 1 when all rows are positive. 8 bytes per row, 16 while they are sorted.
std::unique_ptr<Metric> MakePrAuc(const config::PrAUC& config);
// xauc.cc. Of the pairs of rows with different labels, the share that the predictions order as the labels do, equal
// predictions counting one half; all pairs, a pair weighing the product of its rows' weights. The AUC if labels are 0
// and 1. O(n log n); 12 bytes per row, up to 32 while Value() runs.
std::unique_ptr<Metric> MakeXauc(const config::XAUC& config);
// xauc.cc. The same within the groups of equal grouping_key, their mean weighted by their pairs: of all pairs of rows of
// one group with different labels. 16 bytes per row.
std::unique_ptr<Metric> MakeGroupedXauc(const config::GroupedXAUC& config);
// flattened_auc.cc. The exact AUC of one list of all class probabilities p_ic of all rows, positive where c is the row's
// label; of a single prediction: p and 1 - p. 8 bytes per row and class, 16 while they are sorted.
std::unique_ptr<Metric> MakeFlattenedAuc(const config::FlattenedAUC& config);
// log_loss.cc. Mean of -(y log p + (1 - y) log(1 - p)); classes: mean of -log p[label]. p kept 2^-23 away from 0 and 1.
std::unique_ptr<Metric> MakeLogLoss(const config::LogLoss& config);
// normalized_entropy.cc. Mean of -(y log p + (1 - y) log(1 - p)), p kept eta away from 0 and 1, over the same of a
// constant prediction, the mean label (He et al. 2014); below 1 is better than that constant.
std::unique_ptr<Metric> MakeNormalizedEntropy(const config::NormalizedEntropy& config);
// accuracy.cc. Share of the rows where (prediction > threshold) is right; classes: where the label is among the top_k
// likeliest, of equal probabilities the smaller class first.
std::unique_ptr<Metric> MakeAccuracy(const config::Accuracy& config);
// accuracy.cc. Classes: share of the rows whose label is among the top_k likeliest, as accuracy of top_k counts them.
std::unique_ptr<Metric> MakeRecallAtK(const config::RecallAtK& config);
// calibration.cc. Mean prediction / mean label; best at 1.
std::unique_ptr<Metric> MakeCalibration(const config::Calibration& config);
// expected_calibration_error.cc. Σ over bins of (share of the rows) · |mean prediction - mean label|. Bin b holds the
// predictions in [b / bins, (b + 1) / bins), the last one also 1 and above, the first one also those below 0. 8 bytes
// per bin.
std::unique_ptr<Metric> MakeExpectedCalibrationError(const config::ExpectedCalibrationError& config);
// regression.cc. Mean of |p - y|, mean of (p - y)^2, and its root.
std::unique_ptr<Metric> MakeMeanAbsoluteError(const config::MeanAbsoluteError& config);
std::unique_ptr<Metric> MakeMeanSquaredError(const config::MeanSquaredError& config);
std::unique_ptr<Metric> MakeRootMeanSquaredError(const config::RootMeanSquaredError& config);
// r2.cc. 1 - Σ (y - p)^2 / Σ (y - mean y)^2, the share of the labels' variance that is explained; below 0 when the mean
// label would have been nearer.
std::unique_ptr<Metric> MakeR2(const config::R2& config);

}  // namespace manygate

#endif  // MANYGATE_METRICS_METRIC_H_
