// SPDX-License-Identifier: Apache-2.0
// Mean prediction over mean label: above 1 the model promises too much, below 1 too little.
#include "manygate/metrics/row_metric.h"

namespace manygate {
namespace {

class Calibration : public RowMetric {
 public:
  const char* name() const override { return "calibration"; }
  // Neither direction is better; IsBetter in evaluation.h compares distances from 1.
  bool HigherIsBetter() const override { return false; }

 protected:
  void AddRow(const MetricRow& row) override {
    predictions_ += static_cast<double>(row.weight) * row.predictions[0];
    labels_ += static_cast<double>(row.weight) * row.label;
  }

  void MergeRows(const RowMetric& other) override {
    const auto& calibration = static_cast<const Calibration&>(other);
    predictions_ += calibration.predictions_;
    labels_ += calibration.labels_;
  }

  std::string Undefined() const override { return labels_ == 0.0 ? kNoPositives : ""; }
  double Compute() const override { return predictions_ / labels_; }

 private:
  double predictions_ = 0.0;
  double labels_ = 0.0;
};

}  // namespace

std::unique_ptr<Metric> MakeCalibration(const config::Calibration&) { return std::make_unique<Calibration>(); }

}  // namespace manygate
