// SPDX-License-Identifier: Apache-2.0
// Adam and AdamW. With c1 = 1 - beta1^t and c2 = 1 - beta2^t a step is
//   w -= lr/c1 · m / (√(v/c2) + eps)  =  w -= (lr·√c2/c1) · m / (√v + eps·√c2),
// the form that math/optimizer_steps.h computes. In the steps that a row missed, eps·√c2 is taken as that of the row's
// own step (relative error of eps, not of the step: below 1e-3 after the first hundred steps, and then times q^k).
#include <cmath>
#include <vector>

#include "manygate/math/optimizer_steps.h"
#include "manygate/optimizers/missed_steps.h"
#include "manygate/optimizers/optimizer.h"

namespace manygate {
namespace {

class Adam final : public Optimizer {
 public:
  Adam(double beta1, double beta2, double eps, double weight_decay)
      : beta1_(beta1),
        beta2_(beta2),
        eps_(eps),
        weight_decay_(weight_decay),
        missed_(beta1 / std::sqrt(beta2)),
        mean_powers_(beta1),
        variance_powers_(beta2) {}

  int StatePerValue() const override { return 2; }
  int64_t step() const override { return missed_.last(); }

  void BeginStep(double lr) override {
    const double t = static_cast<double>(step() + 1);
    const double c1 = 1 - std::pow(beta1_, t), c2 = 1 - std::pow(beta2_, t);
    rate_ = static_cast<float>(lr * std::sqrt(c2) / c1);
    decay_ = static_cast<float>(1 - lr * weight_decay_);
    step_eps_.push_back(static_cast<float>(eps_ * std::sqrt(c2)));
    missed_.Push(lr * std::sqrt(c2) / c1, 1 - lr * weight_decay_);
  }

  void UpdateDense(int64_t n, float* w, float* g, std::span<float* const> state, bool decay) override {
    AdamCoefficients c = Base();
    c.rate = rate_;
    c.eps = step_eps_.back();
    if (decay) c.decay = decay_;
    AdamPass(n, c, w, g, state[0], state[1], false);
  }

  void SettleRow(RowTable& table, int64_t row, int64_t s) override {
    const int64_t k = step() - s;
    AdamCoefficients c = Base();
    c.rate = missed_.Sum(s);
    c.eps = step_eps_[s - missed_.first()];
    if (weight_decay_ != 0) c.decay = missed_.Decay(s);
    c.mean_decay = mean_powers_.At(k);
    c.variance_decay = variance_powers_.At(k);
    AdamPass(table.padded_width(), c, table.weights(row), table.gradient(row), table.state(row, 0), table.state(row, 1),
             true);
  }

  void Forget() override {
    missed_.Forget();
    step_eps_.clear();
  }
  void Restart(int64_t step) override {
    missed_.Restart(step);
    step_eps_.clear();
  }

 private:
  AdamCoefficients Base() const {
    AdamCoefficients c{};
    c.beta1 = static_cast<float>(beta1_);
    c.beta2 = static_cast<float>(beta2_);
    c.decay = c.mean_decay = c.variance_decay = 1;
    return c;
  }

  const double beta1_, beta2_, eps_, weight_decay_;
  MissedSteps missed_;
  PowerTable mean_powers_, variance_powers_;
  std::vector<float> step_eps_;  // eps·√c2 of steps missed_.first() .. step()
  float rate_ = 0, decay_ = 1;
};

}  // namespace

std::unique_ptr<Optimizer> MakeAdam(const config::AdamOptimizer& c) {
  return std::make_unique<Adam>(c.beta1(), c.beta2(), c.eps(), 0);
}

std::unique_ptr<Optimizer> MakeAdamW(const config::AdamWOptimizer& c) {
  return std::make_unique<Adam>(c.beta1(), c.beta2(), c.eps(), c.weight_decay());
}

}  // namespace manygate
