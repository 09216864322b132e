// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/separator_scan.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/data/separator_scan.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes first: it includes this file once per instruction set.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Bit i: byte i of the 64 is one of the three. The lowest byte of each lane so far is kept in *lowest.
template <class D, class V>
HWY_INLINE uint64_t SeparatorMask(D d, const uint8_t* bytes, V a, V b, V c, V* lowest) {
  alignas(8) uint8_t bits[16] = {};  // StoreMaskBits may write 8 bytes whatever the number of lanes
  for (size_t i = 0; i < 64; i += hn::Lanes(d)) {
    const V v = hn::LoadU(d, bytes + i);
    *lowest = hn::Min(*lowest, v);
    hn::StoreMaskBits(d, hn::Or(hn::Or(hn::Eq(v, a), hn::Eq(v, b)), hn::Eq(v, c)), bits + i / 8);
  }
  uint64_t mask;
  __builtin_memcpy(&mask, bits, sizeof(mask));
  return mask;
}

size_t FindSeparatorsImpl(const ScanWindow& window, char a, char b, char c, uint32_t* positions, bool* has_nul) {
  const hn::CappedTag<uint8_t, 64> d;
  [[maybe_unused]] const auto first = hn::Set(d, static_cast<uint8_t>(a));
  [[maybe_unused]] const auto second = hn::Set(d, static_cast<uint8_t>(b));
  [[maybe_unused]] const auto third = hn::Set(d, static_cast<uint8_t>(c));
  auto lowest = hn::Set(d, uint8_t{255});
  size_t count = 0;
  for (size_t begin = 0; begin < window.size; begin += 64) {
    uint64_t mask = 0;
#if HWY_TARGET == HWY_SCALAR
    for (size_t i = 0; i < 64; ++i) {
      const char v = window.text[begin + i];
      *has_nul |= v == '\0';
      mask |= uint64_t{v == a || v == b || v == c} << i;
    }
#else
    mask = SeparatorMask(d, reinterpret_cast<const uint8_t*>(window.text) + begin, first, second, third, &lowest);
#endif
    if (window.size - begin < 64) mask &= ~uint64_t{0} >> (64 - (window.size - begin));
    const auto found = static_cast<size_t>(__builtin_popcountll(mask));
    const auto base = window.first + static_cast<uint32_t>(begin);
    for (size_t done = 0; done < found; done += 8) {
      uint32_t* out = positions + count + done;
      for (int i = 0; i < 8; ++i) {
        // The highest bit is only there because the builtin is undefined for 0.
        out[i] = base + static_cast<uint32_t>(__builtin_ctzll(mask | (uint64_t{1} << 63)));
        mask &= mask - 1;
      }
    }
    count += found;
  }
  *has_nul |= !hn::AllFalse(d, hn::Eq(lowest, hn::Zero(d)));
  return count;
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {

HWY_EXPORT(FindSeparatorsImpl);

size_t FindSeparators(const ScanWindow& window, char a, char b, char c, uint32_t* positions, bool* has_nul) {
  return HWY_DYNAMIC_DISPATCH(FindSeparatorsImpl)(window, a, b, c, positions, has_nul);
}

}  // namespace manygate
#endif  // HWY_ONCE
