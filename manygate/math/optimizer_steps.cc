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

void Adam(int64_t n, const AdamCoefficients& c, float* HWY_RESTRICT w, float* HWY_RESTRICT g, float* HWY_RESTRICT mean,
          float* HWY_RESTRICT variance, bool clear) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V rate = hn::Set(d, c.rate), eps = hn::Set(d, c.eps), decay = hn::Set(d, c.decay);
  const V beta1 = hn::Set(d, c.beta1), rest1 = hn::Set(d, 1.f - c.beta1);
  const V beta2 = hn::Set(d, c.beta2), rest2 = hn::Set(d, 1.f - c.beta2);
  const V mean_decay = hn::Set(d, c.mean_decay), variance_decay = hn::Set(d, c.variance_decay);
  for (int64_t i = 0; i < n; i += lanes) {
    const size_t part = static_cast<size_t>(n - i);
    const V gradient = LoadPart(d, g + i, part);
    const V m = hn::MulAdd(beta1, LoadPart(d, mean + i, part), hn::Mul(rest1, gradient));
    const V v = hn::MulAdd(beta2, LoadPart(d, variance + i, part), hn::Mul(rest2, hn::Mul(gradient, gradient)));
    const V step = hn::Div(m, hn::Add(hn::Sqrt(v), eps));
    StorePart(hn::NegMulAdd(rate, step, hn::Mul(decay, LoadPart(d, w + i, part))), d, w + i, part);
    StorePart(hn::Mul(m, mean_decay), d, mean + i, part);
    StorePart(hn::Mul(v, variance_decay), d, variance + i, part);
    if (clear) StorePart(hn::Zero(d), d, g + i, part);
  }
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
