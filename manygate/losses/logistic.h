// SPDX-License-Identifier: Apache-2.0
// What the losses built on the logistic function share; in double unless an array is worked on.
//
//   double z = LogOdds(positive_share);   // start of a bias
//   double loss = Softplus(-z);           // -log of the probability of class 1
#ifndef MANYGATE_LOSSES_LOGISTIC_H_
#define MANYGATE_LOSSES_LOGISTIC_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace manygate {

// log(p / (1 - p)); p is kept within 1e-6 of 0 and 1, so that a task without a positive (or negative) row starts at
// odds of 1 to a million rather than at an infinite logit. NaN gives 0.
inline double LogOdds(double share) {
  if (std::isnan(share)) return 0.0;
  const double p = std::clamp(share, 1e-6, 1.0 - 1e-6);
  return std::log(p / (1.0 - p));
}

// log(1 + exp(z)) without overflow; NaN stays NaN.
inline double Softplus(double z) { return (z > 0.0 ? z : 0.0) + std::log1p(std::exp(-std::fabs(z))); }

// 1 / (1 + exp(-z)), with all digits on both sides.
inline double Logistic(double z) {
  const double e = std::exp(-std::fabs(z));
  return z < 0.0 ? e / (1.0 + e) : 1.0 / (1.0 + e);
}

// predictions[i] = the logistic function of logits[i * logit_stride]. In place where the stride is 1.
void LogisticColumn(const float* logits, int64_t logit_stride, int64_t rows, float* predictions);

}  // namespace manygate

#endif  // MANYGATE_LOSSES_LOGISTIC_H_
