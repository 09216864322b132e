// SPDX-License-Identifier: Apache-2.0
// Coefficient of determination.
#include "manygate/metrics/row_metric.h"

namespace manygate {
namespace {

class R2 : public RowMetric {
 public:
  const char* name() const override { return "r2"; }
  bool HigherIsBetter() const override { return true; }

 protected:
  // Mean and squared deviations are carried along (West 1979): sums of squares would lose all digits of labels whose
  // mean is large. In long double: with labels around 1e6, 12 digits instead of 10.
  void AddRow(const MetricRow& row) override {
    const double error = static_cast<double>(row.predictions[0]) - row.label;
    squared_errors_ += row.weight * error * error;
    Join(row.weight, row.label, 0.0L);
  }

  void MergeRows(const RowMetric& other) override {
    const auto& r2 = static_cast<const R2&>(other);
    squared_errors_ += r2.squared_errors_;
    if (r2.weight_ > 0.0L) Join(r2.weight_, r2.mean_, r2.squared_deviations_);
  }

  std::string Undefined() const override { return squared_deviations_ > 0.0L ? "" : kEqualLabels; }
  double Compute() const override { return static_cast<double>(1.0L - squared_errors_ / squared_deviations_); }

 private:
  void Join(long double weight, long double mean, long double squared_deviations) {
    const long double difference = mean - mean_, total = weight_ + weight;
    squared_deviations_ += squared_deviations + difference * difference * (weight_ / total) * weight;
    mean_ += difference * (weight / total);
    weight_ = total;
  }

  long double squared_errors_ = 0.0L;      // Σ w (p - y)^2
  long double squared_deviations_ = 0.0L;  // Σ w (y - mean)^2
  long double mean_ = 0.0L;                // of the labels
  long double weight_ = 0.0L;
};

}  // namespace

std::unique_ptr<Metric> MakeR2(const config::R2&) { return std::make_unique<R2>(); }

}  // namespace manygate
