// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/gate.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/math/gate.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "hwy/contrib/math/math-inl.h"
#include "manygate/math/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {
using D = FloatTag;
using V = FloatVector;

HWY_INLINE float Total(D d, V v) { return hn::GetLane(hn::SumOfLanes(d, v)); }

void Softmax(int64_t rows, int64_t width, const float* x, int64_t xs, float* y, int64_t ys) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t r = 0; r < rows; ++r, x += xs, y += ys) {
    V top = hn::Set(d, x[0]);
    for (int64_t i = 0; i < width; i += lanes) {
      const auto inside = hn::FirstN(d, static_cast<size_t>(width - i));
      top = hn::Max(top, hn::IfThenElse(inside, LoadPart(d, x + i, width - i), top));
    }
    top = hn::MaxOfLanes(d, top);
    V sum = hn::Zero(d);
    for (int64_t i = 0; i < width; i += lanes) {
      const size_t n = static_cast<size_t>(width - i);
      const V e = hn::IfThenElseZero(hn::FirstN(d, n), hn::Exp(d, hn::Sub(LoadPart(d, x + i, n), top)));
      sum = hn::Add(sum, e);
      StorePart(e, d, y + i, n);
    }
    const V factor = hn::Div(hn::Set(d, 1.f), hn::SumOfLanes(d, sum));
    for (int64_t i = 0; i < width; i += lanes) {
      const size_t n = static_cast<size_t>(width - i);
      StorePart(hn::Mul(LoadPart(d, y + i, n), factor), d, y + i, n);
    }
  }
}

void SoftmaxGradient(int64_t rows, int64_t width, const float* y, int64_t ys, const float* d_y, int64_t dys,
                     bool accumulate, float* d_x, int64_t dxs) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t r = 0; r < rows; ++r, y += ys, d_y += dys, d_x += dxs) {
    V sum = hn::Zero(d);
    for (int64_t i = 0; i < width; i += lanes)
      sum = hn::MulAdd(LoadPart(d, y + i, width - i), LoadPart(d, d_y + i, width - i), sum);
    const V total = hn::SumOfLanes(d, sum);
    for (int64_t i = 0; i < width; i += lanes) {
      const size_t n = static_cast<size_t>(width - i);
      const V start = accumulate ? LoadPart(d, d_x + i, n) : hn::Zero(d);
      StorePart(hn::MulAdd(LoadPart(d, y + i, n), hn::Sub(LoadPart(d, d_y + i, n), total), start), d, d_x + i, n);
    }
  }
}

void Mix(int64_t rows, int64_t num_experts, int64_t width, const float* experts, int64_t es, const float* gates,
         int64_t gs, float* out, int64_t os) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t r = 0; r < rows; ++r, experts += es, gates += gs, out += os) {
    int64_t h = 0;
    for (; h + 2 * lanes <= width; h += 2 * lanes) {
      V low = hn::Zero(d), high = hn::Zero(d);
      for (int64_t e = 0; e < num_experts; ++e) {
        const V gate = hn::Set(d, gates[e]);
        low = hn::MulAdd(gate, hn::LoadU(d, experts + e * width + h), low);
        high = hn::MulAdd(gate, hn::LoadU(d, experts + e * width + h + lanes), high);
      }
      hn::StoreU(low, d, out + h);
      hn::StoreU(high, d, out + h + lanes);
    }
    for (; h < width; h += lanes) {
      const size_t n = static_cast<size_t>(width - h);
      V sum = hn::Zero(d);
      for (int64_t e = 0; e < num_experts; ++e)
        sum = hn::MulAdd(hn::Set(d, gates[e]), LoadPart(d, experts + e * width + h, n), sum);
      StorePart(sum, d, out + h, n);
    }
  }
}

