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

// f(offset, values left) for every vector of n values.
template <typename F>
HWY_INLINE void EachVector(int64_t n, F f) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(D()));
  for (int64_t i = 0; i < n; i += lanes) f(i, static_cast<size_t>(n - i));
}

HWY_INLINE void Clear(float* g, size_t part, bool clear) {
  const D d;
  if (clear) StorePart(hn::Zero(d), d, g, part);
}

void Gradient(int64_t n, float limit, float decay, const float* w, float* g) {
  const D d;
  EachVector(n, [&](int64_t i, size_t part) HWY_ATTR {
    V gradient = LoadPart(d, g + i, part);
    gradient = hn::Min(hn::Max(gradient, hn::Set(d, -limit)), hn::Set(d, limit));
    StorePart(hn::MulAdd(hn::Set(d, decay), LoadPart(d, w + i, part), gradient), d, g + i, part);
  });
}

void Amsgrad(int64_t n, const AdamCoefficients& c, float* w, float* g, float* mean, float* variance, float* largest,
             bool clear) {
  const D d;
  EachVector(n, [&](int64_t i, size_t part) HWY_ATTR {
    const V gradient = LoadPart(d, g + i, part);
    const V m =
        hn::MulAdd(hn::Set(d, c.beta1), LoadPart(d, mean + i, part), hn::Mul(hn::Set(d, 1.f - c.beta1), gradient));
    const V v = hn::MulAdd(hn::Set(d, c.beta2), LoadPart(d, variance + i, part),
                           hn::Mul(hn::Set(d, 1.f - c.beta2), hn::Mul(gradient, gradient)));
    const V most = hn::Max(v, LoadPart(d, largest + i, part));
    const V step = hn::Div(m, hn::Add(hn::Sqrt(most), hn::Set(d, c.eps)));
    const V old = hn::Mul(hn::Set(d, c.decay), LoadPart(d, w + i, part));
    StorePart(hn::NegMulAdd(hn::Set(d, c.rate), step, old), d, w + i, part);
    StorePart(hn::Mul(m, hn::Set(d, c.mean_decay)), d, mean + i, part);
    StorePart(hn::Mul(v, hn::Set(d, c.variance_decay)), d, variance + i, part);
    StorePart(most, d, largest + i, part);
    Clear(g + i, part, clear);
  });
}

void Adagrad(int64_t n, float rate, float eps, float* w, float* g, float* sum, bool clear) {
  const D d;
  EachVector(n, [&](int64_t i, size_t part) HWY_ATTR {
    const V gradient = LoadPart(d, g + i, part);
    const V total = hn::MulAdd(gradient, gradient, LoadPart(d, sum + i, part));
    const V step = hn::Div(gradient, hn::Add(hn::Sqrt(total), hn::Set(d, eps)));
    StorePart(hn::NegMulAdd(hn::Set(d, rate), step, LoadPart(d, w + i, part)), d, w + i, part);
    StorePart(total, d, sum + i, part);
    Clear(g + i, part, clear);
  });
}

void Sgd(int64_t n, const SgdCoefficients& c, float* w, float* g, float* velocity, bool clear) {
  const D d;
  EachVector(n, [&](int64_t i, size_t part) HWY_ATTR {
    const V gradient = LoadPart(d, g + i, part);
    V step = hn::Mul(hn::Set(d, c.share), gradient);
    if (velocity != nullptr) {
      step = hn::MulAdd(hn::Set(d, c.momentum), LoadPart(d, velocity + i, part), step);
      StorePart(hn::Mul(step, hn::Set(d, c.velocity_decay)), d, velocity + i, part);
    }
    const V old = hn::NegMulAdd(hn::Set(d, c.gradient_rate), gradient, LoadPart(d, w + i, part));
    StorePart(hn::NegMulAdd(hn::Set(d, c.rate), step, old), d, w + i, part);
    Clear(g + i, part, clear);
  });
}

void Ftrl(int64_t n, const FtrlCoefficients& c, float* w, float* g, float* z, float* sum, bool clear) {
  const D d;
  const V zero = hn::Zero(d), l1 = hn::Set(d, c.l1), rest = hn::Set(d, c.beta / c.rate + c.l2);
  const V inverse = hn::Set(d, 1.f / c.rate);
  EachVector(n, [&](int64_t i, size_t part) HWY_ATTR {
    const V gradient = LoadPart(d, g + i, part), weight = LoadPart(d, w + i, part);
    const V before = LoadPart(d, sum + i, part);
    const V anchor = hn::Neg(hn::MulAdd(weight, hn::MulAdd(hn::Sqrt(before), inverse, rest), hn::CopySign(l1, weight)));
    V shifted = hn::IfThenElse(hn::Ne(weight, zero), anchor, LoadPart(d, z + i, part));
    const V total = hn::MulAdd(gradient, gradient, before);
    const V root = hn::Sqrt(total);
    const V sigma = hn::Mul(hn::Sub(root, hn::Sqrt(before)), inverse);
    shifted = hn::Add(shifted, hn::NegMulAdd(sigma, weight, gradient));
    const V pulled = hn::Div(hn::Sub(hn::CopySign(l1, shifted), shifted), hn::MulAdd(root, inverse, rest));
    const V moved = hn::IfThenElseZero(hn::Gt(hn::Abs(shifted), l1), pulled);
    const auto seen = hn::Ne(gradient, zero);
    StorePart(hn::IfThenElse(seen, moved, weight), d, w + i, part);
    StorePart(hn::IfThenElse(seen, shifted, LoadPart(d, z + i, part)), d, z + i, part);
    StorePart(total, d, sum + i, part);
    Clear(g + i, part, clear);
  });
}

