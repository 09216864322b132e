// SPDX-License-Identifier: Apache-2.0
// A number that says how good one task's predictions are, gathered over any number of calls. One family = one .cc here
// with its factory functions; the switch from a config::MetricConfig to these factories is catalog/.
//
//   std::unique_ptr<Metric> auc = MakeAuc(config::AUC());
//   for (each batch) auc->Add(predictions, labels, weights, rows);
//   double value = auc->Value();             // NaN when it does not exist; then
//   std::string reason = auc->Reason();      // "one class", "no rows", ...
//
// To add a metric: message in config/pipeline.proto, Make<Name> here, one line in catalog/.
#ifndef MANYGATE_METRICS_METRIC_H_
#define MANYGATE_METRICS_METRIC_H_

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>

#include "manygate/config/pipeline.pb.h"

namespace manygate {

// Why a value can be missing; what Reason() returns and what tables print as "n/a (<reason>)".
inline constexpr char kNoRows[] = "no rows";
inline constexpr char kOneClass[] = "one class";
inline constexpr char kNoPositives[] = "no positives";
inline constexpr char kNotFinite[] = "predictions not finite";

// Rows of one task. Rows whose label is NaN or whose weight is 0 are skipped.
struct MetricBatch {
  const float* predictions;           // [rows, width], dense
  int width = 1;                      // 1, or the number of classes
  const float* labels;                // [rows]; with classes: 0 .. width-1
  const float* weights = nullptr;     // [rows], >= 0; null = all 1
  const int32_t* groups = nullptr;    // [rows], equal numbers = one group; given if GroupColumn() names a column
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
  // Over all rows so far; NaN when the value does not exist. More rows may be added afterwards.
  virtual double Value() const = 0;
  // 95 % confidence interval of Value(); NaN, NaN for metrics that have none.
  virtual std::pair<double, double> Interval() const;
  // Why Value() is NaN; empty when it is a number.
  virtual std::string Reason() const = 0;
  virtual bool HigherIsBetter() const = 0;
};

// A label counts as positive above one half: labels are 0 and 1, or probabilities.
inline bool IsPositive(float label) { return label > 0.5f; }
// Whether a row takes part: it has a label and a weight.
inline bool TakesPart(float label, float weight) { return !std::isnan(label) && weight != 0.0f; }

// auc.cc. Area under the receiver operating characteristic: the chance that a positive row scores above a negative
// one, ties counting one half. thresholds = 0: exact; 8 bytes per row, 16 while Value() runs. thresholds = n >= 2: over
// n evenly spaced thresholds from 0 to 1, as torchmetrics' binned AUROC; 16 bytes per threshold.
std::unique_ptr<Metric> MakeAuc(const config::AUC& config);
// log_loss.cc. Mean of -(y log p + (1 - y) log(1 - p)), p kept 2^-23 away from 0 and 1.
std::unique_ptr<Metric> MakeLogLoss(const config::LogLoss& config);
// accuracy.cc. Share of the weight on rows where (prediction > threshold) is right.
std::unique_ptr<Metric> MakeAccuracy(const config::Accuracy& config);
// calibration.cc. Mean prediction / mean label; best at 1.
std::unique_ptr<Metric> MakeCalibration(const config::Calibration& config);
// regression.cc. Mean of |p - y|, mean of (p - y)^2, and its root.
std::unique_ptr<Metric> MakeMeanAbsoluteError(const config::MeanAbsoluteError& config);
std::unique_ptr<Metric> MakeMeanSquaredError(const config::MeanSquaredError& config);
std::unique_ptr<Metric> MakeRootMeanSquaredError(const config::RootMeanSquaredError& config);

}  // namespace manygate

#endif  // MANYGATE_METRICS_METRIC_H_
