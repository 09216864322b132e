// SPDX-License-Identifier: Apache-2.0
// Chen, Badrinarayanan, Lee & Rabinovich, "GradNorm: gradient normalization for adaptive loss balancing in deep
// multitask networks", ICML 2018: equations 1 and 2, algorithm 1, with the norms over all shared parameters.
#include <algorithm>
#include <cmath>

#include "manygate/balancing/adam_values.h"
#include "manygate/balancing/balancer.h"
#include "manygate/balancing/task_gram.h"

namespace manygate {
namespace {

// Adam's step may carry a weight below 0, where it would turn learning round.
constexpr float kSmallestWeight = 0.001f;

class GradNorm : public Balancer {
 public:
  GradNorm(const config::GradNorm& config, const BalancedTasks& tasks)
      : alpha_(config.alpha()),
        rate_(config.lr()),
        tasks_(tasks.size()),
        state_((AdamValues::kFloats + 1) * tasks.size()),
        weights_(state_, tasks.size()) {
    for (int k = 0; k < tasks_; ++k) weights_[k] = 1;
  }

  Reads reads() const override { return Reads::kGradients; }

  // This step's factors are the weights as they are; the step's norms then move them for the next one.
  void Factors(const StepMeasures& measures, std::span<double> factors) override {
    for (size_t i = 0; i < factors.size(); ++i) factors[i] = weights_[static_cast<int>(i % tasks_)];
    for (int k = 0; k < tasks_; ++k) {
      if (!(FirstLoss(k) > 0) && std::isfinite(measures.losses[k])) {
        FirstLoss(k) = static_cast<float>(measures.losses[k]);
      }
    }
    Learn(TaskGram(*measures.products), measures.losses);
  }

  std::span<float> State() override { return state_; }

 private:
  float& FirstLoss(int k) { return state_[static_cast<size_t>(AdamValues::kFloats) * tasks_ + k]; }

  void Learn(const TaskGram& gram, std::span<const double> losses) {
    std::vector<int> measured;  // places in the gram
    double mean_norm = 0, mean_ratio = 0;
    for (int i = 0; i < gram.size(); ++i) {
      const int k = gram.task(i);
      if (!std::isfinite(losses[k]) || !(FirstLoss(k) > 0)) continue;
      measured.push_back(i);
      mean_norm += weights_[k] * std::sqrt(gram.Of(i, i));
      mean_ratio += std::max(losses[k], 0.0) / FirstLoss(k);
    }
    if (measured.size() < 2 || !(mean_ratio > 0)) return;
    mean_norm /= measured.size();
    mean_ratio /= measured.size();
    for (int i : measured) {
      const int k = gram.task(i);
      const double norm = std::sqrt(gram.Of(i, i));
      const double rate = std::max(losses[k], 0.0) / FirstLoss(k) / mean_ratio;
      const double excess = weights_[k] * norm - mean_norm * std::pow(rate, alpha_);
      weights_.Step(k, excess > 0 ? norm : excess < 0 ? -norm : 0, rate_);
    }
    Renormalise();
  }

  void Renormalise() {
    double sum = 0;
    for (int k = 0; k < tasks_; ++k) sum += weights_[k] = std::max(weights_[k], kSmallestWeight);
    for (int k = 0; k < tasks_; ++k) weights_[k] = static_cast<float>(weights_[k] * tasks_ / sum);
  }

  const double alpha_, rate_;
  const int tasks_;
  std::vector<float> state_;  // the weights with Adam's moments, then the losses of the first batch
  AdamValues weights_;
};

}  // namespace

std::unique_ptr<Balancer> MakeGradNorm(const config::GradNorm& config, const BalancedTasks& tasks) {
  return std::make_unique<GradNorm>(config, tasks);
}

}  // namespace manygate
