// SPDX-License-Identifier: Apache-2.0
// One fused pass of an optimizer over n values; the dense arena and single rows of a table go through the same code.
// Value by value, so the result does not depend on how a range is cut. Gradients are set to 0 where `clear` is given.
#ifndef MANYGATE_MATH_OPTIMIZER_STEPS_H_
#define MANYGATE_MATH_OPTIMIZER_STEPS_H_

#include <cstdint>

namespace manygate {

// Adam with the bias corrections folded into `rate` and `eps`, followed by k steps without gradient (k may be 0):
//   mean = beta1·mean + (1-beta1)·g      variance = beta2·variance + (1-beta2)·g²
//   w = decay·w − rate·mean / (√variance + eps)
//   mean *= mean_decay (= beta1^k)       variance *= variance_decay (= beta2^k)
struct AdamCoefficients {
  float rate, eps, beta1, beta2;
  float decay = 1;
  float mean_decay = 1, variance_decay = 1;
};
void AdamPass(int64_t n, const AdamCoefficients& c, float* w, float* g, float* mean, float* variance, bool clear);

// sum += g²; w −= rate·g / (√sum + eps)   (Duchi et al. 2011)
void AdagradPass(int64_t n, float rate, float eps, float* w, float* g, float* sum, bool clear);

// velocity = momentum·velocity + g; w −= rate·velocity; velocity *= velocity_decay. velocity may be null (momentum 0).
void SgdPass(int64_t n, float rate, float momentum, float velocity_decay, float* w, float* g, float* velocity,
             bool clear);

// average += (1 - decay)·(w − average)
void EmaPass(int64_t n, float decay, const float* w, float* average);

}  // namespace manygate

#endif  // MANYGATE_MATH_OPTIMIZER_STEPS_H_
