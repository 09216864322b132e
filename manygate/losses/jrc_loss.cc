// SPDX-License-Identifier: Apache-2.0
// Joint ranking and calibration (Sheng et al. 2023, "Joint Optimization of Ranking and Calibration with Contextualized
// Hybrid Model"), with the generative term of TorchEasyRec's JRCLoss. A row i of session S has logits a_i (class 0) and
// b_i (class 1):
//   loss_i = alpha CE_i + (1 - alpha) GE_i,   CE_i = cross-entropy of (a_i, b_i)
//   label 1: GE_i = -log( exp b_i / (exp b_i + Σ_{j in S, label 0} exp b_j) )
//   label 0: GE_i = -log( exp a_i / (exp a_i + Σ_{j in S, label 1} exp a_j) )
// A row competes with the rows of the other label only; one without any in its session has GE_i = 0. (The paper's
// sums run over all rows of the session.) A label above 1/2 counts as 1. Rows of weight 0 are in no session;
// other weights are factors of the row's own loss_i and do not enter the sums over j. The value is Σ weight_i loss_i.
//
// Cost: one sort of the rows by session, otherwise linear: with L = log Σ exp b_j, GE_i = log(1 + exp(L - b_i)).
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/losses/logistic.h"
#include "manygate/losses/loss.h"

namespace manygate {
namespace {

// What one call works on, kept per thread so that a training step allocates nothing.
struct Scratch {
  std::vector<std::pair<int32_t, int64_t>> order;  // (session, row) of the rows that count
  std::vector<double> losses;                      // [rows]
  std::vector<double> d_logits;                    // [rows, 2], without scale
};

// Rows order[0 .. count) of one session.
struct Session {
  const std::pair<int32_t, int64_t>* order;
  int64_t count;
};

bool IsPositive(const LossBatch& batch, int64_t row) { return batch.labels[row] > 0.5f; }

// Adds factor * weight * GE of the rows with the label `positive`, which compete by logit number `positive`.
void AddGenerative(const LossBatch& batch, const Session& session, bool positive, double factor, Scratch& scratch) {
  const int column = positive ? 1 : 0;
  const auto logit = [&](int64_t row) -> double { return batch.logits[row * batch.logit_stride + column]; };
  double highest = -std::numeric_limits<double>::infinity(), sum = 0.0;
  for (int64_t k = 0; k < session.count; ++k) {
    const int64_t row = session.order[k].second;
    if (IsPositive(batch, row) != positive) highest = std::max(highest, logit(row));
  }
  if (std::isinf(highest)) return;
  for (int64_t k = 0; k < session.count; ++k) {
    const int64_t row = session.order[k].second;
    if (IsPositive(batch, row) != positive) sum += std::exp(logit(row) - highest);
  }
  const double rivals = highest + std::log(sum);
  double pull = 0.0;  // Σ over i of what is taken off b_i, given to its rivals by their shares
  for (int64_t k = 0; k < session.count; ++k) {
    const int64_t row = session.order[k].second;
    if (IsPositive(batch, row) != positive) continue;
    const double weight = factor * batch.weights[row], behind = rivals - logit(row);
    scratch.losses[row] += weight * Softplus(behind);
    const double d_logit = weight * Logistic(behind);
    scratch.d_logits[2 * row + column] -= d_logit;
    pull += d_logit;
  }
  for (int64_t k = 0; k < session.count; ++k) {
    const int64_t row = session.order[k].second;
    if (IsPositive(batch, row) != positive) {
      scratch.d_logits[2 * row + column] += pull * std::exp(logit(row) - rivals);
    }
  }
}

class JrcLoss : public Loss {
 public:
  JrcLoss(std::string session_column, float alpha) : session_column_(std::move(session_column)), alpha_(alpha) {}

  const char* name() const override { return "jrc_loss"; }
  int NumLogits() const override { return 2; }
  bool NeedsWholeBatch() const override { return true; }
  std::string SessionColumn() const override { return session_column_; }

  double Compute(const LossBatch& batch, float* d_logits) const override {
    MG_CHECK(batch.sessions != nullptr || batch.rows == 0, "jrc_loss without sessions");
    static thread_local Scratch scratch;
    scratch.order.clear();
    scratch.losses.assign(batch.rows, 0.0);
    scratch.d_logits.assign(2 * batch.rows, 0.0);
    for (int64_t i = 0; i < batch.rows; ++i) {
      if (batch.weights[i] == 0.0f) continue;
      scratch.order.emplace_back(batch.sessions[i], i);
      AddCrossEntropy(batch, i, scratch);
    }
    std::sort(scratch.order.begin(), scratch.order.end());
    for (size_t first = 0, end = 0; first < scratch.order.size(); first = end) {
      while (end < scratch.order.size() && scratch.order[end].first == scratch.order[first].first) ++end;
      const Session session{.order = &scratch.order[first], .count = static_cast<int64_t>(end - first)};
      AddGenerative(batch, session, true, 1.0 - alpha_, scratch);
      AddGenerative(batch, session, false, 1.0 - alpha_, scratch);
    }
    double sum = 0.0;
    for (int64_t i = 0; i < batch.rows; ++i) {
      sum += scratch.losses[i];
      if (d_logits == nullptr) continue;
      float* to = d_logits + i * batch.logit_stride;
      for (int k = 0; k < 2; ++k) to[k] = static_cast<float>(batch.scale * scratch.d_logits[2 * i + k]);
    }
    return sum;
  }

  void Link(const float* logits, int64_t logit_stride, int64_t rows, float* predictions) const override {
    for (int64_t i = 0; i < rows; ++i) predictions[i] = logits[i * logit_stride + 1] - logits[i * logit_stride];
    LogisticColumn(predictions, 1, rows, predictions);
  }

  // The log odds, half of them with each sign; the generative term does not see constants.
  void InitialBias(const LabelStatistics& labels, float* bias) const override {
    bias[1] = static_cast<float>(LogOdds(labels.mean) / 2);
    bias[0] = -bias[1];
  }

 private:
  void AddCrossEntropy(const LossBatch& batch, int64_t row, Scratch& scratch) const {
    const float* logits = batch.logits + row * batch.logit_stride;
    const double sign = IsPositive(batch, row) ? 1.0 : -1.0;
    const double behind = -sign * (static_cast<double>(logits[1]) - logits[0]);
    const double weight = static_cast<double>(alpha_) * batch.weights[row];
    scratch.losses[row] = weight * Softplus(behind);
    const double d_logit = weight * sign * Logistic(behind);
    scratch.d_logits[2 * row] = d_logit;
    scratch.d_logits[2 * row + 1] = -d_logit;
  }

  const std::string session_column_;
  const float alpha_;
};

}  // namespace

std::unique_ptr<Loss> MakeJrcLoss(const config::JRCLoss& config) {
  MG_CHECK(!config.session_name().empty(), "jrc_loss without session_name");
  MG_CHECK(config.alpha() >= 0.0f && config.alpha() <= 1.0f, "alpha {}", config.alpha());
  return std::make_unique<JrcLoss>(config.session_name(), config.alpha());
}

}  // namespace manygate
