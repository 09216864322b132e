// SPDX-License-Identifier: Apache-2.0
// One fused pass of an optimizer over n values; the dense arena and single rows of a table go through the same code.
// Value by value, so the result does not depend on how a range is cut. Gradients are set to 0 where `clear` is given.
#ifndef MANYGATE_MATH_OPTIMIZER_STEPS_H_
#define MANYGATE_MATH_OPTIMIZER_STEPS_H_

#include <cstdint>

namespace manygate {

// g = clamp(g, -limit, limit), then g += decay·w. Either may be left out: limit infinity, decay 0.
void GradientPass(int64_t n, float limit, float decay, const float* w, float* g);

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
// The same with √largest in place of √variance, largest = max(largest, variance): AMSGrad (Reddi et al. 2018).
void AmsgradPass(int64_t n, const AdamCoefficients& c, float* w, float* g, float* mean, float* variance, float* largest,
                 bool clear);

// sum += g²; w −= rate·g / (√sum + eps)   (Duchi et al. 2011)
void AdagradPass(int64_t n, float rate, float eps, float* w, float* g, float* sum, bool clear);

// velocity = momentum·velocity + share·g; w −= rate·velocity + gradient_rate·g; velocity *= velocity_decay.
// velocity may be null (momentum 0).
struct SgdCoefficients {
  float rate;
  float momentum = 0;
  float share = 1;          // 1 - dampening
  float gradient_rate = 0;  // of Nesterov's momentum
  float velocity_decay = 1;
};
void SgdPass(int64_t n, const SgdCoefficients& c, float* w, float* g, float* velocity, bool clear);

// FTRL-proximal, value by value (McMahan et al. 2013, algorithm 1), with n = sum and D = beta / rate + l2:
//   g = 0: nothing changes. Else first, where w is not 0, z = -w·(√n / rate + D) - sign(w)·l1: the z that w stands for, at
//   the start and whenever the rate has changed; otherwise what z is already.
//   z += g - (√(n + g²) - √n) / rate · w;  n += g²
//   w = 0 where |z| <= l1, else -(z - sign(z)·l1) / (√n / rate + D)
struct FtrlCoefficients {
  float rate, beta, l1, l2;
};
void FtrlPass(int64_t n, const FtrlCoefficients& c, float* w, float* g, float* z, float* sum, bool clear);

// square = alpha·square + (1-alpha)·g²; velocity = momentum·velocity + g / (√square + eps); w −= rate·velocity; then
// square *= square_decay, velocity *= velocity_decay. velocity may be null (momentum 0).
struct RmspropCoefficients {
  float rate, alpha, eps;
  float momentum = 0;
  float square_decay = 1, velocity_decay = 1;
};
void RmspropPass(int64_t n, const RmspropCoefficients& c, float* w, float* g, float* square, float* velocity,
                 bool clear);

// square = rho·square + (1-rho)·g²; step = √(steps + eps) / √(square + eps) · g; steps = rho·steps + (1-rho)·step²;
// w −= rate·step; then square and steps *= state_decay (Zeiler 2012).
struct AdadeltaCoefficients {
  float rate, rho, eps;
  float state_decay = 1;
};
void AdadeltaPass(int64_t n, const AdadeltaCoefficients& c, float* w, float* g, float* square, float* steps,
                  bool clear);

// average += (1 - decay)·(w − average)
void EmaPass(int64_t n, float decay, const float* w, float* average);

}  // namespace manygate

#endif  // MANYGATE_MATH_OPTIMIZER_STEPS_H_
