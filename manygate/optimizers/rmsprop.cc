// SPDX-License-Identifier: Apache-2.0
// RMSprop (Tieleman & Hinton 2012) with momentum as torch.optim.RMSprop. In a missed step the mean square and the velocity
// fade, and the velocity moves the row: math in missed_steps.h.
#include "manygate/math/optimizer_steps.h"
#include "manygate/optimizers/gradient_rules.h"
#include "manygate/optimizers/missed_steps.h"
#include "manygate/optimizers/optimizer.h"

namespace manygate {
namespace {

class Rmsprop final : public RuledOptimizer {
 public:
  Rmsprop(const config::RmspropOptimizer& config, RowDecay row_decay)
      : RuledOptimizer(RulesOf(config), row_decay),
        config_(config),
        missed_(config.momentum()),
        square_powers_(config.alpha()),
        velocity_powers_(config.momentum()) {}

  int StatePerValue() const override { return config_.momentum() > 0 ? 2 : 1; }
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
    RmspropPass(v.n, {rates_.At(t), config_.alpha(), config_.eps(), config_.momentum()}, v.w, v.g, v.state[0],
                Velocity(v), clear);
  }
  void LateStep(int64_t s, const OptimizedValues& v) override {
    const int64_t k = step() - s;
    RmspropPass(v.n,
                {missed_.Sum(s), config_.alpha(), config_.eps(), config_.momentum(), square_powers_.At(k),
                 velocity_powers_.At(k)},
                v.w, v.g, v.state[0], Velocity(v), true);
  }
  static float* Velocity(const OptimizedValues& v) { return v.state.size() < 2 ? nullptr : v.state[1]; }

  const config::RmspropOptimizer config_;
  MissedSteps missed_;
  PowerTable square_powers_, velocity_powers_;
  StepLog<float> rates_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeRmsprop(const config::RmspropOptimizer& config, RowDecay row_decay) {
  return std::make_unique<Rmsprop>(config, row_decay);
}

}  // namespace manygate
