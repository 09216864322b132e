// SPDX-License-Identifier: Apache-2.0
// Adam, AMSGrad and AdamW. With c1 = 1 - beta1^t and c2 = 1 - beta2^t a step is
//   w -= lr/c1 · m / (√(v/c2) + eps)  =  w -= (lr·√c2/c1) · m / (√v + eps·√c2),
// the form that math/optimizer_steps.h computes. In step t = s + k that a row missed after its own step s, m = beta1^k·m_s
// and √v = √beta2^k·√v_s, so its share is a_t q^k · m_s / (√v_s + e_t) with q = beta1/√beta2 and
// e_t = eps·√c2_t/√beta2^k. All shares are taken with one mean e, weighted by a_t q^k: exact to first order in what is
// already a correction of relative size eps/√v. AMSGrad's missed steps are done one by one.
#include <cmath>

#include "manygate/math/optimizer_steps.h"
#include "manygate/optimizers/gradient_rules.h"
#include "manygate/optimizers/missed_steps.h"
#include "manygate/optimizers/optimizer.h"

namespace manygate {
namespace {

struct AdamNumbers {
  double beta1, beta2, eps;
  double decoupled_decay = 0;
  bool amsgrad = false;
};

class Adam final : public RuledOptimizer {
 public:
  Adam(AdamNumbers numbers, GradientRules rules, RowDecay row_decay)
      : RuledOptimizer(rules, row_decay, numbers.amsgrad),
        numbers_(numbers),
        missed_(numbers.beta1 / std::sqrt(numbers.beta2)),
        missed_eps_(numbers.beta1 / numbers.beta2),
        mean_powers_(numbers.beta1),
        variance_powers_(numbers.beta2) {}

  int StatePerValue() const override { return numbers_.amsgrad ? 3 : 2; }
  int64_t step() const override { return missed_.last(); }

  void BeginStep(double lr) override {
    const double t = static_cast<double>(step() + 1);
    const double c1 = 1 - std::pow(numbers_.beta1, t), c2 = 1 - std::pow(numbers_.beta2, t);
    const double rate = lr * std::sqrt(c2) / c1, eps = numbers_.eps * std::sqrt(c2);
    const double decay = 1 - lr * numbers_.decoupled_decay;
    steps_.Push({static_cast<float>(rate), static_cast<float>(eps), static_cast<float>(decay)});
    missed_.Push(rate, decay);
    missed_eps_.Push(rate * eps, decay);
  }

  void Forget() override { Restart(step()); }
  void Restart(int64_t step) override {
    steps_.Restart(step);
    missed_.Restart(step);
    missed_eps_.Restart(step);
  }

 private:
  struct StepNumbers {
    float rate, eps, decay;  // eps: eps·√c2
  };

  void Step(int64_t t, const OptimizedValues& v, bool clear) override {
    const StepNumbers& now = steps_.At(t);
    Pass(Coefficients(now.rate, now.eps, v.decay ? now.decay : 1), v, clear);
  }

  void LateStep(int64_t s, const OptimizedValues& v) override {
    const int64_t k = step() - s;
    const float rate = missed_.Sum(s);
    AdamCoefficients c = Coefficients(rate, rate != 0 ? missed_eps_.Sum(s) / rate : steps_.At(step()).eps,
                                      numbers_.decoupled_decay != 0 ? missed_.Decay(s) : 1);
    c.mean_decay = mean_powers_.At(k);
    c.variance_decay = variance_powers_.At(k);
    Pass(c, v, true);
  }

  void Pass(const AdamCoefficients& c, const OptimizedValues& v, bool clear) const {
    if (numbers_.amsgrad) return AmsgradPass(v.n, c, v.w, v.g, v.state[0], v.state[1], v.state[2], clear);
    AdamPass(v.n, c, v.w, v.g, v.state[0], v.state[1], clear);
  }

  AdamCoefficients Coefficients(float rate, float eps, float decay) const {
    AdamCoefficients c{};
    c.rate = rate;
    c.eps = eps;
    c.beta1 = static_cast<float>(numbers_.beta1);
    c.beta2 = static_cast<float>(numbers_.beta2);
    c.decay = decay;
    c.mean_decay = c.variance_decay = 1;
    return c;
  }

  const AdamNumbers numbers_;
  MissedSteps missed_;      // Σ a_t q^(t-s)
  MissedSteps missed_eps_;  // Σ a_t q^(t-s) e_t
  PowerTable mean_powers_, variance_powers_;
  StepLog<StepNumbers> steps_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeAdam(const config::AdamOptimizer& c, RowDecay row_decay) {
  const AdamNumbers numbers{.beta1 = c.beta1(), .beta2 = c.beta2(), .eps = c.eps(), .amsgrad = c.amsgrad()};
  return std::make_unique<Adam>(numbers, RulesOf(c), row_decay);
}

std::unique_ptr<Optimizer> MakeAdamW(const config::AdamWOptimizer& c) {
  const AdamNumbers numbers{
      .beta1 = c.beta1(), .beta2 = c.beta2(), .eps = c.eps(), .decoupled_decay = c.weight_decay()};
  return std::make_unique<Adam>(numbers, GradientRules(), RowDecay::kEveryStep);
}

}  // namespace manygate
