// SPDX-License-Identifier: Apache-2.0
// What a task's logits are compared with its labels by. One loss = one .cc here with one factory function; the switch
// from a config::LossConfig to these factories is catalog/.
//
//   std::unique_ptr<Loss> loss = MakeBinaryCrossEntropy(config);
//   bias = loss->InitialBias(mean_of_training_labels);
//   double sum = loss->Compute({.logits = z, .labels = y, .weights = w, .rows = n, .scale = 1.0f / n}, d_z);
//   loss->Link(z, n, predictions);
//
// To add a loss: message in config/pipeline.proto, <name>.cc with Make<Name>, a line below and one in catalog/.
#ifndef MANYGATE_LOSSES_LOSS_H_
#define MANYGATE_LOSSES_LOSS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "manygate/config/pipeline.pb.h"

namespace manygate {

// The rows of one task. A missing label is NaN and comes with weight 0.
struct LossBatch {
  const float* logits;       // [rows, NumLogits()], row i at logits[i * logit_stride]
  int64_t logit_stride = 1;  // in floats; also the stride of d_logits
  const float* labels;       // [rows]
  const float* weights;      // [rows], >= 0, never null
  int64_t rows;
  float scale = 1.0f;  // factor of the gradient, not of the returned sum
};

class Loss {
 public:
  virtual ~Loss() = default;
  // The name of the field in config::LossConfig.
  virtual const char* name() const = 0;
  // C, numbers that the tower puts out per row.
  virtual int NumLogits() const { return 1; }
  // Returns the sum over the rows of weight * loss, added in double in row order.
  // d_logits = scale * weight * d loss / d logit, overwritten, laid out as the logits; null: no gradient is computed.
  // A row of weight 0 adds exactly 0 and gets a gradient of exactly 0, even if its label is NaN.
  // A row's gradient depends on that row only. May be called from several threads at once.
  virtual double Compute(const LossBatch& batch, float* d_logits) const = 0;
  // logits: [rows] -> predictions: [rows]; may work in place.
  virtual void Link(const float* logits, int64_t rows, float* predictions) const = 0;
  // The constant logit that fits best when all that is known is the mean label; always finite (NaN mean: 0).
  virtual float InitialBias(double label_mean) const = 0;
  // What a tower reports when its configuration names no metrics.
  virtual std::vector<config::MetricConfig> DefaultMetrics() const = 0;
};

// max(z, 0) - z * y + log(1 + exp(-|z|)), y smoothed to y * (1 - s) + s / 2; predictions are probabilities.
std::unique_ptr<Loss> MakeBinaryCrossEntropy(const config::BinaryCrossEntropy& config);
// (z - y)^2, without the factor 1/2 that some write; predictions are the logits.
std::unique_ptr<Loss> MakeL2Loss(const config::L2Loss& config);

}  // namespace manygate

#endif  // MANYGATE_LOSSES_LOSS_H_
