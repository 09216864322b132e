// SPDX-License-Identifier: Apache-2.0
// Share of rows on the right side of a threshold.
#include "manygate/metrics/mean_metric.h"

namespace manygate {
namespace {

class Accuracy : public MeanMetric {
 public:
  explicit Accuracy(float threshold) : threshold_(threshold) {}
  const char* name() const override { return "accuracy"; }
  bool HigherIsBetter() const override { return true; }

 protected:
  double PerRow(float prediction, float label) const override {
    return (prediction > threshold_) == IsPositive(label) ? 1.0 : 0.0;
  }

 private:
  const float threshold_;
};

}  // namespace

std::unique_ptr<Metric> MakeAccuracy(const config::Accuracy& config) {
  return std::make_unique<Accuracy>(config.threshold());
}

}  // namespace manygate
