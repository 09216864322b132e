// SPDX-License-Identifier: Apache-2.0
// FTRL-proximal (McMahan et al. 2013, algorithm 1), value by value. As there, a value that a step has no gradient for does
// not change, in tables and elsewhere, so a late row needs its own step's rate only. A schedule changes alpha.
#include <algorithm>

#include "manygate/math/optimizer_steps.h"
#include "manygate/optimizers/gradient_rules.h"
#include "manygate/optimizers/optimizer.h"

namespace manygate {
namespace {

class Ftrl final : public RuledOptimizer {
 public:
  explicit Ftrl(const config::FtrlOptimizer& config)
      : RuledOptimizer(GradientRules(), RowDecay::kWhenTouched), config_(config) {}

  int StatePerValue() const override { return 2; }  // z, the sum of squares
  int64_t step() const override { return rates_.last(); }
  void BeginStep(double lr) override { rates_.Push(static_cast<float>(lr)); }
  void Forget() override { Restart(step()); }
  void Restart(int64_t step) override { rates_.Restart(step); }

 private:
  // A rate of 0, as warm-ups begin with, moves nothing; the formula divides by it.
  void Step(int64_t t, const OptimizedValues& v, bool clear) override {
    if (rates_.At(t) > 0) {
      const FtrlCoefficients c{rates_.At(t), config_.beta(), config_.l1(), config_.l2()};
      FtrlPass(v.n, c, v.w, v.g, v.state[0], v.state[1], clear);
    } else if (clear) {
      std::fill_n(v.g, v.n, 0.f);
    }
  }
  void LateStep(int64_t s, const OptimizedValues& v) override { Step(s, v, true); }

  const config::FtrlOptimizer config_;
  StepLog<float> rates_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeFtrl(const config::FtrlOptimizer& config) { return std::make_unique<Ftrl>(config); }

}  // namespace manygate
