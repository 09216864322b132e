// SPDX-License-Identifier: Apache-2.0
// Focal loss (Lin et al. 2017, "Focal Loss for Dense Object Detection", equation 5):
//   FL_1 = alpha (1 - p)^gamma (-log p),   FL_0 = (1 - alpha) p^gamma (-log(1 - p)),   p = 1 / (1 + exp(-z))
//   loss = y FL_1 + (1 - y) FL_0
// gamma = 0 and alpha = 0.5 is half the binary cross-entropy. The gradient is that of this formula. (TorchEasyRec's
// BinaryFocalLoss has the same value, but takes the factors alpha and (1 - p)^gamma for constants in the gradient.)
// The p that fits best is nearer to 1/2 than the share of positives: predictions order rows, but are not calibrated.
#include <algorithm>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/losses/logistic.h"
#include "manygate/losses/loss.h"
#include "manygate/math/cross_entropy.h"

namespace manygate {
namespace {

class BinaryFocalLoss : public Loss {
 public:
  BinaryFocalLoss(float gamma, float alpha) : gamma_(gamma), alpha_(alpha) {}

  const char* name() const override { return "binary_focal_loss"; }

  double Compute(const LossBatch& batch, float* d_logits) const override {
    return FocalRows({.logits = batch.logits,
                      .logit_stride = batch.logit_stride,
                      .labels = batch.labels,
                      .weights = batch.weights,
                      .rows = batch.rows,
                      .scale = batch.scale},
                     gamma_, alpha_, d_logits);
  }

  void Link(const float* logits, int64_t logit_stride, int64_t rows, float* predictions) const override {
    LogisticColumn(logits, logit_stride, rows, predictions);
  }

  // The minimum over z of mean FL_1 + (1 - mean) FL_0. It has no closed form, but the slope changes its sign only once,
  // so that halving the interval finds it.
  void InitialBias(const LabelStatistics& labels, float* bias) const override {
    bias[0] = 0.0f;
    if (std::isnan(labels.mean)) return;
    const double mean = std::clamp(labels.mean, 1e-6, 1.0 - 1e-6);
    double low = -40.0, high = 40.0;
    for (int step = 0; step < 64; ++step) {
      const double middle = (low + high) / 2;
      (Slope(middle, mean) < 0.0 ? low : high) = middle;
    }
    bias[0] = static_cast<float>((low + high) / 2);
  }

 private:
  double Slope(double z, double mean) const {
    const auto slope = [this](double u) {  // of (1 - p)^gamma (-log p) at the logit u of p
      return -std::exp(-gamma_ * Softplus(u)) * (gamma_ * Logistic(u) * Softplus(-u) + Logistic(-u));
    };
    return mean * alpha_ * slope(z) - (1.0 - mean) * (1.0 - alpha_) * slope(-z);
  }

  const float gamma_, alpha_;
};

}  // namespace

std::unique_ptr<Loss> MakeBinaryFocalLoss(const config::BinaryFocalLoss& config) {
  MG_CHECK(config.gamma() >= 0.0f, "gamma {}", config.gamma());
  MG_CHECK(config.alpha() > 0.0f && config.alpha() < 1.0f, "alpha {}", config.alpha());
  return std::make_unique<BinaryFocalLoss>(config.gamma(), config.alpha());
}

}  // namespace manygate
