// SPDX-License-Identifier: Apache-2.0
// Mean negative log-likelihood of the labels.
#include "manygate/metrics/cross_entropy.h"
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
  Takes TakesWidth() const override { return Takes::kBoth; }

  double PerRow(const MetricRow& row) const override {
    if (row.width == 1) return CrossEntropy(row.predictions[0], row.label, kMargin);
    return CrossEntropy(row.predictions[static_cast<int>(row.label)], 1.0, kMargin);
  }
};

}  // namespace

std::unique_ptr<Metric> MakeLogLoss(const config::LogLoss&) { return std::make_unique<LogLoss>(); }

}  // namespace manygate
