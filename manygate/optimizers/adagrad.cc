// SPDX-License-Identifier: Apache-2.0
// Adagrad (Duchi et al. 2011). A step without gradient changes nothing, so a late row needs its own step's rate only.
#include "manygate/math/optimizer_steps.h"
#include "manygate/optimizers/gradient_rules.h"
#include "manygate/optimizers/optimizer.h"

namespace manygate {
namespace {

class Adagrad final : public RuledOptimizer {
 public:
  Adagrad(const config::AdagradOptimizer& config, RowDecay row_decay)
      : RuledOptimizer(RulesOf(config), row_decay), config_(config) {}

  int StatePerValue() const override { return 1; }
  float InitialState() const override { return config_.initial_accumulator_value(); }
  int64_t step() const override { return rates_.last(); }
  void BeginStep(double lr) override { rates_.Push(static_cast<float>(lr)); }
  void Forget() override { Restart(step()); }
  void Restart(int64_t step) override { rates_.Restart(step); }

 private:
  void Step(int64_t t, const OptimizedValues& v, bool clear) override {
    AdagradPass(v.n, rates_.At(t), config_.eps(), v.w, v.g, v.state[0], clear);
  }
  void LateStep(int64_t s, const OptimizedValues& v) override { Step(s, v, true); }

  const config::AdagradOptimizer config_;
  StepLog<float> rates_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeAdagrad(const config::AdagradOptimizer& config, RowDecay row_decay) {
  return std::make_unique<Adagrad>(config, row_decay);
}

}  // namespace manygate
