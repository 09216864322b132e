// SPDX-License-Identifier: Apache-2.0
// Liu et al., "Conflict-averse gradient descent for multi-task learning", NeurIPS 2021: algorithm 1, the dual of
// section 3.1, divided by 1 + c² as in the authors' program.
#include <algorithm>
#include <cmath>

#include "manygate/balancing/balancer.h"
#include "manygate/balancing/simplex.h"
#include "manygate/balancing/task_gram.h"

namespace manygate {
namespace {

// The w that minimises F(w) = g_w · g_0 + s |g_w| over the simplex. Since |x| = min over t > 0 of (x²/t + t) / 2,
// the minimum of F is that of a quadratic program, with the t for which t = |g_w|; |g_w| - t falls with t, so bisection
// finds it.
std::vector<double> WorstMix(const TaskGram& gram, double s) {
  const int n = gram.size();
  const std::vector<double> equal(n, 1.0 / n);
  std::vector<double> quadratic = gram.values(), linear(n);
  for (double& value : quadratic) value *= s;
  double low = 0, high = 0;
  for (int i = 0; i < n; ++i) high = std::max(high, std::sqrt(gram.Of(i, i)));
  std::vector<double> weights;
  for (int round = 0; round < 60; ++round) {
    const double t = (low + high) / 2;
    for (int i = 0; i < n; ++i) linear[i] = t * gram.Dot(i, equal);
    weights = MinimizeOnSimplex(quadratic, linear);
    (std::sqrt(gram.SquaredNorm(weights)) > t ? low : high) = t;
    if (high - low <= 1e-13 * high) break;
  }
  return weights;
}

class CaGrad : public Balancer {
 public:
  CaGrad(const config::CAGrad& config, const BalancedTasks& tasks) : c_(config.c()), tasks_(tasks.size()) {}

  Reads reads() const override { return Reads::kGradients; }

  void Factors(const StepMeasures& measures, std::span<double> factors) override {
    std::fill(factors.begin(), factors.end(), 1.0);
    const TaskGram gram(*measures.products);
    if (gram.size() == 0) return;
    const std::vector<double> direction = Direction(gram);
    for (int p = 0; p < measures.products->parameters(); ++p) {
      for (int k = 0; k < gram.size(); ++k) factors[static_cast<size_t>(p) * tasks_ + gram.task(k)] = direction[k];
    }
  }

 private:
  // The coefficients of n (g_0 + c |g_0| / |g_w| g_w) / (1 + c²).
  std::vector<double> Direction(const TaskGram& gram) const {
    const int n = gram.size();
    const double mean_norm = std::sqrt(gram.SquaredNorm(std::vector<double>(n, 1.0 / n)));
    std::vector<double> direction(n, 1 / (1 + c_ * c_));
    const double s = c_ * mean_norm;
    if (!(s > 0)) return direction;
    const std::vector<double> weights = WorstMix(gram, s);
    double largest = 0;
    for (int i = 0; i < n; ++i) largest = std::max(largest, std::sqrt(gram.Of(i, i)));
    const double mix_norm = std::sqrt(gram.SquaredNorm(weights));
    // A mix that cancels out has no direction, only rounding.
    if (!(mix_norm > 1e-6 * largest)) return direction;
    for (int i = 0; i < n; ++i) direction[i] += n * s / mix_norm * weights[i] / (1 + c_ * c_);
    return direction;
  }

  const double c_;
  const int tasks_;
};

}  // namespace

std::unique_ptr<Balancer> MakeCaGrad(const config::CAGrad& config, const BalancedTasks& tasks) {
  return std::make_unique<CaGrad>(config, tasks);
}

}  // namespace manygate