// One row; whole vectors only, so that the inner loop has no branch but its own.
template <bool kAccumulate>
HWY_INLINE void MixGradientWhole(int64_t num_experts, int64_t width, const float* experts, const float* gates,
                                 const float* d_out, float* d_experts, bool accumulate_gates, float* d_gates) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t e = 0; e < num_experts; ++e, experts += width, d_experts += width) {
    const V gate = hn::Set(d, gates[e]);
    V dot = hn::Zero(d);
    for (int64_t h = 0; h < width; h += lanes) {
      const V up = hn::LoadU(d, d_out + h);
      dot = hn::MulAdd(up, hn::LoadU(d, experts + h), dot);
      hn::StoreU(kAccumulate ? hn::MulAdd(gate, up, hn::LoadU(d, d_experts + h)) : hn::Mul(gate, up), d, d_experts + h);
    }
    d_gates[e] = (accumulate_gates ? d_gates[e] : 0.f) + Total(d, dot);
  }
}

void MixGradient(int64_t rows, int64_t num_experts, int64_t width, const float* experts, int64_t es,
                 const float* gates, int64_t gs, const float* d_out, int64_t dos, bool accumulate_experts,
                 float* d_experts, int64_t des, bool accumulate_gates, float* d_gates, int64_t dgs) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const bool whole = width % lanes == 0;
  for (int64_t r = 0; r < rows; ++r, experts += es, gates += gs, d_out += dos, d_experts += des, d_gates += dgs) {
    if (whole && accumulate_experts) {
      MixGradientWhole<true>(num_experts, width, experts, gates, d_out, d_experts, accumulate_gates, d_gates);
      continue;
    }
    if (whole) {
      MixGradientWhole<false>(num_experts, width, experts, gates, d_out, d_experts, accumulate_gates, d_gates);
      continue;
    }
    for (int64_t e = 0; e < num_experts; ++e) {
      const V gate = hn::Set(d, gates[e]);
      V dot = hn::Zero(d);
      for (int64_t h = 0; h < width; h += lanes) {
        const size_t n = static_cast<size_t>(width - h);
        const V up = LoadPart(d, d_out + h, n);
        float* at = d_experts + e * width + h;
        dot = hn::MulAdd(up, LoadPart(d, experts + e * width + h, n), dot);
        StorePart(accumulate_experts ? hn::MulAdd(gate, up, LoadPart(d, at, n)) : hn::Mul(gate, up), d, at, n);
      }
      d_gates[e] = (accumulate_gates ? d_gates[e] : 0.f) + Total(d, dot);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(Softmax);
HWY_EXPORT(SoftmaxGradient);
HWY_EXPORT(Mix);
HWY_EXPORT(MixGradient);

void SoftmaxForward(int64_t rows, int64_t width, const float* x, int64_t x_stride, float* y, int64_t y_stride) {
  HWY_DYNAMIC_DISPATCH(Softmax)(rows, width, x, x_stride, y, y_stride);
}

void SoftmaxBackward(int64_t rows, int64_t width, const float* y, int64_t y_stride, const float* d_y,
                     int64_t d_y_stride, bool accumulate, float* d_x, int64_t d_x_stride) {
  HWY_DYNAMIC_DISPATCH(SoftmaxGradient)(rows, width, y, y_stride, d_y, d_y_stride, accumulate, d_x, d_x_stride);
}

void MixForward(int64_t rows, int64_t num_experts, int64_t width, const float* experts, int64_t experts_stride,
                const float* gates, int64_t gates_stride, float* out, int64_t out_stride) {
  HWY_DYNAMIC_DISPATCH(Mix)
  (rows, num_experts, width, experts, experts_stride, gates, gates_stride, out, out_stride);
}

void MixBackward(int64_t rows, int64_t num_experts, int64_t width, const float* experts, int64_t experts_stride,
                 const float* gates, int64_t gates_stride, const float* d_out, int64_t d_out_stride,
                 bool accumulate_experts, float* d_experts, int64_t d_experts_stride, bool accumulate_gates,
                 float* d_gates, int64_t d_gates_stride) {
  HWY_DYNAMIC_DISPATCH(MixGradient)
  (rows, num_experts, width, experts, experts_stride, gates, gates_stride, d_out, d_out_stride, accumulate_experts,
   d_experts, d_experts_stride, accumulate_gates, d_gates, d_gates_stride);
}

}  // namespace manygate
#endif  // HWY_ONCE
