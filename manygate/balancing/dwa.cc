// SPDX-License-Identifier: Apache-2.0
// Liu, Johns & Davison, "End-to-end multi-task learning with attention", CVPR 2019, equation 7.
#include <algorithm>
#include <cmath>

#include "manygate/balancing/balancer.h"

namespace manygate {
namespace {

class DynamicWeightAverage : public Balancer {
 public:
  DynamicWeightAverage(const config::DynamicWeightAverage& config, const BalancedTasks& tasks)
      : temperature_(config.temperature()), tasks_(tasks.size()), state_(2 * tasks.size()) {}

  Reads reads() const override { return Reads::kNothing; }

  void Factors(const StepMeasures&, std::span<double> factors) override {
    std::vector<double> weights(tasks_);
    for (int k = 0; k < tasks_; ++k) weights[k] = Ratio(k) / temperature_;
    const double largest = *std::max_element(weights.begin(), weights.end());
    double sum = 0;
    for (double& weight : weights) sum += weight = std::exp(weight - largest);
    for (size_t i = 0; i < factors.size(); ++i) factors[i] = tasks_ * (weights[i % tasks_] / sum);
  }

  void AfterEpoch(std::span<const double> losses) override {
    for (int k = 0; k < tasks_; ++k) {
      if (!std::isfinite(losses[k])) continue;
      Before(k) = Last(k);
      Last(k) = static_cast<float>(losses[k]);
    }
  }

  std::span<float> State() override { return state_; }

 private:
  float& Last(int k) { return state_[k]; }
  float& Before(int k) { return state_[tasks_ + k]; }
  // 1 until a task has two epochs behind it: the state starts as zeros.
  double Ratio(int k) { return Before(k) > 0 ? static_cast<double>(Last(k)) / Before(k) : 1; }

  const double temperature_;
  const int tasks_;
  std::vector<float> state_;  // losses of the last epoch, of the one before
};

}  // namespace

std::unique_ptr<Balancer> MakeDynamicWeightAverage(const config::DynamicWeightAverage& config,
                                                   const BalancedTasks& tasks) {
  return std::make_unique<DynamicWeightAverage>(config, tasks);
}

}  // namespace manygate
