// SPDX-License-Identifier: Apache-2.0
// Yu et al., "Gradient surgery for multi-task learning", NeurIPS 2020, algorithm 1: each task's gradient loses its part
// along every other one that it opposes. What is left of g_i is Σ_k c_k g_k, so the Gram matrix is all that it takes.
#include <algorithm>

#include "manygate/balancing/balancer.h"
#include "manygate/balancing/task_gram.h"
#include "manygate/base/random.h"

namespace manygate {
namespace {

constexpr uint64_t kOrderStream = uint64_t{0x50434772} << 32;

class PcGrad : public Balancer {
 public:
  explicit PcGrad(const BalancedTasks& tasks) : tasks_(tasks.size()), seed_(tasks.seed) {}

  Reads reads() const override { return Reads::kGradients; }

  void Factors(const StepMeasures& measures, std::span<double> factors) override {
    std::fill(factors.begin(), factors.end(), 1.0);
    const TaskGram gram(*measures.products);
    std::vector<double> sum(gram.size(), 0);
    for (int i = 0; i < gram.size(); ++i) {
      const uint64_t stream = kOrderStream + static_cast<uint64_t>(measures.step) * tasks_ + gram.task(i);
      const std::vector<double> projected = Project(gram, i, stream);
      for (int k = 0; k < gram.size(); ++k) sum[k] += projected[k];
    }
    for (int p = 0; p < measures.products->parameters(); ++p) {
      for (int k = 0; k < gram.size(); ++k) factors[static_cast<size_t>(p) * tasks_ + gram.task(k)] = sum[k];
    }
  }

 private:
  // The coefficients of what is left of g_i; the others come in the random order of `stream`.
  std::vector<double> Project(const TaskGram& gram, int i, uint64_t stream) const {
    std::vector<double> coefficients(gram.size(), 0);
    coefficients[i] = 1;
    for (const uint32_t j : RandomPermutation(gram.size(), seed_, stream)) {
      if (static_cast<int>(j) == i) continue;
      const double product = gram.Dot(static_cast<int>(j), coefficients);
      if (product < 0) coefficients[j] -= product / gram.Of(j, j);
    }
    return coefficients;
  }

  const int tasks_;
  const uint64_t seed_;
};

}  // namespace

std::unique_ptr<Balancer> MakePcGrad(const config::PCGrad&, const BalancedTasks& tasks) {
  return std::make_unique<PcGrad>(tasks);
}

}  // namespace manygate
