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

void ScanSeparatorsImpl(const char* text, size_t words, char a, char b, char c, uint64_t* masks) {
  const hn::CappedTag<uint8_t, 64> d;
  const size_t lanes = hn::Lanes(d);
  const auto first = hn::Set(d, static_cast<uint8_t>(a));
  const auto second = hn::Set(d, static_cast<uint8_t>(b));
  const auto third = hn::Set(d, static_cast<uint8_t>(c));
  const auto* bytes = reinterpret_cast<const uint8_t*>(text);
  for (size_t word = 0; word < words; ++word) {
    alignas(8) uint8_t bits[16] = {};  // StoreMaskBits may write 8 bytes whatever the number of lanes
    if (lanes >= 8) {
      for (size_t i = 0; i < 64; i += lanes) {
        const auto v = hn::LoadU(d, bytes + word * 64 + i);
        const auto hit = hn::Or(hn::Or(hn::Eq(v, first), hn::Eq(v, second)), hn::Eq(v, third));
        hn::StoreMaskBits(d, hit, bits + i / 8);
      }
      __builtin_memcpy(&masks[word], bits, 8);
    } else {  // the scalar target
      uint64_t mask = 0;
      for (size_t i = 0; i < 64; ++i) {
        const char v = text[word * 64 + i];
        mask |= uint64_t{v == a || v == b || v == c} << i;
      }
      masks[word] = mask;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {

HWY_EXPORT(ScanSeparatorsImpl);

void ScanSeparators(const char* text, size_t words, char a, char b, char c, uint64_t* masks) {
  HWY_DYNAMIC_DISPATCH(ScanSeparatorsImpl)(text, words, a, b, c, masks);
}

}  // namespace manygate
#endif  // HWY_ONCE
