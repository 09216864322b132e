// SPDX-License-Identifier: Apache-2.0
// Poisson regression of counts with the log link (torch.nn.PoissonNLLLoss, log_input): less the constant log y!,
//   loss = exp(z) - y z,   d loss / d z = exp(z) - y,   prediction exp(z)
// Above z = 80 exp goes on as its tangent there, exp(80) (1 + z - 80), and its slope and the prediction stay at
// exp(80): everything is finite, and a logit that ran off is still pushed back. Labels are >= 0. Computed in double.
#include <algorithm>
#include <cmath>

#include "manygate/losses/loss.h"

namespace manygate {
namespace {

constexpr double kHighestLogit = 80.0;

class PoissonLoss : public Loss {
 public:
  const char* name() const override { return "poisson_loss"; }

  double Compute(const LossBatch& batch, float* d_logits) const override {
    double sum = 0.0;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const double weight = batch.weights[i];
      double d_logit = 0.0;
      if (weight != 0.0) {
        const double z = batch.logits[i * batch.logit_stride], y = batch.labels[i];
        const double rate = std::exp(std::min(z, kHighestLogit));
        sum += weight * (rate * (1.0 + std::max(z - kHighestLogit, 0.0)) - y * z);
        d_logit = batch.scale * weight * (rate - y);
      }
      if (d_logits != nullptr) d_logits[i * batch.logit_stride] = static_cast<float>(d_logit);
    }
    return sum;
  }

  void Link(const float* logits, int64_t logit_stride, int64_t rows, float* predictions) const override {
    for (int64_t i = 0; i < rows; ++i) {
      const double z = logits[i * logit_stride];
      predictions[i] = static_cast<float>(std::exp(std::min(z, kHighestLogit)));
    }
  }

  void InitialBias(const LabelStatistics& labels, float* bias) const override {
    bias[0] = std::isfinite(labels.mean) ? static_cast<float>(std::log(std::max(labels.mean, 1e-6))) : 0.0f;
  }
};

}  // namespace

std::unique_ptr<Loss> MakePoissonLoss(const config::PoissonLoss&) { return std::make_unique<PoissonLoss>(); }

}  // namespace manygate
