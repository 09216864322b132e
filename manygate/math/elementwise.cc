// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/elementwise.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/math/elementwise.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "hwy/contrib/math/math-inl.h"
#include "manygate/math/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {
using D = FloatTag;
using V = FloatVector;

// e^x for |x| <= 87: 2^n · e^r with |r| <= ln 2 / 2 and the polynomial of the Cephes library's expf. Highway's Exp covers
// the whole range; SiLU forward takes 0.73 ns a number with this one and 1.03 with that (Zen 3, AVX2, 2026).
HWY_INLINE V ExpWithin87(D d, V x) {
  const hn::RebindToSigned<D> di;
  const V n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504f)));
  const V r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x));
  V p = hn::MulAdd(hn::Set(d, 1.9875691500e-4f), r, hn::Set(d, 1.3981999507e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1f));
  p = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.f));
  const auto exponent = hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127));
  return hn::Mul(p, hn::BitCast(d, hn::ShiftLeft<23>(exponent)));
}

// 0 below -87 and 1 above 87. Comparisons keep NaN, which Max and Min do not on every target.
HWY_INLINE V Logistic(D d, V x) {
  const V one = hn::Set(d, 1.f), limit = hn::Set(d, 87.f);
  const auto low = hn::Lt(x, hn::Neg(limit));
  const V inside = hn::IfThenElse(hn::Gt(x, limit), limit, hn::IfThenZeroElse(low, x));
  return hn::IfThenZeroElse(low, hn::Div(one, hn::Add(one, ExpWithin87(d, hn::Neg(inside)))));
}

// f and, from x and y = f(x), f'. Each functor is one activation.
struct Relu {
  static V Value(D d, V x) { return hn::Max(x, hn::Zero(d)); }
  static V Derivative(D d, V, V y) { return hn::IfThenElseZero(hn::Gt(y, hn::Zero(d)), hn::Set(d, 1.f)); }
};
struct LeakyRelu {
  static V Value(D d, V x) { return hn::Max(x, hn::Mul(x, hn::Set(d, 0.01f))); }
  static V Derivative(D d, V, V y) {
    return hn::IfThenElse(hn::Gt(y, hn::Zero(d)), hn::Set(d, 1.f), hn::Set(d, 0.01f));
  }
};
struct Silu {
  static V Value(D d, V x) { return hn::Mul(x, Logistic(d, x)); }
  static V Derivative(D d, V x, V) {
    const V s = Logistic(d, x);
    return hn::Mul(s, hn::MulAdd(x, hn::Sub(hn::Set(d, 1.f), s), hn::Set(d, 1.f)));
  }
};
struct Tanh {
  static V Value(D d, V x) { return hn::Tanh(d, x); }
  static V Derivative(D d, V, V y) { return hn::NegMulAdd(y, y, hn::Set(d, 1.f)); }
};
struct Sigmoid {
  static V Value(D d, V x) { return Logistic(d, x); }
  static V Derivative(D d, V, V y) { return hn::Mul(y, hn::Sub(hn::Set(d, 1.f), y)); }
};

template <class F>
void ForwardRows(int64_t rows, int64_t width, const float* x, int64_t x_stride, float* y, int64_t y_stride) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes) hn::StoreU(F::Value(d, hn::LoadU(d, x + i)), d, y + i);
    if (i < width) StorePart(F::Value(d, LoadPart(d, x + i, width - i)), d, y + i, width - i);
  }
}

template <class F>
void BackwardRows(int64_t rows, int64_t width, const float* x, int64_t x_stride, const float* y, int64_t y_stride,
                  const float* d_y, int64_t d_y_stride, bool accumulate, float* d_x, int64_t d_x_stride) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  if (x == nullptr) x = y, x_stride = y_stride;  // not read: see DerivativeFromOutput
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride, d_y += d_y_stride, d_x += d_x_stride) {
    for (int64_t i = 0; i < width; i += lanes) {
      const size_t n = static_cast<size_t>(width - i);
      const V slope = F::Derivative(d, LoadPart(d, x + i, n), LoadPart(d, y + i, n));
      const V start = accumulate ? LoadPart(d, d_x + i, n) : hn::Zero(d);
      StorePart(hn::MulAdd(LoadPart(d, d_y + i, n), slope, start), d, d_x + i, n);
    }
  }
}

void Forward(Activation activation, int64_t rows, int64_t width, const float* x, int64_t xs, float* y, int64_t ys) {
  switch (activation) {
    case Activation::kRelu: return ForwardRows<Relu>(rows, width, x, xs, y, ys);
    case Activation::kLeakyRelu: return ForwardRows<LeakyRelu>(rows, width, x, xs, y, ys);
    case Activation::kSilu: return ForwardRows<Silu>(rows, width, x, xs, y, ys);
    case Activation::kTanh: return ForwardRows<Tanh>(rows, width, x, xs, y, ys);
    case Activation::kSigmoid: return ForwardRows<Sigmoid>(rows, width, x, xs, y, ys);
    default: return;
  }
}

void Backward(Activation activation, int64_t rows, int64_t width, const float* x, int64_t xs, const float* y,
              int64_t ys, const float* d_y, int64_t dys, bool accumulate, float* d_x, int64_t dxs) {
  switch (activation) {
    case Activation::kRelu: return BackwardRows<Relu>(rows, width, x, xs, y, ys, d_y, dys, accumulate, d_x, dxs);
    case Activation::kLeakyRelu:
      return BackwardRows<LeakyRelu>(rows, width, x, xs, y, ys, d_y, dys, accumulate, d_x, dxs);
    case Activation::kSilu: return BackwardRows<Silu>(rows, width, x, xs, y, ys, d_y, dys, accumulate, d_x, dxs);
    case Activation::kTanh: return BackwardRows<Tanh>(rows, width, x, xs, y, ys, d_y, dys, accumulate, d_x, dxs);
    case Activation::kSigmoid: return BackwardRows<Sigmoid>(rows, width, x, xs, y, ys, d_y, dys, accumulate, d_x, dxs);
    default: return;
  }
}