void Rmsprop(int64_t n, const RmspropCoefficients& c, float* w, float* g, float* square, float* velocity, bool clear) {
  const D d;
  EachVector(n, [&](int64_t i, size_t part) HWY_ATTR {
    const V gradient = LoadPart(d, g + i, part);
    const V mean = hn::MulAdd(hn::Set(d, c.alpha), LoadPart(d, square + i, part),
                              hn::Mul(hn::Set(d, 1.f - c.alpha), hn::Mul(gradient, gradient)));
    V step = hn::Div(gradient, hn::Add(hn::Sqrt(mean), hn::Set(d, c.eps)));
    if (velocity != nullptr) {
      step = hn::MulAdd(hn::Set(d, c.momentum), LoadPart(d, velocity + i, part), step);
      StorePart(hn::Mul(step, hn::Set(d, c.velocity_decay)), d, velocity + i, part);
    }
    StorePart(hn::NegMulAdd(hn::Set(d, c.rate), step, LoadPart(d, w + i, part)), d, w + i, part);
    StorePart(hn::Mul(mean, hn::Set(d, c.square_decay)), d, square + i, part);
    Clear(g + i, part, clear);
  });
}

void Adadelta(int64_t n, const AdadeltaCoefficients& c, float* w, float* g, float* square, float* steps, bool clear) {
  const D d;
  const V rho = hn::Set(d, c.rho), rest = hn::Set(d, 1.f - c.rho), eps = hn::Set(d, c.eps);
  EachVector(n, [&](int64_t i, size_t part) HWY_ATTR {
    const V gradient = LoadPart(d, g + i, part), earlier = LoadPart(d, steps + i, part);
    const V mean = hn::MulAdd(rho, LoadPart(d, square + i, part), hn::Mul(rest, hn::Mul(gradient, gradient)));
    const V root = hn::Div(hn::Sqrt(hn::Add(earlier, eps)), hn::Sqrt(hn::Add(mean, eps)));
    const V step = hn::Mul(root, gradient);
    const V later = hn::MulAdd(rho, earlier, hn::Mul(rest, hn::Mul(step, step)));
    StorePart(hn::NegMulAdd(hn::Set(d, c.rate), step, LoadPart(d, w + i, part)), d, w + i, part);
    StorePart(hn::Mul(mean, hn::Set(d, c.state_decay)), d, square + i, part);
    StorePart(hn::Mul(later, hn::Set(d, c.state_decay)), d, steps + i, part);
    Clear(g + i, part, clear);
  });
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
HWY_EXPORT(Gradient);
HWY_EXPORT(Adam);
HWY_EXPORT(Amsgrad);
HWY_EXPORT(Adagrad);
HWY_EXPORT(Sgd);
HWY_EXPORT(Ftrl);
HWY_EXPORT(Rmsprop);
HWY_EXPORT(Adadelta);
HWY_EXPORT(Ema);

void GradientPass(int64_t n, float limit, float decay, const float* w, float* g) {
  HWY_DYNAMIC_DISPATCH(Gradient)(n, limit, decay, w, g);
}
void AdamPass(int64_t n, const AdamCoefficients& c, float* w, float* g, float* mean, float* variance, bool clear) {
  HWY_DYNAMIC_DISPATCH(Adam)(n, c, w, g, mean, variance, clear);
}
void AdagradPass(int64_t n, float rate, float eps, float* w, float* g, float* sum, bool clear) {
  HWY_DYNAMIC_DISPATCH(Adagrad)(n, rate, eps, w, g, sum, clear);
}
void SgdPass(int64_t n, const SgdCoefficients& c, float* w, float* g, float* velocity, bool clear) {
  HWY_DYNAMIC_DISPATCH(Sgd)(n, c, w, g, velocity, clear);
}
void AmsgradPass(int64_t n, const AdamCoefficients& c, float* w, float* g, float* mean, float* variance, float* largest,
                 bool clear) {
  HWY_DYNAMIC_DISPATCH(Amsgrad)(n, c, w, g, mean, variance, largest, clear);
}
void FtrlPass(int64_t n, const FtrlCoefficients& c, float* w, float* g, float* z, float* sum, bool clear) {
  HWY_DYNAMIC_DISPATCH(Ftrl)(n, c, w, g, z, sum, clear);
}
void RmspropPass(int64_t n, const RmspropCoefficients& c, float* w, float* g, float* square, float* velocity,
                 bool clear) {
  HWY_DYNAMIC_DISPATCH(Rmsprop)(n, c, w, g, square, velocity, clear);
}
void AdadeltaPass(int64_t n, const AdadeltaCoefficients& c, float* w, float* g, float* square, float* steps,
                  bool clear) {
  HWY_DYNAMIC_DISPATCH(Adadelta)(n, c, w, g, square, steps, clear);
}
void EmaPass(int64_t n, float decay, const float* w, float* average) {
  HWY_DYNAMIC_DISPATCH(Ema)(n, decay, w, average);
}

}  // namespace manygate
#endif  // HWY_ONCE
