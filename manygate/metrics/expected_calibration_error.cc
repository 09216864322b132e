// SPDX-License-Identifier: Apache-2.0
// How far predicted and observed shares are apart, over bins of the prediction.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/metrics/row_metric.h"

namespace manygate {
namespace {

class ExpectedCalibrationError : public RowMetric {
 public:
  explicit ExpectedCalibrationError(uint32_t bins) : excess_(bins) {}
  const char* name() const override { return "expected_calibration_error"; }
  bool HigherIsBetter() const override { return false; }

 protected:
  std::string Title() const override { return fmt::format("expected_calibration_error over {} bins", excess_.size()); }

  void AddRow(const MetricRow& row) override {
    const double prediction = row.predictions[0], last = static_cast<double>(excess_.size() - 1);
    const double bin = std::clamp(std::floor(prediction * static_cast<double>(excess_.size())), 0.0, last);
    excess_[static_cast<size_t>(bin)] += row.weight * (prediction - row.label);
    weight_ += row.weight;
  }

  void MergeRows(const RowMetric& other) override {
    const auto& error = static_cast<const ExpectedCalibrationError&>(other);
    for (size_t bin = 0; bin < excess_.size(); ++bin) excess_[bin] += error.excess_[bin];
    weight_ += error.weight_;
  }

  // A bin's share of the weight times the distance of its means is |Σ w (p - y)| / Σ w of all rows.
  double Compute() const override {
    double sum = 0.0;
    for (const double excess : excess_) sum += std::fabs(excess);
    return sum / weight_;
  }

 private:
  std::vector<double> excess_;  // by bin: Σ w (p - y)
  double weight_ = 0.0;
};

}  // namespace

std::unique_ptr<Metric> MakeExpectedCalibrationError(const config::ExpectedCalibrationError& config) {
  MG_CHECK(config.bins() >= 1, "expected_calibration_error over {} bins", config.bins());
  return std::make_unique<ExpectedCalibrationError>(config.bins());
}

}  // namespace manygate
