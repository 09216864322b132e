// SPDX-License-Identifier: Apache-2.0
// Adadelta (Zeiler 2012) as torch.optim.Adadelta. In a missed step both means fade and nothing moves.
#include "manygate/math/optimizer_steps.h"
#include "manygate/optimizers/gradient_rules.h"
#include "manygate/optimizers/missed_steps.h"
#include "manygate/optimizers/optimizer.h"

namespace manygate {
namespace {

class Adadelta final : public RuledOptimizer {
 public:
  Adadelta(const config::AdadeltaOptimizer& config, RowDecay row_decay)
      : RuledOptimizer(RulesOf(config), row_decay), config_(config), powers_(config.rho()) {}

  int StatePerValue() const override { return 2; }  // mean squares of gradients and of steps
  int64_t step() const override { return rates_.last(); }
  void BeginStep(double lr) override { rates_.Push(static_cast<float>(lr)); }
  void Forget() override { Restart(step()); }
  void Restart(int64_t step) override { rates_.Restart(step); }

 private:
  void Step(int64_t t, const OptimizedValues& v, bool clear) override { Pass(t, v, 1, clear); }
  void LateStep(int64_t s, const OptimizedValues& v) override { Pass(s, v, powers_.At(step() - s), true); }
  void Pass(int64_t t, const OptimizedValues& v, float state_decay, bool clear) const {
    AdadeltaPass(v.n, {rates_.At(t), config_.rho(), config_.eps(), state_decay}, v.w, v.g, v.state[0], v.state[1],
                 clear);
  }

  const config::AdadeltaOptimizer config_;
  PowerTable powers_;
  StepLog<float> rates_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeAdadelta(const config::AdadeltaOptimizer& config, RowDecay row_decay) {
  return std::make_unique<Adadelta>(config, row_decay);
}

}  // namespace manygate
