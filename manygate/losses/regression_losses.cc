// SPDX-License-Identifier: Apache-2.0
// Losses of the error e = z - t of a real-valued label:
//   l2_loss:    e^2, d loss / d z = 2 e (torch.nn.MSELoss)
//   huber_loss: e^2 / 2 where |e| <= delta, else delta (|e| - delta / 2); d loss / d z = e within ±delta, else ±delta
//               (Huber 1964, torch.nn.HuberLoss)
// t is the label or, with standardise, (label - mean) / deviation of the training labels; a deviation of 0 or NaN
// counts as 1, a mean of NaN as 0. Errors and losses are computed in double.
#include <algorithm>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/losses/loss.h"

namespace manygate {
namespace {

struct Squared {
  double Value(double error) const { return error * error; }
  double Slope(double error) const { return 2.0 * error; }
};

struct Huber {
  double delta;
  double Value(double error) const {
    const double size = std::fabs(error);
    return size <= delta ? error * error / 2 : delta * (size - delta / 2);
  }
  double Slope(double error) const { return std::clamp(error, -delta, delta); }
};

template <class Penalty>
class RegressionLoss : public Loss {
 public:
  RegressionLoss(const char* name, Penalty penalty, bool standardise, const LabelStatistics& labels)
      : name_(name),
        penalty_(penalty),
        standardise_(standardise),
        mean_(standardise && std::isfinite(labels.mean) ? labels.mean : 0.0),
        deviation_(standardise && std::isfinite(labels.deviation) && labels.deviation > 0 ? labels.deviation : 1.0) {}

  const char* name() const override { return name_; }

  double Compute(const LossBatch& batch, float* d_logits) const override {
    double sum = 0.0;
    for (int64_t i = 0; i < batch.rows; ++i) {
      const double weight = batch.weights[i];
      // Not multiplied by the weight alone: 0 * NaN would be NaN.
      const double error =
          weight == 0.0 ? 0.0 : batch.logits[i * batch.logit_stride] - (batch.labels[i] - mean_) / deviation_;
      sum += weight * penalty_.Value(error);
      if (d_logits == nullptr) continue;
      d_logits[i * batch.logit_stride] = static_cast<float>(batch.scale * weight * penalty_.Slope(error));
    }
    return sum;
  }

  void Link(const float* logits, int64_t logit_stride, int64_t rows, float* predictions) const override {
    for (int64_t i = 0; i < rows; ++i) {
      predictions[i] = static_cast<float>(mean_ + deviation_ * logits[i * logit_stride]);
    }
  }

  // The mean: exact for the squared error, and for Huber's where labels lie symmetrically or within delta of it.
  void InitialBias(const LabelStatistics& labels, float* bias) const override {
    bias[0] = !standardise_ && std::isfinite(labels.mean) ? static_cast<float>(labels.mean) : 0.0f;
  }

 private:
  const char* const name_;
  const Penalty penalty_;
  const bool standardise_;
  const double mean_, deviation_;
};

}  // namespace

std::unique_ptr<Loss> MakeL2Loss(const config::L2Loss& config, const LabelStatistics& labels) {
  return std::make_unique<RegressionLoss<Squared>>("l2_loss", Squared(), config.standardise(), labels);
}

std::unique_ptr<Loss> MakeHuberLoss(const config::HuberLoss& config, const LabelStatistics& labels) {
  MG_CHECK(config.delta() > 0.0f, "delta {}", config.delta());
  return std::make_unique<RegressionLoss<Huber>>("huber_loss", Huber{config.delta()}, config.standardise(), labels);
}

}  // namespace manygate
