// SPDX-License-Identifier: Apache-2.0
// Adam and AdamW. With c1 = 1 - beta1^t and c2 = 1 - beta2^t a step is
//   w -= lr/c1 · m / (√(v/c2) + eps)  =  w -= (lr·√c2/c1) · m / (√v + eps·√c2),
// the form that math/optimizer_steps.h computes. In step t = s + k that a row missed after its own step s, m = beta1^k·m_s
// and √v = √beta2^k·√v_s, so its share is a_t q^k · m_s / (√v_s + e_t) with q = beta1/√beta2 and
// e_t = eps·√c2_t/√beta2^k. All shares are taken with one mean e, weighted by a_t q^k: exact to first order in what is
// already a correction of relative size eps/√v.
#include <cmath>

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
        missed_eps_(beta1 / beta2),
        mean_powers_(beta1),
        variance_powers_(beta2) {}

  int StatePerValue() const override { return 2; }
  int64_t step() const override { return missed_.last(); }

  void BeginStep(double lr) override {
    const double t = static_cast<double>(step() + 1);
    const double c1 = 1 - std::pow(beta1_, t), c2 = 1 - std::pow(beta2_, t);
    rate_ = static_cast<float>(lr * std::sqrt(c2) / c1);
    decay_ = static_cast<float>(1 - lr * weight_decay_);
    step_eps_ = eps_ * std::sqrt(c2);
    const double rate = lr * std::sqrt(c2) / c1;
    missed_.Push(rate, 1 - lr * weight_decay_);
    missed_eps_.Push(rate * step_eps_, 1 - lr * weight_decay_);
  }

  void UpdateDense(int64_t n, float* w, float* g, std::span<float* const> state, bool decay) override {
    AdamCoefficients c = Base();
    c.rate = rate_;
    c.eps = static_cast<float>(step_eps_);
    if (decay) c.decay = decay_;
    AdamPass(n, c, w, g, state[0], state[1], false);
  }

  void SettleRow(RowTable& table, int64_t row, int64_t s) override {
    const int64_t k = step() - s;
    AdamCoefficients c = Base();
    c.rate = missed_.Sum(s);
    c.eps = c.rate != 0 ? missed_eps_.Sum(s) / c.rate : static_cast<float>(step_eps_);
    if (weight_decay_ != 0) c.decay = missed_.Decay(s);
    c.mean_decay = mean_powers_.At(k);
    c.variance_decay = variance_powers_.At(k);
    AdamPass(table.padded_width(), c, table.weights(row), table.gradient(row), table.state(row, 0), table.state(row, 1),
             true);
  }

  void Forget() override {
    missed_.Forget();
    missed_eps_.Forget();
  }
  void Restart(int64_t step) override {
    missed_.Restart(step);
    missed_eps_.Restart(step);
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
  MissedSteps missed_;      // Σ a_t q^(t-s)
  MissedSteps missed_eps_;  // Σ a_t q^(t-s) e_t
  PowerTable mean_powers_, variance_powers_;
  double step_eps_ = 0;  // eps·√c2 of the present step
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
