// SPDX-License-Identifier: Apache-2.0
// Adagrad (Duchi et al. 2011). A step without gradient changes nothing, so a late row needs its own step's rate only.
#include <vector>

#include "manygate/math/optimizer_steps.h"
#include "manygate/optimizers/optimizer.h"

namespace manygate {
namespace {

class Adagrad final : public Optimizer {
 public:
  explicit Adagrad(const config::AdagradOptimizer& config) : config_(config) {}

  int StatePerValue() const override { return 1; }
  float InitialState() const override { return config_.initial_accumulator_value(); }
  int64_t step() const override { return first_ + static_cast<int64_t>(rates_.size()) - 1; }
  void BeginStep(double lr) override { rates_.push_back(static_cast<float>(lr)); }
  void UpdateDense(int64_t n, float* w, float* g, std::span<float* const> state, bool) override {
    AdagradPass(n, rates_.back(), config_.eps(), w, g, state[0], false);
  }
  void SettleRow(RowTable& table, int64_t row, int64_t s) override {
    AdagradPass(table.padded_width(), rates_[s - first_], config_.eps(), table.weights(row), table.gradient(row),
                table.state(row, 0), true);
  }
  void Forget() override { Restart(step()); }
  void Restart(int64_t step) override {
    first_ = step + 1;
    rates_.clear();
  }

 private:
  const config::AdagradOptimizer config_;
  int64_t first_ = 1;  // the step of rates_[0]
  std::vector<float> rates_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeAdagrad(const config::AdagradOptimizer& config) {
  return std::make_unique<Adagrad>(config);
}

}  // namespace manygate
