// SPDX-License-Identifier: Apache-2.0
// Cross-entropy over C classes (C = num_class >= 2), as torch.nn.CrossEntropyLoss defines it:
//   p = softmax(z),   t_k = (1 - s) [k = y] + s / C,   loss = -Σ_k t_k log p_k,   d loss / d z_k = p_k - t_k
// Labels are 0, 1, .., C-1. Finite for every finite logit.
#include <algorithm>
#include <cmath>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/losses/loss.h"
#include "manygate/math/softmax_rows.h"

namespace manygate {
namespace {

class SoftmaxCrossEntropy : public Loss {
 public:
  SoftmaxCrossEntropy(float label_smoothing, int classes) : label_smoothing_(label_smoothing), classes_(classes) {}

  const char* name() const override { return "softmax_cross_entropy"; }
  int NumLogits() const override { return classes_; }
  int NumPredictions() const override { return classes_; }

  double Compute(const LossBatch& batch, float* d_logits) const override {
    return SoftmaxCrossEntropyRows({.logits = batch.logits,
                                    .logit_stride = batch.logit_stride,
                                    .classes = classes_,
                                    .labels = batch.labels,
                                    .weights = batch.weights,
                                    .rows = batch.rows,
                                    .scale = batch.scale,
                                    .label_smoothing = label_smoothing_},
                                   d_logits);
  }

  void Link(const float* logits, int64_t logit_stride, int64_t rows, float* predictions) const override {
    SoftmaxRows(logits, logit_stride, rows, classes_, predictions);
  }

  // Log of the smoothed shares, each at least one in a million, less their mean: softmax does not see a constant.
  void InitialBias(const LabelStatistics& labels, float* bias) const override {
    std::fill_n(bias, classes_, 0.0f);
    if (labels.class_shares.size() != static_cast<size_t>(classes_)) return;
    std::vector<double> logs;
    double mean = 0.0;
    for (const double share : labels.class_shares) {
      const double smoothed = share * (1.0 - label_smoothing_) + label_smoothing_ / classes_;
      logs.push_back(std::log(std::max(smoothed, 1e-6)));
      mean += logs.back() / classes_;
    }
    if (!std::isfinite(mean)) return;
    for (int k = 0; k < classes_; ++k) bias[k] = static_cast<float>(logs[k] - mean);
  }

 private:
  const float label_smoothing_;
  const int classes_;
};

}  // namespace

std::unique_ptr<Loss> MakeSoftmaxCrossEntropy(const config::SoftmaxCrossEntropy& config, int num_class) {
  MG_CHECK(num_class >= 2, "num_class {}", num_class);
  MG_CHECK(config.label_smoothing() >= 0.0f && config.label_smoothing() < 1.0f, "label_smoothing {}",
           config.label_smoothing());
  return std::make_unique<SoftmaxCrossEntropy>(config.label_smoothing(), num_class);
}

}  // namespace manygate
