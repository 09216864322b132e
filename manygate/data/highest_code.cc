// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/highest_code.h"

#include <algorithm>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/data/highest_code.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes first: it includes this file once per instruction set.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <typename Code>
uint32_t Highest(const Code* codes, size_t rows) {
  const hn::CappedTag<Code, 64 / sizeof(Code)> d;
  const size_t lanes = hn::Lanes(d);
  auto a = hn::Zero(d), b = hn::Zero(d);  // two, because each maximum waits for the one before
  size_t row = 0;
  for (; row + 2 * lanes <= rows; row += 2 * lanes) {
    a = hn::Max(a, hn::LoadU(d, codes + row));
    b = hn::Max(b, hn::LoadU(d, codes + row + lanes));
  }
  HWY_ALIGN Code maxima[64 / sizeof(Code)];
  hn::Store(hn::Max(a, b), d, maxima);
  Code highest = *std::max_element(maxima, maxima + lanes);
  for (; row < rows; ++row) highest = std::max(highest, codes[row]);
  return highest;
}

uint32_t HighestCodeImpl(const void* codes, int code_bytes, int64_t rows) {
  const auto count = static_cast<size_t>(rows);
  switch (code_bytes) {
    case 1: return Highest(static_cast<const uint8_t*>(codes), count);
    case 2: return Highest(static_cast<const uint16_t*>(codes), count);
    default: return Highest(static_cast<const uint32_t*>(codes), count);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {

HWY_EXPORT(HighestCodeImpl);

uint32_t HighestCode(const void* codes, int code_bytes, int64_t rows) {
  return HWY_DYNAMIC_DISPATCH(HighestCodeImpl)(codes, code_bytes, rows);
}

}  // namespace manygate
#endif  // HWY_ONCE
