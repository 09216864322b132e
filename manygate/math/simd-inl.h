// SPDX-License-Identifier: Apache-2.0
// Per-target include (Highway): loads and stores of the first n lanes that touch no memory beyond them. Whole vectors take
// the plain moves. For the rest, AVX2 and AVX-512 have masked loads and AVX-512 masked stores; elsewhere a small copy is
// made: Highway's masked load wants alignment on SSE, and AVX2's masked store takes tens of cycles on AMD processors
// (measured on Zen 3: the whole training step at batch 4096 took 5 times as long with it).
#if defined(MANYGATE_MATH_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MANYGATE_MATH_SIMD_INL_H_
#undef MANYGATE_MATH_SIMD_INL_H_
#else
#define MANYGATE_MATH_SIMD_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#define MANYGATE_AVX512 (HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL)
#define MANYGATE_MASKED_LOAD (HWY_TARGET == HWY_AVX2 || MANYGATE_AVX512)

using FloatTag = hn::ScalableTag<float>;
using FloatVector = hn::Vec<FloatTag>;

// The first min(n, lanes) floats at p; the other lanes are 0.
HWY_INLINE FloatVector LoadPart(FloatTag d, const float* p, size_t n) {
  if (HWY_LIKELY(n >= hn::Lanes(d))) return hn::LoadU(d, p);
#if MANYGATE_MASKED_LOAD
  return hn::MaskedLoad(hn::FirstN(d, n), d, p);
#else
  HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)] = {};
  for (size_t i = 0; i < n; ++i) part[i] = p[i];
  return hn::Load(d, part);
#endif
}

HWY_INLINE void StorePart(FloatVector v, FloatTag d, float* p, size_t n) {
  if (HWY_LIKELY(n >= hn::Lanes(d))) return hn::StoreU(v, d, p);
#if MANYGATE_AVX512
  hn::BlendedStore(v, hn::FirstN(d, n), d, p);
#else
  HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(v, d, part);
  for (size_t i = 0; i < n; ++i) p[i] = part[i];
#endif
}
#undef MANYGATE_MASKED_LOAD
#undef MANYGATE_AVX512

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#endif
