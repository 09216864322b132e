// SPDX-License-Identifier: Apache-2.0
// Binary cross-entropy on logits, with label smoothing as TorchEasyRec defines it.
#include <algorithm>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/losses/loss.h"
#include "manygate/math/cross_entropy.h"

namespace manygate {
namespace {

class BinaryCrossEntropy : public Loss {
 public:
  explicit BinaryCrossEntropy(float label_smoothing) : label_smoothing_(label_smoothing) {}

  const char* name() const override { return "binary_cross_entropy"; }

  double Compute(const LossBatch& batch, float* d_logits) const override {
    return CrossEntropyRows({.logits = batch.logits,
                             .logit_stride = batch.logit_stride,
                             .labels = batch.labels,
                             .weights = batch.weights,
                             .rows = batch.rows,
                             .scale = batch.scale,
                             .label_smoothing = label_smoothing_},
                            d_logits);
  }

  void Link(const float* logits, int64_t rows, float* predictions) const override {
    Sigmoid(logits, rows, predictions);
  }

  // log(p / (1 - p)) of the smoothed mean; a task with no positive (or no negative) row at all starts at odds of 1 to a
  // million rather than at an infinite logit.
  float InitialBias(double label_mean) const override {
    if (std::isnan(label_mean)) return 0.0f;
    const double smoothed = label_mean * (1.0 - label_smoothing_) + label_smoothing_ / 2.0;
    const double mean = std::clamp(smoothed, 1e-6, 1.0 - 1e-6);
    return static_cast<float>(std::log(mean / (1.0 - mean)));
  }

  std::vector<config::MetricConfig> DefaultMetrics() const override {
    std::vector<config::MetricConfig> metrics(2);
    metrics[0].mutable_auc();
    metrics[1].mutable_log_loss();
    return metrics;
  }

 private:
  const float label_smoothing_;
};

}  // namespace

std::unique_ptr<Loss> MakeBinaryCrossEntropy(const config::BinaryCrossEntropy& config) {
  MG_CHECK(config.label_smoothing() >= 0.0f && config.label_smoothing() < 1.0f, "label_smoothing {}",
           config.label_smoothing());
  return std::make_unique<BinaryCrossEntropy>(config.label_smoothing());
}

}  // namespace manygate
