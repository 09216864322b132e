// SPDX-License-Identifier: Apache-2.0
// Lin et al., "Dual-balancing for multi-task learning", arXiv 2308.12029 (2023), algorithm 1. The average of a task's
// gradients starts with the first one instead of 0.
#include <algorithm>
#include <cmath>

#include "manygate/balancing/balancer.h"
#include "manygate/balancing/task_gram.h"

namespace manygate {
namespace {

class DbMtl : public Balancer {
 public:
  DbMtl(const config::DbMtl& config, const BalancedTasks& tasks)
      : beta_(config.beta()), beta_sigma_(config.beta_sigma()), tasks_(tasks.size()) {}

  Reads reads() const override { return Reads::kGradients; }
  bool KeepsGradients() const override { return beta_ > 0; }

  // scale: the derivative of log(l + 1e-8). Without a row of the task its average stays what it is.
  Preparation Prepare(double loss, int64_t step) const override {
    if (!std::isfinite(loss)) return {.scale = 1, .keep = KeepsGradients() ? 1.0 : 0.0};
    const double keep = step > 1 ? beta_ / std::pow(static_cast<double>(step), beta_sigma_) : 0;
    return {.scale = 1 / (std::max(loss, 0.0) + 1e-8), .keep = keep};
  }

  void Factors(const StepMeasures& measures, std::span<double> factors) override {
    std::fill(factors.begin(), factors.end(), 1.0);
    const TaskGram gram(*measures.products);
    double largest = 0;
    for (int i = 0; i < gram.size(); ++i) largest = std::max(largest, gram.Of(i, i));
    for (int p = 0; p < measures.products->parameters(); ++p) {
      for (int i = 0; i < gram.size(); ++i)
        factors[static_cast<size_t>(p) * tasks_ + gram.task(i)] = std::sqrt(largest / gram.Of(i, i));
    }
  }

 private:
  const double beta_, beta_sigma_;
  const int tasks_;
};

}  // namespace

std::unique_ptr<Balancer> MakeDbMtl(const config::DbMtl& config, const BalancedTasks& tasks) {
  return std::make_unique<DbMtl>(config, tasks);
}

}  // namespace manygate
