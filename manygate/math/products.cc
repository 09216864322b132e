// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/products.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/math/products.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "manygate/math/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {
using D = FloatTag;
using V = FloatVector;

void Multiply(int64_t rows, int64_t width, const float* a, int64_t as, const float* b, int64_t bs, bool accumulate,
              float* y, int64_t ys) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t r = 0; r < rows; ++r, a += as, b += bs, y += ys) {
    for (int64_t i = 0; i < width; i += lanes) {
      const size_t n = static_cast<size_t>(width - i);
      const V start = accumulate ? LoadPart(d, y + i, n) : hn::Zero(d);
      StorePart(hn::MulAdd(LoadPart(d, a + i, n), LoadPart(d, b + i, n), start), d, y + i, n);
    }
  }
}

void Scale(int64_t rows, int64_t width, float factor, const float* x, int64_t xs, bool accumulate, float* y,
           int64_t ys) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const V by = hn::Set(d, factor);
  for (int64_t r = 0; r < rows; ++r, x += xs, y += ys) {
    for (int64_t i = 0; i < width; i += lanes) {
      const size_t n = static_cast<size_t>(width - i);
      const V start = accumulate ? LoadPart(d, y + i, n) : hn::Zero(d);
      StorePart(hn::MulAdd(by, LoadPart(d, x + i, n), start), d, y + i, n);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(Multiply);
HWY_EXPORT(Scale);

void MultiplyValues(int64_t rows, int64_t width, const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                    bool accumulate, float* y, int64_t y_stride) {
  HWY_DYNAMIC_DISPATCH(Multiply)(rows, width, a, a_stride, b, b_stride, accumulate, y, y_stride);
}

void ScaleValues(int64_t rows, int64_t width, float factor, const float* x, int64_t x_stride, bool accumulate, float* y,
                 int64_t y_stride) {
  HWY_DYNAMIC_DISPATCH(Scale)(rows, width, factor, x, x_stride, accumulate, y, y_stride);
}

}  // namespace manygate
#endif  // HWY_ONCE
