// SPDX-License-Identifier: Apache-2.0
// Kendall, Gal & Cipolla, "Multi-task learning using uncertainty to weigh losses for scene geometry and semantics",
// CVPR 2018: equations 7 (regression) and 10, with s = log σ².
#include <algorithm>
#include <cmath>

#include "manygate/balancing/adam_values.h"
#include "manygate/balancing/balancer.h"

namespace manygate {
namespace {

// A loss that stays 0 would let s fall for ever; e^±30 is far beyond any use.
constexpr float kLargestLogVariance = 30;

class UncertaintyWeights : public Balancer {
 public:
  UncertaintyWeights(const config::UncertaintyWeights& config, const BalancedTasks& tasks)
      : rate_(config.lr()), state_(AdamValues::kFloats * tasks.size()), log_variances_(state_, tasks.size()) {
    for (const bool is_regression : tasks.is_regression) halves_.push_back(is_regression ? 0.5 : 1);
  }

  Reads reads() const override { return Reads::kNothing; }

  void Factors(const StepMeasures&, std::span<double> factors) override {
    for (size_t i = 0; i < factors.size(); ++i) factors[i] = Weight(static_cast<int>(i % halves_.size()));
  }

  void AfterStep(std::span<const double> losses, std::span<const double>) override {
    for (size_t k = 0; k < halves_.size(); ++k) {
      const int task = static_cast<int>(k);
      log_variances_.Step(task, 0.5 - Weight(task) * losses[k], rate_);
      log_variances_[task] = std::clamp(log_variances_[task], -kLargestLogVariance, kLargestLogVariance);
    }
  }

  std::span<float> State() override { return state_; }

 private:
  double Weight(int task) { return halves_[task] * std::exp(-static_cast<double>(log_variances_[task])); }

  const double rate_;
  std::vector<double> halves_;
  std::vector<float> state_;
  AdamValues log_variances_;
};

}  // namespace

std::unique_ptr<Balancer> MakeUncertaintyWeights(const config::UncertaintyWeights& config, const BalancedTasks& tasks) {
  return std::make_unique<UncertaintyWeights>(config, tasks);
}

}  // namespace manygate
