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
  // Mean and squared deviations are carried along (West 1979): sums of squares would lose all digits of labels whose mean
  // is large.
  void AddRow(const MetricRow& row) override {
    const double error = static_cast<double>(row.predictions[0]) - row.label;
    squared_errors_ += row.weight * error * error;
    Join(row.weight, row.label, 0.0);
  }

  void MergeRows(const RowMetric& other) override {
    const auto& r2 = static_cast<const R2&>(other);
    squared_errors_ += r2.squared_errors_;
    if (r2.weight_ > 0.0) Join(r2.weight_, r2.mean_, r2.squared_deviations_);
  }

  std::string Undefined() const override { return squared_deviations_ > 0.0 ? "" : kEqualLabels; }
  double Compute() const override { return 1.0 - squared_errors_ / squared_deviations_; }

 private:
  void Join(double weight, double mean, double squared_deviations) {
    const double difference = mean - mean_, total = weight_ + weight;
    squared_deviations_ += squared_deviations + difference * difference * (weight_ / total) * weight;
    mean_ += difference * (weight / total);
    weight_ = total;
  }

  double squared_errors_ = 0.0;      // Σ w (p - y)^2
  double squared_deviations_ = 0.0;  // Σ w (y - mean)^2
  double mean_ = 0.0;                // of the labels
  double weight_ = 0.0;
};

}  // namespace

std::unique_ptr<Metric> MakeR2(const config::R2&) { return std::make_unique<R2>(); }

}  // namespace manygate
