// SPDX-License-Identifier: Apache-2.0
// Stochastic gradient descent with (heavy-ball) momentum as torch.optim.SGD: velocity = momentum·velocity + g,
// w -= lr·velocity.
#include <vector>

#include "manygate/math/optimizer_steps.h"
#include "manygate/optimizers/missed_steps.h"
#include "manygate/optimizers/optimizer.h"

namespace manygate {
namespace {

class Sgd final : public Optimizer {
 public:
  explicit Sgd(const config::SgdOptimizer& config)
      : momentum_(config.momentum()), missed_(config.momentum()), powers_(config.momentum()) {}

  int StatePerValue() const override { return momentum_ > 0 ? 1 : 0; }
  int64_t step() const override { return missed_.last(); }
  void BeginStep(double lr) override {
    rate_ = static_cast<float>(lr);
    missed_.Push(lr, 1);
  }
  void UpdateDense(int64_t n, float* w, float* g, std::span<float* const> state, bool) override {
    SgdPass(n, rate_, momentum_, 1, w, g, state.empty() ? nullptr : state[0], false);
  }
  void SettleRow(RowTable& table, int64_t row, int64_t s) override {
    SgdPass(table.padded_width(), missed_.Sum(s), momentum_, powers_.At(step() - s), table.weights(row),
            table.gradient(row), momentum_ > 0 ? table.state(row, 0) : nullptr, true);
  }
  void Forget() override { missed_.Forget(); }
  void Restart(int64_t step) override { missed_.Restart(step); }

 private:
  const float momentum_;
  MissedSteps missed_;
  PowerTable powers_;
  float rate_ = 0;
};

}  // namespace

std::unique_ptr<Optimizer> MakeSgd(const config::SgdOptimizer& config) { return std::make_unique<Sgd>(config); }

}  // namespace manygate
