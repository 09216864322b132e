// SPDX-License-Identifier: Apache-2.0
// Pairwise logistic loss (RankNet: Burges et al. 2005, "Learning to Rank using Gradient Descent"):
//   mean = Σ w_i w_j log(1 + exp(-(z_i - z_j))) / Σ w_i w_j     over all pairs of the batch with label i above label j
// The value is mean * Σ w_i, so that the caller's division by Σ w_i gives the mean. Without such a pair it is 0, and so
// is the gradient. Labels may be any numbers; only their order counts. A logit that is not finite makes everything NaN.
//
// Cost: a sort by label and one vectorised pass over the pairs: positives * negatives for 0/1 labels,
// rows² / 2 if all labels differ.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "manygate/losses/logistic.h"
#include "manygate/losses/loss.h"
#include "manygate/math/pairwise_logistic.h"

namespace manygate {
namespace {

// Rows that count, in the order of their labels; kept per thread so that a training step allocates nothing.
struct Sorted {
  std::vector<std::pair<float, int64_t>> order;  // (label, row)
  std::vector<float> logits, weights, d_logits;
  std::vector<int64_t> below;  // how many rows have a smaller label
  double weight = 0.0;         // Σ w_i
  double pair_weight = 0.0;    // Σ w_i w_j
  bool finite = true;          // all logits
};

void Sort(const LossBatch& batch, Sorted& rows) {
  rows.order.clear();
  rows.logits.clear();
  rows.weights.clear();
  rows.below.clear();
  rows.weight = rows.pair_weight = 0.0;
  rows.finite = true;
  for (int64_t i = 0; i < batch.rows; ++i) {
    if (batch.weights[i] != 0.0f) rows.order.emplace_back(batch.labels[i], i);
  }
  std::sort(rows.order.begin(), rows.order.end());
  int64_t below = 0;
  double weight_below = 0.0;
  for (const auto& [label, row] : rows.order) {
    const int64_t place = static_cast<int64_t>(rows.below.size());
    if (place > 0 && label != rows.order[place - 1].first) {
      below = place;
      weight_below = rows.weight;
    }
    rows.below.push_back(below);
    rows.logits.push_back(batch.logits[row * batch.logit_stride]);
    rows.weights.push_back(batch.weights[row]);
    rows.finite = rows.finite && std::isfinite(rows.logits.back());
    rows.weight += batch.weights[row];
    rows.pair_weight += weight_below * batch.weights[row];
  }
  rows.d_logits.resize(rows.order.size());
}

class PairwiseLoss : public Loss {
 public:
  const char* name() const override { return "pairwise_loss"; }
  bool NeedsWholeBatch() const override { return true; }

  double Compute(const LossBatch& batch, float* d_logits) const override {
    static thread_local Sorted rows;
    Sort(batch, rows);
    if (d_logits != nullptr) {
      for (int64_t i = 0; i < batch.rows; ++i) d_logits[i * batch.logit_stride] = 0.0f;
    }
    if (rows.pair_weight == 0.0) return 0.0;
    const double factor = rows.finite ? rows.weight / rows.pair_weight : std::numeric_limits<double>::quiet_NaN();
    const double sum = PairwiseLogistic({.logits = rows.logits.data(),
                                         .weights = rows.weights.data(),
                                         .below = rows.below.data(),
                                         .rows = static_cast<int64_t>(rows.order.size())},
                                        d_logits == nullptr ? nullptr : rows.d_logits.data());
    if (d_logits != nullptr) {
      for (size_t k = 0; k < rows.order.size(); ++k) {
        d_logits[rows.order[k].second * batch.logit_stride] =
            static_cast<float>(batch.scale * factor * rows.d_logits[k]);
      }
    }
    return factor * sum;
  }

  void Link(const float* logits, int64_t logit_stride, int64_t rows, float* predictions) const override {
    LogisticColumn(logits, logit_stride, rows, predictions);
  }

  // Differences do not see a constant.
  void InitialBias(const LabelStatistics&, float* bias) const override { bias[0] = 0.0f; }
};

}  // namespace

std::unique_ptr<Loss> MakePairwiseLoss(const config::PairwiseLoss&) { return std::make_unique<PairwiseLoss>(); }

}  // namespace manygate
