// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/optimizer_steps.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/math/optimizer_steps.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "manygate/math/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {
using D = FloatTag;
using V = FloatVector;

// Plain √ and ÷: on Zen 3 with AVX2 (2026-11) an inverse square root by bit trick and two fourth-order steps, which frees
// the divider, made the row updates of a training step 1.6 times as slow (26 against 16 us for 135 rows of 144).
struct AdamConstants {
  V rate, eps, decay, beta1, rest1, beta2, rest2, mean_decay, variance_decay;
};

HWY_INLINE void AdamVector(const AdamConstants& k, V gradient, V& w, V& mean, V& variance) {
  const V m = hn::MulAdd(k.beta1, mean, hn::Mul(k.rest1, gradient));
  const V v = hn::MulAdd(k.beta2, variance, hn::Mul(k.rest2, hn::Mul(gradient, gradient)));
  const V step = hn::Div(m, hn::Add(hn::Sqrt(v), k.eps));
  w = hn::NegMulAdd(k.rate, step, hn::Mul(k.decay, w));
  mean = hn::Mul(m, k.mean_decay);
  variance = hn::Mul(v, k.variance_decay);
}

void Adam(int64_t n, const AdamCoefficients& c, float* HWY_RESTRICT w, float* HWY_RESTRICT g, float* HWY_RESTRICT mean,
          float* HWY_RESTRICT variance, bool clear) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const AdamConstants k{hn::Set(d, c.rate),        hn::Set(d, c.eps),         hn::Set(d, c.decay),
                        hn::Set(d, c.beta1),       hn::Set(d, 1.f - c.beta1), hn::Set(d, c.beta2),
                        hn::Set(d, 1.f - c.beta2), hn::Set(d, c.mean_decay),  hn::Set(d, c.variance_decay)};
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    V weight = hn::LoadU(d, w + i), m = hn::LoadU(d, mean + i), v = hn::LoadU(d, variance + i);
    AdamVector(k, hn::LoadU(d, g + i), weight, m, v);
    hn::StoreU(weight, d, w + i);
    hn::StoreU(m, d, mean + i);
    hn::StoreU(v, d, variance + i);
    if (clear) hn::StoreU(hn::Zero(d), d, g + i);
  }
  if (i == n) return;
  const size_t part = static_cast<size_t>(n - i);
  V weight = LoadPart(d, w + i, part), m = LoadPart(d, mean + i, part), v = LoadPart(d, variance + i, part);
  AdamVector(k, LoadPart(d, g + i, part), weight, m, v);
  StorePart(weight, d, w + i, part);
  StorePart(m, d, mean + i, part);
  StorePart(v, d, variance + i, part);
  if (clear) StorePart(hn::Zero(d), d, g + i, part);
}

void Adagrad(int64_t n, float rate, float eps, float* w, float* g, float* sum, bool clear) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < n; i += lanes) {
    const size_t part = static_cast<size_t>(n - i);
    const V gradient = LoadPart(d, g + i, part);
    const V total = hn::MulAdd(gradient, gradient, LoadPart(d, sum + i, part));
    const V step = hn::Div(gradient, hn::Add(hn::Sqrt(total), hn::Set(d, eps)));
    StorePart(hn::NegMulAdd(hn::Set(d, rate), step, LoadPart(d, w + i, part)), d, w + i, part);
    StorePart(total, d, sum + i, part);
    if (clear) StorePart(hn::Zero(d), d, g + i, part);
  }
}

void Sgd(int64_t n, float rate, float momentum, float velocity_decay, float* w, float* g, float* velocity,
         bool clear) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < n; i += lanes) {
    const size_t part = static_cast<size_t>(n - i);
    V step = LoadPart(d, g + i, part);
    if (velocity != nullptr) {
      step = hn::MulAdd(hn::Set(d, momentum), LoadPart(d, velocity + i, part), step);
      StorePart(hn::Mul(step, hn::Set(d, velocity_decay)), d, velocity + i, part);
    }
    StorePart(hn::NegMulAdd(hn::Set(d, rate), step, LoadPart(d, w + i, part)), d, w + i, part);
    if (clear) StorePart(hn::Zero(d), d, g + i, part);
  }
}

void Ema(int64_t n, float decay, const float* w, float* average) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < n; i += lanes) {
    const size_t part = static_cast<size_t>(n - i);
    const V old = LoadPart(d, average + i, part);
    StorePart(hn::MulAdd(hn::Set(d, 1.f - decay), hn::Sub(LoadPart(d, w + i, part), old), old), d, average + i, part);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(Adam);
HWY_EXPORT(Adagrad);
HWY_EXPORT(Sgd);
HWY_EXPORT(Ema);

void AdamPass(int64_t n, const AdamCoefficients& c, float* w, float* g, float* mean, float* variance, bool clear) {
  HWY_DYNAMIC_DISPATCH(Adam)(n, c, w, g, mean, variance, clear);
}
void AdagradPass(int64_t n, float rate, float eps, float* w, float* g, float* sum, bool clear) {
  HWY_DYNAMIC_DISPATCH(Adagrad)(n, rate, eps, w, g, sum, clear);
}
void SgdPass(int64_t n, float rate, float momentum, float velocity_decay, float* w, float* g, float* velocity,
             bool clear) {
  HWY_DYNAMIC_DISPATCH(Sgd)(n, rate, momentum, velocity_decay, w, g, velocity, clear);
}
void EmaPass(int64_t n, float decay, const float* w, float* average) {
  HWY_DYNAMIC_DISPATCH(Ema)(n, decay, w, average);
}

}  // namespace manygate
#endif  // HWY_ONCE
