// SPDX-License-Identifier: Apache-2.0
// Per-target include (Highway): loads and stores of the first n lanes that touch no memory beyond them. AVX2 and AVX-512
// have masked moves; elsewhere Highway's masked load wants alignment and reads the whole vector, so a small copy is made.
#if defined(MANYGATE_MATH_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MANYGATE_MATH_SIMD_INL_H_
#undef MANYGATE_MATH_SIMD_INL_H_
#else
#define MANYGATE_MATH_SIMD_INL_H_
#endif

#include <cstring>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
#define MANYGATE_MASKED_MOVES 1
#else
#define MANYGATE_MASKED_MOVES 0
#endif

using FloatTag = hn::ScalableTag<float>;
using FloatVector = hn::Vec<FloatTag>;

// The first min(n, lanes) floats at p; the other lanes are 0.
HWY_INLINE FloatVector LoadPart(FloatTag d, const float* p, size_t n) {
#if MANYGATE_MASKED_MOVES
  return hn::MaskedLoad(hn::FirstN(d, n), d, p);
#else
  if (n >= hn::Lanes(d)) return hn::LoadU(d, p);
  HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)] = {};
  std::memcpy(part, p, n * sizeof(float));
  return hn::Load(d, part);
#endif
}

HWY_INLINE void StorePart(FloatVector v, FloatTag d, float* p, size_t n) {
#if MANYGATE_MASKED_MOVES
  hn::BlendedStore(v, hn::FirstN(d, n), d, p);
#else
  if (n >= hn::Lanes(d)) return hn::StoreU(v, d, p);
  HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(v, d, part);
  std::memcpy(p, part, n * sizeof(float));
#endif
}
#undef MANYGATE_MASKED_MOVES

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#endif
