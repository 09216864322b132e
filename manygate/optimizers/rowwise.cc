// SPDX-License-Identifier: Apache-2.0
// Optimizers with one number per row of a table, as FBGEMM defines them. Nothing of a row changes in a step that does not
// touch it, so a late row needs its own step only.
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/math/elementwise.h"
#include "manygate/math/optimizer_steps.h"
#include "manygate/optimizers/gradient_rules.h"
#include "manygate/optimizers/optimizer.h"

namespace manygate {
namespace {

class RowOptimizer : public Optimizer {
 public:
  int64_t step() const final { return rates_.last(); }
  void BeginStep(double lr) final { rates_.Push(lr); }
  void Forget() final { Restart(step()); }
  void Restart(int64_t step) final { rates_.Restart(step); }
  void UpdateDense(int64_t n, float*, float*, std::span<float* const>, bool) final {
    MG_CHECK(false, "{} dense weights for an optimizer of tables", n);
  }
  void SettleRow(RowTable& table, int64_t row, int64_t s) final {
    if (!HasGradient(table, row)) return;
    float* g = table.gradient(row);
    rules_.Apply(table.padded_width(), table.weights(row), g, true);
    // What pads a row is 0.
    const double mean = SumOfSquares(table.padded_width(), g) / static_cast<double>(table.width());
    UpdateRow(table, row, s, rates_.At(s), mean);
  }

 protected:
  explicit RowOptimizer(GradientRules rules) : rules_(rules) {}
  // Step s with that rate; mean: of the gradient's squares. The gradient becomes 0.
  virtual void UpdateRow(RowTable& table, int64_t row, int64_t s, double rate, double mean) = 0;

 private:
  const GradientRules rules_;
  StepLog<double> rates_;
};

GradientRules RulesOfRowwise(const config::RowwiseAdagradOptimizer& config) {
  GradientRules rules = RulesOf(config);
  if (config.weight_decay_mode() != config::L2) rules.weight_decay = 0;
  return rules;
}

class RowwiseAdagrad final : public RowOptimizer {
 public:
  explicit RowwiseAdagrad(const config::RowwiseAdagradOptimizer& config)
      : RowOptimizer(RulesOfRowwise(config)),
        config_(config),
        decoupled_decay_(config.weight_decay_mode() == config::DECOUPLE ? config.weight_decay() : 0.f) {}
  int StatePerValue() const override { return 1; }
  float InitialState() const override { return config_.initial_accumulator_value(); }

 private:
  void UpdateRow(RowTable& table, int64_t row, int64_t, double rate, double mean) override {
    float& sum = table.state(row, 0)[0];
    sum += static_cast<float>(mean);
    const double step = rate / (std::sqrt(double{sum}) + config_.eps());
    if (decoupled_decay_ != 0)
      ScaleBy(table.padded_width(), static_cast<float>(1 - rate * decoupled_decay_), table.weights(row));
    SgdPass(table.padded_width(), {.rate = static_cast<float>(step)}, table.weights(row), table.gradient(row), nullptr,
            true);
  }

  const config::RowwiseAdagradOptimizer config_;
  const float decoupled_decay_;
};

class PartialRowwiseAdam final : public RowOptimizer {
 public:
  explicit PartialRowwiseAdam(const config::PartialRowwiseAdamOptimizer& config)
      : RowOptimizer(RulesOf(config)), config_(config) {}
  int StatePerValue() const override { return 2; }

 private:
  void UpdateRow(RowTable& table, int64_t row, int64_t s, double rate, double mean) override {
    const double beta1 = config_.beta1(), beta2 = config_.beta2(), t = static_cast<double>(s);
    const double c1 = 1 - std::pow(beta1, t), c2 = 1 - std::pow(beta2, t);
    float& variance = table.state(row, 1)[0];
    variance = static_cast<float>(beta2 * variance + (1 - beta2) * mean);
    const double step = rate / c1 / (std::sqrt(variance / c2) + config_.eps());
    SgdPass(table.padded_width(),
            {.rate = static_cast<float>(step), .momentum = config_.beta1(), .share = 1.f - config_.beta1()},
            table.weights(row), table.gradient(row), table.state(row, 0), true);
  }

  const config::PartialRowwiseAdamOptimizer config_;
};

}  // namespace

std::unique_ptr<Optimizer> MakeRowwiseAdagrad(const config::RowwiseAdagradOptimizer& config) {
  return std::make_unique<RowwiseAdagrad>(config);
}

std::unique_ptr<Optimizer> MakePartialRowwiseAdam(const config::PartialRowwiseAdamOptimizer& config) {
  return std::make_unique<PartialRowwiseAdam>(config);
}

}  // namespace manygate
