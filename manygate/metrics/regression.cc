// SPDX-License-Identifier: Apache-2.0
// Errors of real-valued predictions.
#include "manygate/metrics/mean_metric.h"

namespace manygate {
namespace {

class MeanAbsoluteError : public MeanMetric {
 public:
  const char* name() const override { return "mean_absolute_error"; }
  bool HigherIsBetter() const override { return false; }

 protected:
  double PerRow(const MetricRow& row) const override {
    return std::fabs(static_cast<double>(row.predictions[0]) - row.label);
  }
};

class MeanSquaredError : public MeanMetric {
 public:
  const char* name() const override { return "mean_squared_error"; }
  bool HigherIsBetter() const override { return false; }

 protected:
  double PerRow(const MetricRow& row) const override {
    const double error = static_cast<double>(row.predictions[0]) - row.label;
    return error * error;
  }
};

class RootMeanSquaredError : public MeanSquaredError {
 public:
  const char* name() const override { return "root_mean_squared_error"; }

 protected:
  double FromMean(double mean) const override { return std::sqrt(mean); }
};

}  // namespace

std::unique_ptr<Metric> MakeMeanAbsoluteError(const config::MeanAbsoluteError&) {
  return std::make_unique<MeanAbsoluteError>();
}
std::unique_ptr<Metric> MakeMeanSquaredError(const config::MeanSquaredError&) {
  return std::make_unique<MeanSquaredError>();
}
std::unique_ptr<Metric> MakeRootMeanSquaredError(const config::RootMeanSquaredError&) {
  return std::make_unique<RootMeanSquaredError>();
}

}  // namespace manygate
