// SPDX-License-Identifier: Apache-2.0
#include "manygate/balancing/balancer.h"

#include <cmath>

namespace manygate {

double GradientProducts::Total(int i, int j) const {
  double total = 0;
  for (int p = 0; p < parameters_; ++p) total += Of(p, i, j);
  return total;
}

double GradientProducts::Cosine(int i, int j) const {
  return Total(i, j) / std::sqrt(Total(i, i) * Total(j, j));
}

}  // namespace manygate
