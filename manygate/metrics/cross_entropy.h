// SPDX-License-Identifier: Apache-2.0
// The cross-entropy of one probability, in double.
//
//   double nats = CrossEntropy(0.25, 1.0, 1e-12);   // -log 0.25
#ifndef MANYGATE_METRICS_CROSS_ENTROPY_H_
#define MANYGATE_METRICS_CROSS_ENTROPY_H_

#include <algorithm>
#include <cmath>

namespace manygate {

// -(y log p + (1 - y) log(1 - p)), the probability p kept `margin` away from 0 and 1. Finite for every finite p.
inline double CrossEntropy(double probability, double label, double margin) {
  const double p = std::clamp(probability, margin, 1.0 - margin);
  if (label == 1.0) return -std::log(p);
  if (label == 0.0) return -std::log1p(-p);
  return -(label * std::log(p) + (1.0 - label) * std::log1p(-p));
}

}  // namespace manygate

#endif  // MANYGATE_METRICS_CROSS_ENTROPY_H_
