// SPDX-License-Identifier: Apache-2.0
// What optimizers share: what is done to a gradient before their own formula, and what is kept of each step.
//
//   class Plain final : public RuledOptimizer {
//     explicit Plain(const config::SgdOptimizer& c) : RuledOptimizer(RulesOf(c), RowDecay::kEveryStep) {}
//     void Step(int64_t t, const OptimizedValues& values, bool clear) override { ... }   // one step
//     void LateStep(int64_t s, const OptimizedValues& values) override { ... }
//   };
#ifndef MANYGATE_OPTIMIZERS_GRADIENT_RULES_H_
#define MANYGATE_OPTIMIZERS_GRADIENT_RULES_H_

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "manygate/optimizers/optimizer.h"

namespace manygate {

// First every number of a gradient is limited, then weight_decay · weight is added (L2).
struct GradientRules {
  float limit = std::numeric_limits<float>::infinity();
  float weight_decay = 0;

  void Apply(int64_t n, const float* w, float* g, bool decay) const;
};

// Of a configuration with gradient_clipping, max_gradient and weight_decay.
template <typename Config>
GradientRules RulesOf(const Config& config) {
  GradientRules rules{.weight_decay = config.weight_decay()};
  if (config.gradient_clipping()) rules.limit = config.max_gradient();
  return rules;
}

// Whether a number of the row's gradient is not 0. A row that a batch read and whose gradient is 0 throughout counts as
// not touched.
bool HasGradient(RowTable& table, int64_t row);

// What each step needs, from the last time all rows were settled.
template <typename T>
class StepLog {
 public:
  void Push(T values) { steps_.push_back(values); }
  const T& At(int64_t step) const { return steps_[step - first_]; }
  int64_t last() const { return first_ + static_cast<int64_t>(steps_.size()) - 1; }
  void Restart(int64_t last) {
    first_ = last + 1;
    steps_.clear();
  }

 private:
  int64_t first_ = 1;  // the step of steps_[0]
  std::vector<T> steps_;
};

// n weights with what belongs to them.
struct OptimizedValues {
  int64_t n;
  float *w, *g;
  std::span<float* const> state;
  bool decay = true;  // weight decay applies
};

// Optimizers whose formula knows a value alone. Weight decay that comes with the gradient has no closed form over the
// steps that a row missed: with RowDecay::kEveryStep those are done one by one, with kWhenTouched there is none in them.
class RuledOptimizer : public Optimizer {
 public:
  void UpdateDense(int64_t n, float* w, float* g, std::span<float* const> state, bool decay) final;
  void SettleRow(RowTable& table, int64_t row, int64_t s) final;

 protected:
  // replays: the steps that a row missed are done one by one even without weight decay.
  RuledOptimizer(GradientRules rules, RowDecay row_decay, bool replays = false);

  // Step t. clear: gradients become 0.
  virtual void Step(int64_t t, const OptimizedValues& values, bool clear) = 0;
  // Step s, then those up to step() with a gradient of 0, in one; gradients become 0.
  virtual void LateStep(int64_t s, const OptimizedValues& values) = 0;

 private:
  const GradientRules rules_;
  const bool replays_;
};

}  // namespace manygate

#endif  // MANYGATE_OPTIMIZERS_GRADIENT_RULES_H_