void CopyOrAddRows(int64_t rows, int64_t width, const float* x, int64_t xs, bool accumulate, float* y, int64_t ys) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t r = 0; r < rows; ++r, x += xs, y += ys) {
    for (int64_t i = 0; i < width; i += lanes) {
      const size_t n = static_cast<size_t>(width - i);
      const V value = LoadPart(d, x + i, n);
      StorePart(accumulate ? hn::Add(LoadPart(d, y + i, n), value) : value, d, y + i, n);
    }
  }
}

void Scale(int64_t n, float factor, float* x) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < n; i += lanes) {
    const size_t part = static_cast<size_t>(n - i);
    StorePart(hn::Mul(LoadPart(d, x + i, part), hn::Set(d, factor)), d, x + i, part);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(Forward);
HWY_EXPORT(Backward);
HWY_EXPORT(CopyOrAddRows);
HWY_EXPORT(Scale);

namespace {
struct Named {
  Activation activation;
  const char* name;
};
constexpr Named kNames[] = {{Activation::kNone, "none"},     {Activation::kRelu, "nn.ReLU"},
                            {Activation::kSilu, "nn.SiLU"},  {Activation::kTanh, "nn.Tanh"},
                            {Activation::kSigmoid, "nn.Sigmoid"}, {Activation::kGelu, "nn.GELU"},
                            {Activation::kLeakyRelu, "nn.LeakyReLU"}};

// Φ(x), the standard normal distribution function. Scalar: Highway 1.0.3 has no error function.
float NormalCdf(float x) { return 0.5f * (1.f + std::erf(x * 0.70710678f)); }
}  // namespace

std::optional<Activation> ParseActivation(std::string_view name) {
  if (name.empty()) return Activation::kNone;
  for (const Named& n : kNames)
    if (name == n.name) return n.activation;
  return std::nullopt;
}

std::string ActivationName(Activation activation) {
  for (const Named& n : kNames)
    if (activation == n.activation) return n.name;
  return "none";
}

bool DerivativeFromOutput(Activation activation) {
  return activation != Activation::kSilu && activation != Activation::kGelu;
}

void ActivationForward(Activation activation, int64_t rows, int64_t width, const float* x, int64_t x_stride, float* y,
                       int64_t y_stride) {
  if (activation == Activation::kNone) {
    if (x != y) CopyOrAdd(rows, width, x, x_stride, false, y, y_stride);
  } else if (activation == Activation::kGelu) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0; i < width; ++i) y[r * y_stride + i] = x[r * x_stride + i] * NormalCdf(x[r * x_stride + i]);
  } else {
    HWY_DYNAMIC_DISPATCH(Forward)(activation, rows, width, x, x_stride, y, y_stride);
  }
}

void ActivationBackward(Activation activation, int64_t rows, int64_t width, const float* x, int64_t x_stride,
                        const float* y, int64_t y_stride, const float* d_y, int64_t d_y_stride, bool accumulate,
                        float* d_x, int64_t d_x_stride) {
  if (activation == Activation::kNone) {
    if (d_x != d_y) CopyOrAdd(rows, width, d_y, d_y_stride, accumulate, d_x, d_x_stride);
  } else if (activation == Activation::kGelu) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < width; ++i) {
        const float v = x[r * x_stride + i];
        const float slope = NormalCdf(v) + v * 0.39894228f * std::exp(-0.5f * v * v);
        float& out = d_x[r * d_x_stride + i];
        out = (accumulate ? out : 0.f) + d_y[r * d_y_stride + i] * slope;
      }
    }
  } else {
    HWY_DYNAMIC_DISPATCH(Backward)
    (activation, rows, width, x, x_stride, y, y_stride, d_y, d_y_stride, accumulate, d_x, d_x_stride);
  }
}

void CopyOrAdd(int64_t rows, int64_t width, const float* x, int64_t x_stride, bool accumulate, float* y,
               int64_t y_stride) {
  HWY_DYNAMIC_DISPATCH(CopyOrAddRows)(rows, width, x, x_stride, accumulate, y, y_stride);
}

void AddTo(int64_t n, const float* x, float* y) { HWY_DYNAMIC_DISPATCH(CopyOrAddRows)(1, n, x, n, true, y, n); }

double SumOfSquares(int64_t n, const float* x) { return Dot(n, x, x); }

double Dot(int64_t n, const float* x, const float* y) {
  double sums[4] = {0, 0, 0, 0};
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (int j = 0; j < 4; ++j) sums[j] += double{x[i + j]} * y[i + j];
  for (; i < n; ++i) sums[0] += double{x[i]} * y[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Runs of 16 to 128 values: too short for a call through the table of instruction sets to pay.
void AddScaled(int64_t n, float factor, const float* __restrict x, float* __restrict y) {
  for (int64_t i = 0; i < n; ++i) y[i] += factor * x[i];
}

void CopyScaled(int64_t n, float factor, const float* __restrict x, float* __restrict y) {
  for (int64_t i = 0; i < n; ++i) y[i] = factor * x[i];
}

void ScaleBy(int64_t n, float factor, float* x) { HWY_DYNAMIC_DISPATCH(Scale)(n, factor, x); }

}  // namespace manygate
#endif  // HWY_ONCE
