// SPDX-License-Identifier: Apache-2.0
// Squared error of a real-valued label.
#include <algorithm>
#include <cmath>

#include "manygate/losses/loss.h"

namespace manygate {
namespace {

class L2Loss : public Loss {
 public:
  const char* name() const override { return "l2_loss"; }

  double Compute(const LossBatch& batch, float* d_logits) const override {
    double sum = 0.0;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const float weight = batch.weights[i];
      // Not multiplied by the weight alone: 0 * NaN would be NaN.
      const float error = weight == 0.0f ? 0.0f : batch.logits[i * batch.logit_stride] - batch.labels[i];
      sum += static_cast<double>(weight) * error * error;
      if (d_logits != nullptr) d_logits[i * batch.logit_stride] = batch.scale * weight * (2.0f * error);
    }
    return sum;
  }

  void Link(const float* logits, int64_t rows, float* predictions) const override {
    if (predictions != logits) std::copy_n(logits, rows, predictions);
  }

  float InitialBias(double label_mean) const override {
    return std::isfinite(label_mean) ? static_cast<float>(label_mean) : 0.0f;
  }

  std::vector<config::MetricConfig> DefaultMetrics() const override {
    std::vector<config::MetricConfig> metrics(2);
    metrics[0].mutable_root_mean_squared_error();
    metrics[1].mutable_mean_absolute_error();
    return metrics;
  }
};

}  // namespace

std::unique_ptr<Loss> MakeL2Loss(const config::L2Loss&) { return std::make_unique<L2Loss>(); }

}  // namespace manygate
