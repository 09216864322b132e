// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/gemm.h"

#include <vector>

#include "manygate/math/onednn_gemm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/math/gemm.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "manygate/math/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {
using D = FloatTag;
using V = FloatVector;

enum class Start { kZero, kAccumulate, kBias };

struct Product {
  int64_t m, n, k;
  const float* a;
  int64_t a_row, a_column;  // element (i, p) of the left factor is a[i * a_row + p * a_column]
  const float* b;
  int64_t b_stride;
  const float* bias;
  float* c;
  int64_t c_stride;
  Start start;
};

// A tile of ROWS rows and VECTORS vectors of columns, starting at (i0, j0). With kTail the last vector has `tail` lanes;
// with kPacked B is a packed panel, whose rows are whole vectors.
template <int ROWS, int VECTORS, bool kTail, bool kPacked>
HWY_INLINE void Tile(const Product& p, int64_t i0, int64_t j0, size_t tail) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const auto load = [&](const float* at, int v) HWY_ATTR {
    return kTail && v == VECTORS - 1 ? LoadPart(d, at + v * lanes, tail) : hn::LoadU(d, at + v * lanes);
  };
  V sum[ROWS][VECTORS];
  for (int i = 0; i < ROWS; ++i) {
    for (int v = 0; v < VECTORS; ++v) {
      sum[i][v] = p.start == Start::kZero   ? hn::Zero(d)
                  : p.start == Start::kBias ? load(p.bias + j0, v)
                                            : load(p.c + (i0 + i) * p.c_stride + j0, v);
    }
  }
  const float* a = p.a + i0 * p.a_row;
  const float* b = p.b + j0;
  for (int64_t q = 0; q < p.k; ++q, a += p.a_column, b += p.b_stride) {
    V right[VECTORS];
    for (int v = 0; v < VECTORS; ++v) right[v] = kPacked ? hn::LoadU(d, b + v * lanes) : load(b, v);
    for (int i = 0; i < ROWS; ++i) {
      const V left = hn::Set(d, a[i * p.a_row]);
      for (int v = 0; v < VECTORS; ++v) sum[i][v] = hn::MulAdd(left, right[v], sum[i][v]);
    }
  }
  for (int i = 0; i < ROWS; ++i) {
    float* c = p.c + (i0 + i) * p.c_stride + j0;
    for (int v = 0; v < VECTORS; ++v) {
      if (kTail && v == VECTORS - 1) {
        StorePart(sum[i][v], d, c + v * lanes, tail);
      } else {
        hn::StoreU(sum[i][v], d, c + v * lanes);
      }
    }
  }
}

template <int VECTORS, bool kTail, bool kPacked>
HWY_INLINE void Panel(const Product& p, int64_t j0, size_t tail) {
  int64_t i = 0;
  for (; i + 6 <= p.m; i += 6) Tile<6, VECTORS, kTail, kPacked>(p, i, j0, tail);
  switch (p.m - i) {
    case 5: Tile<5, VECTORS, kTail, kPacked>(p, i, j0, tail); break;
    case 4: Tile<4, VECTORS, kTail, kPacked>(p, i, j0, tail); break;
    case 3: Tile<3, VECTORS, kTail, kPacked>(p, i, j0, tail); break;
    case 2: Tile<2, VECTORS, kTail, kPacked>(p, i, j0, tail); break;
    case 1: Tile<1, VECTORS, kTail, kPacked>(p, i, j0, tail); break;
    default: break;
  }
}

// A wide B has its rows far apart, often in the same cache sets, and the last columns of any B take masked loads: when
// enough rows of A use it, a panel of up to two vectors of columns is copied first to be contiguous and padded by zeros.
// The order of the sums, and so every bit, stays. Two columns, K = 841, 256 rows: 101 us without, 59 us with (Zen 3, 2026).
template <int VECTORS, bool kTail>
void PackedPanel(Product p, int64_t j0, size_t tail) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d)), width = VECTORS * lanes;
  thread_local std::vector<float> panel;
  if (static_cast<int64_t>(panel.size()) < p.k * width) panel.resize(p.k * width);
  const float* from = p.b + j0;
  for (int64_t q = 0; q < p.k; ++q, from += p.b_stride) {
    for (int v = 0; v < VECTORS; ++v) {
      const bool last = kTail && v == VECTORS - 1;
      const V part = last ? LoadPart(d, from + v * lanes, tail) : hn::LoadU(d, from + v * lanes);
      hn::StoreU(part, d, panel.data() + q * width + v * lanes);
    }
  }
  p.b = panel.data();
  p.b_stride = width;
  p.c += j0;
  if (p.bias != nullptr) p.bias += j0;
  Panel<VECTORS, kTail, true>(p, 0, tail);
}

