// SPDX-License-Identifier: Apache-2.0
// Lin et al., "A Pareto-efficient algorithm for multiple objective optimization in e-commerce recommendation", RecSys
// 2019: the problem of theorem 1 with bounds c, solved exactly instead of by projecting a relaxed solution.
#include <algorithm>

#include "manygate/balancing/balancer.h"
#include "manygate/balancing/simplex.h"
#include "manygate/balancing/task_gram.h"

namespace manygate {
namespace {

class Pareto : public Balancer {
 public:
  explicit Pareto(const BalancedTasks& tasks) : bounds_(tasks.lower_bounds) {}

  Reads reads() const override { return Reads::kGradients; }

  void Factors(const StepMeasures& measures, std::span<double> factors) override {
    const TaskGram gram(*measures.products);
    std::vector<double> weights(bounds_.size(), 1);
    if (gram.size() > 0) {
      const std::vector<double> least = LeastMix(gram);
      for (int i = 0; i < gram.size(); ++i) weights[gram.task(i)] = gram.size() * least[i];
    }
    for (size_t i = 0; i < factors.size(); ++i) factors[i] = weights[i % weights.size()];
  }

 private:
  // With w = c + r v, r = 1 - Σ c: |g_w|² / 2 is r²/2 vᵀ G v + r (G c)ᵀ v and a constant, and v lies on the simplex.
  std::vector<double> LeastMix(const TaskGram& gram) const {
    const int n = gram.size();
    std::vector<double> bounds(n), linear(n);
    double rest = 1;
    for (int i = 0; i < n; ++i) rest -= bounds[i] = bounds_[gram.task(i)];
    std::vector<double> quadratic = gram.values();
    for (double& value : quadratic) value *= rest;
    for (int i = 0; i < n; ++i) linear[i] = gram.Dot(i, bounds);
    std::vector<double> weights = MinimizeOnSimplex(quadratic, linear);
    for (int i = 0; i < n; ++i) weights[i] = bounds[i] + rest * weights[i];
    return weights;
  }

  const std::vector<double> bounds_;
};

}  // namespace

std::unique_ptr<Balancer> MakePareto(const config::Pareto&, const BalancedTasks& tasks) {
  return std::make_unique<Pareto>(tasks);
}

}  // namespace manygate
