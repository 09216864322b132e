// SPDX-License-Identifier: Apache-2.0
// Mean negative log-likelihood of the labels.
#include <algorithm>

#include "manygate/metrics/mean_metric.h"

namespace manygate {
namespace {

// Predictions are floats: nearer than this to 1 a probability cannot be told from 1. scikit-learn's choice for float32.
constexpr double kMargin = std::numeric_limits<float>::epsilon();

class LogLoss : public MeanMetric {
 public:
  const char* name() const override { return "log_loss"; }
  bool HigherIsBetter() const override { return false; }

 protected:
  double PerRow(float prediction, float label) const override {
    const double probability = std::clamp(static_cast<double>(prediction), kMargin, 1.0 - kMargin);
    if (label == 1.0f) return -std::log(probability);
    if (label == 0.0f) return -std::log1p(-probability);
    return -(label * std::log(probability) + (1.0 - label) * std::log1p(-probability));
  }
};

}  // namespace

std::unique_ptr<Metric> MakeLogLoss(const config::LogLoss&) { return std::make_unique<LogLoss>(); }

}  // namespace manygate
