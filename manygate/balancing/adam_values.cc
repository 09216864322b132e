// SPDX-License-Identifier: Apache-2.0
#include "manygate/balancing/adam_values.h"

#include <cmath>

namespace manygate {

void AdamValues::Step(int k, double gradient, double rate) {
  if (!std::isfinite(gradient)) return;
  // A float counts to 2^24 and then stays there; both corrections are 1 long before.
  At(3, k) += 1;
  const double steps = At(3, k);
  At(1, k) = static_cast<float>(0.9 * At(1, k) + 0.1 * gradient);
  At(2, k) = static_cast<float>(0.999 * At(2, k) + 0.001 * gradient * gradient);
  const double mean = At(1, k) / (1 - std::pow(0.9, steps));
  const double square = At(2, k) / (1 - std::pow(0.999, steps));
  At(0, k) = static_cast<float>(At(0, k) - rate * mean / (std::sqrt(square) + 1e-8));
}

}  // namespace manygate