void NativeProduct(const Product& p) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const bool pack = p.m >= 24 && p.k >= 32;
  const bool pack_whole = pack && p.b_stride > 2 * lanes;
  int64_t j = 0;
  for (; j + 2 * lanes <= p.n; j += 2 * lanes) {
    if (pack_whole) {
      PackedPanel<2, false>(p, j, 0);
    } else {
      Panel<2, false, false>(p, j, 0);
    }
  }
  const int64_t left = p.n - j;
  if (left > lanes) {
    const size_t tail = static_cast<size_t>(left - lanes);
    pack ? PackedPanel<2, true>(p, j, tail) : Panel<2, true, false>(p, j, tail);
  } else if (left == lanes) {
    pack_whole ? PackedPanel<1, false>(p, j, 0) : Panel<1, false, false>(p, j, 0);
  } else if (left > 0) {
    const size_t tail = static_cast<size_t>(left);
    pack ? PackedPanel<1, true>(p, j, tail) : Panel<1, true, false>(p, j, tail);
  }
}

void NativeNN(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_stride, const float* b, int64_t b_stride,
              const float* bias, bool accumulate, float* c, int64_t c_stride) {
  NativeProduct({m, n, k, a, a_stride, 1, b, b_stride, bias, c, c_stride,
                 accumulate ? Start::kAccumulate : bias != nullptr ? Start::kBias : Start::kZero});
}

void NativeTN(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_stride, const float* b, int64_t b_stride,
              float* c, int64_t c_stride) {
  NativeProduct({k, n, m, a, 1, a_stride, b, b_stride, nullptr, c, c_stride, Start::kZero});
}

void Sums(int64_t m, int64_t n, const float* a, int64_t a_stride, float* sums) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t j = 0; j < n; j += lanes) {
    const size_t part = static_cast<size_t>(n - j);
    V sum = hn::Zero(d);
    for (int64_t i = 0; i < m; ++i) sum = hn::Add(sum, LoadPart(d, a + i * a_stride + j, part));
    StorePart(sum, d, sums + j, part);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(NativeNN);
HWY_EXPORT(NativeTN);
HWY_EXPORT(Sums);

namespace {
// Below this the call and the tails cost oneDNN more than its better tiling wins.
bool UseOneDnn(int64_t n, int64_t k) { return n >= 64 && k >= 64; }
}  // namespace

const char* BackwardBackend(int64_t n, int64_t k) { return UseOneDnn(n, k) ? "onednn" : "native"; }

void MultiplyNN(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                const float* bias, float* c, int64_t c_stride) {
  if (m == 0 || n == 0) return;
  HWY_DYNAMIC_DISPATCH(NativeNN)(m, n, k, a, a_stride, b, b_stride, bias, false, c, c_stride);
}

void MultiplyTN(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                float* c, int64_t c_stride) {
  if (k == 0 || n == 0) return;
  if (UseOneDnn(n, k) && m > 0) {
    OneDnnProduct({k, n, m, a, a_stride, true, b, b_stride, false, false, c, c_stride});
    return;
  }
  HWY_DYNAMIC_DISPATCH(NativeTN)(m, n, k, a, a_stride, b, b_stride, c, c_stride);
}

void MultiplyNT(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                bool accumulate, float* c, int64_t c_stride, float* scratch) {
  if (m == 0 || k == 0) return;
  if (UseOneDnn(n, k)) {
    OneDnnProduct({m, k, n, a, a_stride, false, b, b_stride, true, accumulate, c, c_stride});
    return;
  }
  for (int64_t i = 0; i < k; ++i)
    for (int64_t j = 0; j < n; ++j) scratch[j * k + i] = b[i * b_stride + j];
  HWY_DYNAMIC_DISPATCH(NativeNN)(m, k, n, a, a_stride, scratch, k, nullptr, accumulate, c, c_stride);
}

void ColumnSums(int64_t m, int64_t n, const float* a, int64_t a_stride, float* sums) {
  HWY_DYNAMIC_DISPATCH(Sums)(m, n, a, a_stride, sums);
}

}  // namespace manygate
#endif  // HWY_ONCE
