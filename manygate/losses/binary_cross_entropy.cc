// SPDX-License-Identifier: Apache-2.0
// Binary cross-entropy on logits, with label smoothing as TorchEasyRec defines it (tzrec, proto BinaryCrossEntropy):
//   y' = y (1 - s) + s / 2,   loss = max(z, 0) - z y' + log(1 + exp(-|z|))
//   p = 1 / (1 + exp(-z)),   d loss / d z = p - y'
// Labels lie in [0, 1]. Finite for every finite logit.
#include "manygate/base/check.h"
#include "manygate/losses/logistic.h"
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

  void Link(const float* logits, int64_t logit_stride, int64_t rows, float* predictions) const override {
    LogisticColumn(logits, logit_stride, rows, predictions);
  }

  // The log odds of the smoothed mean.
  void InitialBias(const LabelStatistics& labels, float* bias) const override {
    const double smoothing = label_smoothing_;
    bias[0] = static_cast<float>(LogOdds(labels.mean * (1.0 - smoothing) + smoothing / 2.0));
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
