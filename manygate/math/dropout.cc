// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/dropout.h"

#include <algorithm>
#include <cmath>

#include "manygate/base/random.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/math/dropout.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Columns go in blocks of 16: hash j of a block decides columns j (low half) and j + 8 (high half), j = 0 .. 7, however
// many lanes there are.
using D = hn::CappedTag<float, 8>;
using DU = hn::RebindToUnsigned<D>;
using DI = hn::RebindToSigned<D>;
constexpr int64_t kBlock = 16;

// 32 bits from a counter and the two halves of a key: two rounds of a multiply-xorshift mixer.
HWY_INLINE hn::Vec<DU> Hash(hn::Vec<DU> counter, uint32_t key0, uint32_t key1) {
  const DU du;
  auto h = hn::Add(counter, hn::Set(du, key0));
  h = hn::Xor(h, hn::ShiftRight<16>(h));
  h = hn::Mul(h, hn::Set(du, 0x21F0AAADu));
  h = hn::Xor(hn::Xor(h, hn::ShiftRight<15>(h)), hn::Set(du, key1));
  h = hn::Mul(h, hn::Set(du, 0xD35A2D97u));
  return hn::Xor(h, hn::ShiftRight<15>(h));
}

struct Row {
  uint32_t key0, key1;
  int32_t limit;  // of 2^16
  float scale;
};

// Highway 1.0.3 writes Iota(first) lane by lane to memory and reads it back as one vector, which stalls; a constant first
// is folded.
HWY_INLINE hn::Vec<DU> Counter(uint32_t first) {
  const DU du;
  return hn::Add(hn::Iota(du, 0), hn::Set(du, first));
}

// 16 numbers of a row, block `block`.
template <bool kAccumulate>
HWY_INLINE void Block(const Row& row, uint32_t block, const float* x, float* y) {
  const D d;
  const DU du;
  const DI di;
  const size_t lanes = hn::Lanes(d);
  const auto last_dropped = hn::Set(di, row.limit - 1);
  const auto scale = hn::Set(d, row.scale);
  const auto apply = [&](hn::Vec<DU> bits, size_t at) HWY_ATTR {
    const auto kept = hn::RebindMask(d, hn::Gt(hn::BitCast(di, bits), last_dropped));
    const auto value = hn::IfThenElseZero(kept, hn::Mul(hn::LoadU(d, x + at), scale));
    hn::StoreU(kAccumulate ? hn::Add(hn::LoadU(d, y + at), value) : value, d, y + at);
  };
  for (size_t j = 0; j < 8; j += lanes) {
    const auto bits = Hash(Counter(8 * block + static_cast<uint32_t>(j)), row.key0, row.key1);
    apply(hn::And(bits, hn::Set(du, 0xFFFFu)), j);
    apply(hn::ShiftRight<16>(bits), j + 8);
  }
}

template <bool kAccumulate>
void Rows(const DropoutKey& key, int32_t limit, float scale, int64_t rows, int64_t width, const float* x, int64_t xs,
          float* y, int64_t ys) {
  const Philox random(key.seed, key.step);
  for (int64_t r = 0; r < rows; ++r, x += xs, y += ys) {
    const auto draws = random.Block(static_cast<uint64_t>(key.first_row + r));
    const Row row{draws[0], draws[1], limit, scale};
    int64_t i = 0;
    for (; i + kBlock <= width; i += kBlock) Block<kAccumulate>(row, static_cast<uint32_t>(i / kBlock), x + i, y + i);
    if (i == width) continue;
    float from[kBlock] = {}, to[kBlock] = {};
    std::copy_n(x + i, width - i, from);
    if (kAccumulate) std::copy_n(y + i, width - i, to);
    Block<kAccumulate>(row, static_cast<uint32_t>(i / kBlock), from, to);
    std::copy_n(to, width - i, y + i);
  }
}

void Dropout(const DropoutKey& key, int32_t limit, float scale, int64_t rows, int64_t width, const float* x, int64_t xs,
             bool accumulate, float* y, int64_t ys) {
  if (accumulate) {
    Rows<true>(key, limit, scale, rows, width, x, xs, y, ys);
  } else {
    Rows<false>(key, limit, scale, rows, width, x, xs, y, ys);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(Dropout);

void DropoutRows(const DropoutKey& key, float ratio, int64_t rows, int64_t width, const float* x, int64_t x_stride,
                 bool accumulate, float* y, int64_t y_stride) {
  const int32_t limit = static_cast<int32_t>(std::lround(ratio * 65536.f));
  HWY_DYNAMIC_DISPATCH(Dropout)(key, limit, 1.f / (1.f - ratio), rows, width, x, x_stride, accumulate, y, y_stride);
}

}  // namespace manygate
#endif  // HWY_ONCE
