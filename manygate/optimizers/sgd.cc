// SPDX-License-Identifier: Apache-2.0
// Stochastic gradient descent with momentum as torch.optim.SGD:
//   velocity = momentum·velocity + (1 - dampening)·g, in the first step of all without dampening;  w -= lr·velocity,
//   with Nesterov's momentum w -= lr·(g + momentum·velocity).
// In a missed step the velocity fades and moves the row: math in missed_steps.h.
#include "manygate/math/optimizer_steps.h"
#include "manygate/optimizers/gradient_rules.h"
#include "manygate/optimizers/missed_steps.h"
#include "manygate/optimizers/optimizer.h"

namespace manygate {
namespace {

class Sgd final : public RuledOptimizer {
 public:
  Sgd(const config::SgdOptimizer& config, RowDecay row_decay)
      : RuledOptimizer(RulesOf(config), row_decay),
        momentum_(config.momentum()),
        dampening_(config.momentum() > 0 ? config.dampening() : 0.f),
        nesterov_(config.nesterov()),
        missed_(config.momentum()),
        powers_(config.momentum()) {}

  int StatePerValue() const override { return momentum_ > 0 ? 1 : 0; }
  int64_t step() const override { return missed_.last(); }
  void BeginStep(double lr) override {
    rates_.Push(static_cast<float>(lr));
    missed_.Push(lr, 1);
  }
  void Forget() override { Restart(step()); }
  void Restart(int64_t step) override {
    missed_.Restart(step);
    rates_.Restart(step);
  }

 private:
  void Step(int64_t t, const OptimizedValues& v, bool clear) override {
    SgdPass(v.n, Coefficients(t, rates_.At(t)), v.w, v.g, Velocity(v), clear);
  }
  void LateStep(int64_t s, const OptimizedValues& v) override {
    SgdCoefficients c = Coefficients(s, missed_.Sum(s));
    c.velocity_decay = powers_.At(step() - s);
    SgdPass(v.n, c, v.w, v.g, Velocity(v), true);
  }

  // Of step t, which moves the weights by `rate` times the velocity, Nesterov's momentum left aside.
  SgdCoefficients Coefficients(int64_t t, float rate) const {
    SgdCoefficients c{.rate = rate, .momentum = momentum_, .share = t == 1 ? 1.f : 1.f - dampening_};
    if (nesterov_) {
      c.rate = momentum_ * rate;
      c.gradient_rate = rates_.At(t);
    }
    return c;
  }
  static float* Velocity(const OptimizedValues& v) { return v.state.empty() ? nullptr : v.state[0]; }

  const float momentum_, dampening_;
  const bool nesterov_;
  MissedSteps missed_;
  PowerTable powers_;
  StepLog<float> rates_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeSgd(const config::SgdOptimizer& config, RowDecay row_decay) {
  return std::make_unique<Sgd>(config, row_decay);
}

}  // namespace manygate
