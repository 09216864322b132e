// SPDX-License-Identifier: Apache-2.0
// Liu et al., "FAMO: fast adaptive multitask optimization", NeurIPS 2023, algorithm 1.
#include <algorithm>
#include <cmath>
#include <limits>

#include "manygate/balancing/adam_values.h"
#include "manygate/balancing/balancer.h"

namespace manygate {
namespace {

// Without a row of the task there is no loss; a loss of 0 (a tower of weight 0, say) has no gradient, and its
// share would be all. Both are left out.
bool IsPresent(double loss) { return std::isfinite(loss) && loss > 0; }
double Positive(double loss) { return std::max(loss, 1e-8); }

class Famo : public Balancer {
 public:
  Famo(const config::Famo& config, const BalancedTasks& tasks)
      : rate_(config.lr()),
        decay_(config.gamma()),
        tasks_(tasks.size()),
        state_(AdamValues::kFloats * tasks.size()),
        logits_(state_, tasks.size()) {}

  Reads reads() const override { return Reads::kLosses; }
  bool ReadsLossesAfter() const override { return true; }

  // The factors of the tasks that are present sum to their number.
  void Factors(const StepMeasures& measures, std::span<double> factors) override {
    const std::vector<double> shares = Shares();
    std::vector<double> weights(tasks_, 1);
    double sum = 0;
    int present = 0;
    for (int k = 0; k < tasks_; ++k) {
      if (!IsPresent(measures.losses[k])) continue;
      weights[k] = shares[k] / Positive(measures.losses[k]);
      sum += weights[k];
      ++present;
    }
    for (int k = 0; k < tasks_; ++k) {
      if (IsPresent(measures.losses[k])) weights[k] *= present / sum;
    }
    for (size_t i = 0; i < factors.size(); ++i) factors[i] = weights[i % tasks_];
  }

  // The gradient of Σ_k z_k d_k with respect to the logits of z, where d_k is by how much log l_k fell: the weight
  // of what fell more than average goes down.
  void AfterStep(std::span<const double> losses, std::span<const double> after) override {
    const std::vector<double> shares = Shares();
    std::vector<double> falls(tasks_, std::numeric_limits<double>::quiet_NaN());
    double mean = 0, sum = 0;
    for (int k = 0; k < tasks_; ++k) {
      if (!IsPresent(losses[k]) || !std::isfinite(after[k])) continue;
      falls[k] = std::log(Positive(losses[k])) - std::log(Positive(after[k]));
      mean += shares[k] * falls[k];
      sum += shares[k];
    }
    if (!(sum > 0)) return;
    mean /= sum;
    for (int k = 0; k < tasks_; ++k) {
      logits_.Step(k, shares[k] * (falls[k] - mean) + decay_ * logits_[k], rate_);
    }
  }

  std::span<float> State() override { return state_; }

 private:
  std::vector<double> Shares() {
    std::vector<double> shares(tasks_);
    double largest = logits_[0], sum = 0;
    for (int k = 1; k < tasks_; ++k) largest = std::max(largest, static_cast<double>(logits_[k]));
    for (int k = 0; k < tasks_; ++k) sum += shares[k] = std::exp(logits_[k] - largest);
    for (double& share : shares) share /= sum;
    return shares;
  }

  const double rate_, decay_;
  const int tasks_;
  std::vector<float> state_;
  AdamValues logits_;
};

}  // namespace

std::unique_ptr<Balancer> MakeFamo(const config::Famo& config, const BalancedTasks& tasks) {
  return std::make_unique<Famo>(config, tasks);
}

}  // namespace manygate
