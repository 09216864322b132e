// SPDX-License-Identifier: Apache-2.0
// Zero-inflated log-normal loss of amounts that are mostly 0 (Wang, Liu & Miao 2019, "A Deep Probabilistic Model for
// Customer Lifetime Value Prediction"). Logits a, m, t:
//   p = 1 / (1 + exp(-a)),   d = max(log(1 + exp t), sqrt(1e-7))   (the floor of the authors' code)
//   loss = -log(1 - p)                                                                     where y <= 0
//        = -log p + log y + log d + log(2 π) / 2 + (log y - m)^2 / (2 d^2)                 where y > 0
//   prediction = p exp(m + d^2 / 2), the expected amount; the exponent is cut at 80, so that it is finite
// For the prediction m and d are cut to what the training amounts make plausible, if they are known: m to 3 of their
// deviations around the mean of log y, d to 1.5 of them. m and d are learnt from rows with an amount only; on rows unlike
// those a network may say anything, and the exponential makes a fortune of it. The loss knows no cut.
// Below the floor of d (t under -8.06) the slope by t is 0. Computed in double.
#include <algorithm>
#include <cmath>
#include <limits>

#include "manygate/losses/logistic.h"
#include "manygate/losses/loss.h"

namespace manygate {
namespace {

const double kLowestDeviation = std::sqrt(1e-7);
const double kHalfLogTwoPi = 0.91893853320467274178;
constexpr double kHighestExponent = 80.0;
constexpr double kLowestInitialDeviation = 0.01;  // labels that are all equal must not start with gradients of 1 / 0

struct Row {
  double loss;
  double d_logits[3];
};

Row ComputeRow(const float* logits, double y) {
  const double sign = y > 0.0 ? 1.0 : -1.0;
  Row row{.loss = Softplus(-sign * logits[0]), .d_logits = {-sign * Logistic(-sign * logits[0]), 0.0, 0.0}};
  if (y <= 0.0) return row;
  const double log_y = std::log(y), softplus = Softplus(logits[2]);
  const bool floored = softplus < kLowestDeviation;
  const double deviation = floored ? kLowestDeviation : softplus;
  const double error = (log_y - logits[1]) / deviation;
  row.loss += log_y + std::log(deviation) + kHalfLogTwoPi + error * error / 2;
  row.d_logits[1] = -error / deviation;
  row.d_logits[2] = floored ? 0.0 : (1.0 - error * error) / deviation * Logistic(logits[2]);
  return row;
}

class ZilnLoss : public Loss {
 public:
  explicit ZilnLoss(const LabelStatistics& labels) {
    if (labels.positive_share <= 0 || !std::isfinite(labels.log_mean) || !std::isfinite(labels.log_deviation)) return;
    const double deviation = std::max(labels.log_deviation, kLowestInitialDeviation);
    lowest_mean_ = labels.log_mean - 3 * deviation;
    highest_mean_ = labels.log_mean + 3 * deviation;
    highest_deviation_ = 1.5 * deviation;
  }
  const char* name() const override { return "ziln_loss"; }
  int NumLogits() const override { return 3; }

  double Compute(const LossBatch& batch, float* d_logits) const override {
    double sum = 0.0;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const double weight = batch.weights[i];
      Row row{};
      if (weight != 0.0) row = ComputeRow(batch.logits + i * batch.logit_stride, batch.labels[i]);
      sum += weight * row.loss;
      if (d_logits == nullptr) continue;
      for (int k = 0; k < 3; ++k) {
        d_logits[i * batch.logit_stride + k] = static_cast<float>(batch.scale * weight * row.d_logits[k]);
      }
    }
    return sum;
  }

  void Link(const float* logits, int64_t logit_stride, int64_t rows, float* predictions) const override {
    for (int64_t i = 0; i < rows; ++i) {
      const float* row = logits + i * logit_stride;
      const double deviation = std::clamp(Softplus(row[2]), kLowestDeviation, highest_deviation_);
      const double mean = std::clamp(static_cast<double>(row[1]), lowest_mean_, highest_mean_);
      const double exponent = std::min(mean + deviation * deviation / 2, kHighestExponent);
      predictions[i] = static_cast<float>(Logistic(row[0]) * std::exp(exponent));
    }
  }

  void InitialBias(const LabelStatistics& labels, float* bias) const override {
    bias[0] = static_cast<float>(LogOdds(labels.positive_share));
    bias[1] = std::isfinite(labels.log_mean) ? static_cast<float>(labels.log_mean) : 0.0f;
    bias[2] = 0.0f;
    if (!std::isfinite(labels.log_deviation)) return;
    // The inverse of softplus, log(exp d - 1), without overflow.
    const double deviation = std::max(labels.log_deviation, kLowestInitialDeviation);
    bias[2] = static_cast<float>(deviation + std::log(-std::expm1(-deviation)));
  }

 private:
  double lowest_mean_ = -std::numeric_limits<double>::infinity();
  double highest_mean_ = std::numeric_limits<double>::infinity();
  double highest_deviation_ = std::numeric_limits<double>::infinity();
};

}  // namespace

std::unique_ptr<Loss> MakeZilnLoss(const config::ZILNLoss&, const LabelStatistics& labels) {
  return std::make_unique<ZilnLoss>(labels);
}

}  // namespace manygate
