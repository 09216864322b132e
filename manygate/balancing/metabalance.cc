// SPDX-License-Identifier: Apache-2.0
// He et al., "MetaBalance: improving multi-task recommendations via adapting gradient magnitudes of auxiliary tasks",
// WWW 2022: algorithm 1, equations 2 to 5, strategies A (reduce), B (enlarge) and C (both).
#include <cmath>

#include "manygate/balancing/balancer.h"

namespace manygate {
namespace {

class MetaBalance : public Balancer {
 public:
  MetaBalance(const config::MetaBalance& config, const BalancedTasks& tasks)
      : relax_(config.relax_factor()),
        beta_(config.beta()),
        reduces_(config.strategy() != "enlarge"),
        enlarges_(config.strategy() != "reduce"),
        target_(tasks.target),
        tasks_(tasks.size()),
        norms_(static_cast<size_t>(tasks.shared_parameters) * tasks.size()) {}

  Reads reads() const override { return Reads::kGradients; }

  void Factors(const StepMeasures& measures, std::span<double> factors) override {
    const GradientProducts& products = *measures.products;
    for (double& factor : factors) factor = 1;
    for (int p = 0; p < products.parameters(); ++p) {
      for (int k = 0; k < tasks_; ++k) Remember(p, k, std::sqrt(products.Of(p, k, k)));
      for (int k = 0; k < tasks_; ++k) factors[static_cast<size_t>(p) * tasks_ + k] = Factor(p, k);
    }
  }

  std::span<float> State() override { return norms_; }

 private:
  float& Norm(int p, int k) { return norms_[static_cast<size_t>(p) * tasks_ + k]; }

  // A gradient of 0 says nothing: its task has no row in the batch, or does not use the parameter.
  void Remember(int p, int k, double norm) {
    if (!(norm > 0) || !std::isfinite(norm)) return;
    float& mean = Norm(p, k);
    mean = static_cast<float>(mean > 0 ? beta_ * mean + (1 - beta_) * norm : norm);
  }

  double Factor(int p, int k) {
    const double norm = Norm(p, k), target = Norm(p, target_);
    if (k == target_ || !(norm > 0) || !(target > 0)) return 1;
    if (norm > target ? !reduces_ : !enlarges_) return 1;
    return relax_ * target / norm + (1 - relax_);
  }

  const double relax_, beta_;
  const bool reduces_, enlarges_;
  const int target_, tasks_;
  std::vector<float> norms_;  // [parameter][task], moving averages; 0: none yet
};

}  // namespace

std::unique_ptr<Balancer> MakeMetaBalance(const config::MetaBalance& config, const BalancedTasks& tasks) {
  return std::make_unique<MetaBalance>(config, tasks);
}

}  // namespace manygate
