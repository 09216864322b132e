// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/piecewise.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/math/piecewise.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "manygate/math/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {
using D = FloatTag;
using V = FloatVector;

void Table(int64_t num_pieces, int64_t width, const float* weight, float* table, int64_t table_stride) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < width; i += lanes) {
    const size_t n = static_cast<size_t>(width - i);
    V sum = hn::Zero(d);
    for (int64_t k = 0; k < num_pieces; ++k) {
      const V w = LoadPart(d, weight + k * width + i, n);
      StorePart(sum, d, table + k * table_stride + i, n);
      StorePart(w, d, table + k * table_stride + width + i, n);
      sum = hn::Add(sum, w);
    }
  }
}

void Sum(const PiecewiseRows& rows, int64_t width, const float* table, int64_t table_stride, float* out,
         int64_t out_stride) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t r = 0; r < rows.rows; ++r, out += out_stride) {
    const int64_t k = rows.pieces[r * rows.piece_stride];
    const float f = rows.fractions[r * rows.fraction_stride];
    if (k == 0 && f == 0.f) continue;
    const float* row = table + k * table_stride;
    const V fraction = hn::Set(d, f);
    for (int64_t i = 0; i < width; i += lanes) {
      const size_t n = static_cast<size_t>(width - i);
      const V product = hn::MulAdd(fraction, LoadPart(d, row + width + i, n), LoadPart(d, row + i, n));
      StorePart(hn::Add(LoadPart(d, out + i, n), product), d, out + i, n);
    }
  }
}

void Gradient(const PiecewiseRows& rows, int64_t num_pieces, int64_t width, const float* d_out, int64_t d_out_stride,
              float* d_weight, float* totals) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  std::fill_n(d_weight, num_pieces * width, 0.f);
  std::fill_n(totals, num_pieces * width, 0.f);
  for (int64_t r = 0; r < rows.rows; ++r, d_out += d_out_stride) {
    const int64_t k = rows.pieces[r * rows.piece_stride];
    const float f = rows.fractions[r * rows.fraction_stride];
    if (k == 0 && f == 0.f) continue;
    const V fraction = hn::Set(d, f);
    float* own = d_weight + k * width;
    float* total = totals + k * width;
    for (int64_t i = 0; i < width; i += lanes) {
      const size_t n = static_cast<size_t>(width - i);
      const V up = LoadPart(d, d_out + i, n);
      StorePart(hn::MulAdd(fraction, up, LoadPart(d, own + i, n)), d, own + i, n);
      StorePart(hn::Add(LoadPart(d, total + i, n), up), d, total + i, n);
    }
  }
  for (int64_t i = 0; i < width; i += lanes) {
    const size_t n = static_cast<size_t>(width - i);
    V beyond = hn::Zero(d);
    for (int64_t k = num_pieces; k-- > 0;) {
      float* own = d_weight + k * width + i;
      StorePart(hn::Add(LoadPart(d, own, n), beyond), d, own, n);
      beyond = hn::Add(beyond, LoadPart(d, totals + k * width + i, n));
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(Table);
HWY_EXPORT(Sum);
HWY_EXPORT(Gradient);

void FillPiecewiseTable(int64_t num_pieces, int64_t width, const float* weight, float* table, int64_t table_stride) {
  HWY_DYNAMIC_DISPATCH(Table)(num_pieces, width, weight, table, table_stride);
}

void AddPiecewise(const PiecewiseRows& rows, int64_t width, const float* table, int64_t table_stride, float* out,
                  int64_t out_stride) {
  HWY_DYNAMIC_DISPATCH(Sum)(rows, width, table, table_stride, out, out_stride);
}

void PiecewiseGradient(const PiecewiseRows& rows, int64_t num_pieces, int64_t width, const float* d_out,
                       int64_t d_out_stride, float* d_weight, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Gradient)(rows, num_pieces, width, d_out, d_out_stride, d_weight, scratch);
}

}  // namespace manygate
#endif  // HWY_ONCE
