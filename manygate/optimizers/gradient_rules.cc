// SPDX-License-Identifier: Apache-2.0
#include "manygate/optimizers/gradient_rules.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/math/optimizer_steps.h"

namespace manygate {

void GradientRules::Apply(int64_t n, const float* w, float* g, bool decay) const {
  const float used = decay ? weight_decay : 0.f;
  if (used == 0 && std::isinf(limit)) return;
  GradientPass(n, limit, used, w, g);
}

bool HasGradient(RowTable& table, int64_t row) {
  const float* g = table.gradient(row);
  return std::any_of(g, g + table.padded_width(), [](float value) { return value != 0; });
}

RuledOptimizer::RuledOptimizer(GradientRules rules, RowDecay row_decay, bool replays)
    : rules_(rules), replays_(replays || (rules.weight_decay != 0 && row_decay == RowDecay::kEveryStep)) {}

void RuledOptimizer::UpdateDense(int64_t n, float* w, float* g, std::span<float* const> state, bool decay) {
  rules_.Apply(n, w, g, decay);
  Step(step(), {n, w, g, state, decay}, false);
}

void RuledOptimizer::SettleRow(RowTable& table, int64_t row, int64_t s) {
  std::array<float*, 4> state{};
  const int states = StatePerValue();
  MG_CHECK(states <= static_cast<int>(state.size()), "{} optimizer values per weight", states);
  for (int k = 0; k < states; ++k) state[k] = table.state(row, k);
  const OptimizedValues values{table.padded_width(), table.weights(row), table.gradient(row),
                               std::span<float* const>(state.data(), states)};
  if (!replays_) {
    if (rules_.weight_decay == 0 || HasGradient(table, row)) rules_.Apply(values.n, values.w, values.g, true);
    return LateStep(s, values);
  }
  for (int64_t t = s; t <= step(); ++t) {
    rules_.Apply(values.n, values.w, values.g, true);
    Step(t, values, true);
  }
}

}  // namespace manygate
