// SPDX-License-Identifier: Apache-2.0
// What a task's logits are compared with its labels by. One loss = one .cc here with one factory function; the switch
// from a config::LossConfig to these factories is catalog/.
//
//   std::unique_ptr<Loss> loss = MakeSoftmaxCrossEntropy(config, 4);
//   loss->InitialBias(statistics_of_training_labels, bias);
//   double sum = loss->Compute({.logits = z, .logit_stride = 4, .labels = y, .weights = w, .rows = n}, d_z);
//   loss->Link(z, 4, n, predictions);
//
// To add a loss: message in config/pipeline.proto, <name>.cc with Make<Name>, a line below and one in catalog/.
#ifndef MANYGATE_LOSSES_LOSS_H_
#define MANYGATE_LOSSES_LOSS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "manygate/config/pipeline.pb.h"

namespace manygate {

// Of the training rows that have the label. Shares are of 1; empty or NaN where not applicable.
struct LabelStatistics {
  double mean = 0;
  double deviation = 1;                // population
  double positive_share = 0;           // rows with a label above 0
  double log_mean = 0;                 // of log y over the rows with y > 0
  double log_deviation = 1;
  std::vector<double> class_shares = {};  // [C], label classes
};

// The rows of one task. A missing label is NaN and comes with weight 0.
struct LossBatch {
  const float* logits;       // [rows, NumLogits()], row i starts at logits + i * logit_stride
  int64_t logit_stride = 1;  // in floats; also the stride of d_logits
  const float* labels;       // [rows]
  const float* weights;      // [rows], >= 0, never null
  int64_t rows;
  float scale = 1.0f;        // factor of the gradient, not of the returned sum
  const int32_t* sessions = nullptr;  // [rows], equal numbers = one session; given if SessionColumn() names a column
};

class Loss {
 public:
  virtual ~Loss() = default;
  // The name of the field in config::LossConfig.
  virtual const char* name() const = 0;
  // C, numbers that the tower puts out per row.
  virtual int NumLogits() const { return 1; }
  // P, numbers that Link makes of them.
  virtual int NumPredictions() const { return 1; }
  // Whether a row's gradient depends on other rows: Compute must then be given all rows of a batch at once.
  virtual bool NeedsWholeBatch() const { return false; }
  // The column that LossBatch::sessions is made from; empty: none.
  virtual std::string SessionColumn() const { return ""; }
  // Returns the sum over the rows of weight * loss, added in double in row order.
  // d_logits = scale * weight * d loss / d logit, overwritten, laid out as the logits; null: no gradient is computed.
  // A row of weight 0 adds exactly 0 and gets a gradient of exactly 0, even if its label is NaN; a batch of such rows
  // gives 0. Unless NeedsWholeBatch, a row's gradient depends on that row only. May be called from several threads.
  virtual double Compute(const LossBatch& batch, float* d_logits) const = 0;
  // logits: [rows, C] with the given stride -> predictions: [rows, P], dense. May work in place where C = P = stride.
  virtual void Link(const float* logits, int64_t logit_stride, int64_t rows, float* predictions) const = 0;
  // The constant logits that fit best when only the statistics are known; bias: [C]; always finite (NaN statistics: 0).
  virtual void InitialBias(const LabelStatistics& labels, float* bias) const = 0;
};

// binary_cross_entropy.cc. max(z, 0) - z * y + log(1 + exp(-|z|)), y smoothed to y * (1 - s) + s / 2; predictions are
// probabilities.
std::unique_ptr<Loss> MakeBinaryCrossEntropy(const config::BinaryCrossEntropy& config);
// binary_focal_loss.cc. -alpha_y (1 - p_y)^gamma log p_y; predictions are probabilities.
std::unique_ptr<Loss> MakeBinaryFocalLoss(const config::BinaryFocalLoss& config);
// softmax_cross_entropy.cc. C = P = num_class; predictions are probabilities.
std::unique_ptr<Loss> MakeSoftmaxCrossEntropy(const config::SoftmaxCrossEntropy& config, int num_class);
// jrc_loss.cc. C = 2, P = 1: the probability of class 1.
std::unique_ptr<Loss> MakeJrcLoss(const config::JRCLoss& config);
// pairwise_loss.cc. Predictions are sigmoids of the logits: their order is what was trained.
std::unique_ptr<Loss> MakePairwiseLoss(const config::PairwiseLoss& config);
// regression_losses.cc. Squared error (z - y)^2, without the factor 1/2 that some write; Huber. With standardise, z
// stands for (y - mean) / deviation and predictions are mean + deviation * z.
std::unique_ptr<Loss> MakeL2Loss(const config::L2Loss& config, const LabelStatistics& labels);
std::unique_ptr<Loss> MakeHuberLoss(const config::HuberLoss& config, const LabelStatistics& labels);
// poisson_loss.cc. exp(z) - y z; above z = 80 exp goes on as its tangent; predictions exp(min(z, 80)).
std::unique_ptr<Loss> MakePoissonLoss(const config::PoissonLoss& config);
// ziln_loss.cc. C = 3, P = 1: the expected amount p * exp(mean + deviation^2 / 2), cut to what `labels` make plausible if
// positive_share is above 0.
std::unique_ptr<Loss> MakeZilnLoss(const config::ZILNLoss& config, const LabelStatistics& labels = {});

}  // namespace manygate

#endif  // MANYGATE_LOSSES_LOSS_H_
