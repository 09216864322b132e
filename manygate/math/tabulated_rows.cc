// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/tabulated_rows.h"

#include <algorithm>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/math/tabulated_rows.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "manygate/math/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {
using D = FloatTag;
using V = FloatVector;

// Rows of the derived table, scattered: row i starts at table + rows[i] * record. e: their embeddings, packed [n, d].
struct Rows {
  const int32_t* rows;
  int64_t n;
  float* table;
  int64_t record;
  const float* e;
  int64_t d;
  float* at(int64_t i) const { return table + rows[i] * record; }
};

// products[i] = e[i]·w for kRows rows, two vectors of columns at a time; w (d rows of N floats) stays in the first-level
// cache over all rows, and a row is written from front to back. Rows of the table are padded to whole vectors.
template <int kRows>
HWY_INLINE void Multiply(const Rows& p, int64_t i0, const float* w, int64_t width) {
  const D tag;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(tag));
  for (int64_t j = 0; j < width; j += 2 * lanes) {
    const bool two = j + lanes < width;
    const size_t left = static_cast<size_t>(width - j);
    V low[kRows], high[kRows];
    for (int r = 0; r < kRows; ++r) low[r] = hn::Zero(tag), high[r] = hn::Zero(tag);
    for (int64_t k = 0; k < p.d; ++k) {
      const V w_low = LoadPart(tag, w + k * width + j, left);
      const V w_high = two ? LoadPart(tag, w + k * width + j + lanes, left - lanes) : hn::Zero(tag);
      for (int r = 0; r < kRows; ++r) {
        const V e = hn::Set(tag, p.e[(i0 + r) * p.d + k]);
        low[r] = hn::MulAdd(e, w_low, low[r]);
        high[r] = hn::MulAdd(e, w_high, high[r]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      hn::Store(low[r], tag, p.at(i0 + r) + j);
      if (two) hn::Store(high[r], tag, p.at(i0 + r) + j + lanes);
    }
  }
}

void MultiplyRows(const int32_t* rows, int64_t n, const float* e, int64_t d, const float* w, int64_t width,
                  float* table, int64_t record) {
  const Rows p{rows, n, table, record, e, d};
  int64_t i = 0;
  for (; i + 4 <= p.n; i += 4) Multiply<4>(p, i, w, width);
  for (; i < p.n; ++i) Multiply<1>(p, i, w, width);
}

// d_e[i, k0 .. k0 + kK) = products' gradient[i]·w[k]ᵀ for kRows rows.
template <int kRows, int kK>
HWY_INLINE void Dot(const Rows& p, int64_t i0, int64_t k0, const float* w, int64_t width, float* d_e) {
  const D tag;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(tag));
  V sum[kRows][kK];
  for (int r = 0; r < kRows; ++r)
    for (int k = 0; k < kK; ++k) sum[r][k] = hn::Zero(tag);
  const float* g[kRows];
  for (int r = 0; r < kRows; ++r) g[r] = p.at(i0 + r);
  for (int64_t j = 0; j < width; j += lanes) {
    V up[kRows];
    for (int r = 0; r < kRows; ++r) up[r] = hn::Load(tag, g[r] + j);  // the padding is 0
    for (int k = 0; k < kK; ++k) {
      const V right = LoadPart(tag, w + (k0 + k) * width + j, static_cast<size_t>(width - j));
      for (int r = 0; r < kRows; ++r) sum[r][k] = hn::MulAdd(up[r], right, sum[r][k]);
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int k = 0; k < kK; ++k) d_e[(i0 + r) * p.d + k0 + k] = hn::GetLane(hn::SumOfLanes(tag, sum[r][k]));
}

template <int kRows>
HWY_INLINE void DotRows(const Rows& p, int64_t i0, const float* w, int64_t width, float* d_e) {
  int64_t k = 0;
  for (; k + 4 <= p.d; k += 4) Dot<kRows, 4>(p, i0, k, w, width, d_e);
  for (; k < p.d; ++k) Dot<kRows, 1>(p, i0, k, w, width, d_e);
}

void MultiplyByTransposed(const int32_t* rows, int64_t n, float* gradients, int64_t record, int64_t d, const float* w,
                          int64_t width, float* d_e) {
  const Rows p{rows, n, gradients, record, nullptr, d};
  int64_t i = 0;
  for (; i + 2 <= p.n; i += 2) DotRows<2>(p, i, w, width, d_e);
  for (; i < p.n; ++i) DotRows<1>(p, i, w, width, d_e);
}

// d_w[k0 .. k0 + kK, columns j ..] = Σ_i e[i, k]·gradient[i, j ..]
template <int kK>
HWY_INLINE void Outer(const Rows& p, int64_t k0, int64_t width, float* d_w) {
  const D tag;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(tag));
  for (int64_t j = 0; j < width; j += 2 * lanes) {
    const bool two = j + lanes < width;
    V low[kK], high[kK];
    for (int k = 0; k < kK; ++k) low[k] = hn::Zero(tag), high[k] = hn::Zero(tag);
    for (int64_t i = 0; i < p.n; ++i) {
      const float* g = p.at(i) + j;
      const V g_low = hn::Load(tag, g), g_high = two ? hn::Load(tag, g + lanes) : hn::Zero(tag);
      for (int k = 0; k < kK; ++k) {
        const V e = hn::Set(tag, p.e[i * p.d + k0 + k]);
        low[k] = hn::MulAdd(e, g_low, low[k]);
        high[k] = hn::MulAdd(e, g_high, high[k]);
      }
    }
    for (int k = 0; k < kK; ++k) {
      float* out = d_w + (k0 + k) * width + j;
      StorePart(low[k], tag, out, static_cast<size_t>(width - j));
      if (two) StorePart(high[k], tag, out + lanes, static_cast<size_t>(width - j - lanes));
    }
  }
}

void OuterProducts(const int32_t* rows, int64_t n, const float* e, int64_t d, float* gradients, int64_t record,
                   int64_t width, float* d_w) {
  const Rows p{rows, n, gradients, record, e, d};
  int64_t k = 0;
  for (; k + 4 <= p.d; k += 4) Outer<4>(p, k, width, d_w);
  for (; k < p.d; ++k) Outer<1>(p, k, width, d_w);
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(MultiplyRows);
HWY_EXPORT(MultiplyByTransposed);
HWY_EXPORT(OuterProducts);

namespace {

// Kept from call to call: no allocation in a step.
struct Scratch {
  std::vector<float> e, d_e;
};
Scratch& ThreadScratch() {
  thread_local Scratch scratch;
  return scratch;
}

}  // namespace

void TabulateRows(const RowTable& embeddings, const LookupColumn& column, const float* w, std::span<const int32_t> rows,
                  RowTable& products) {
  const int64_t d = embeddings.width(), n = static_cast<int64_t>(rows.size());
  std::vector<float>& e = ThreadScratch().e;
  if (static_cast<int64_t>(e.size()) < n * d) e.resize(n * d);
  const float* base = column.default_id < 0 ? nullptr : embeddings.weights(column.default_id);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t v = rows[i] - column.row0;
    const float* from = embeddings.weights(v);
    float* to = e.data() + i * d;
    if (base == nullptr || v == column.default_id) {
      std::copy_n(from, d, to);
    } else {
      for (int64_t k = 0; k < d; ++k) to[k] = from[k] - base[k];
    }
    if (products.num_states() >= 0) std::fill_n(products.gradient(rows[i]), products.padded_width(), 0.f);
  }
  HWY_DYNAMIC_DISPATCH(MultiplyRows)
  (rows.data(), n, e.data(), d, w, products.width(), products.weights(0), products.record_size());
}

void TabulateRowsBackward(RowTable& embeddings, const LookupColumn& column, const float* w,
                          std::span<const int32_t> rows, RowTable& products, float* d_w) {
  const int64_t d = embeddings.width(), n = static_cast<int64_t>(rows.size());
  auto& [e, d_e] = ThreadScratch();
  if (static_cast<int64_t>(e.size()) < n * d) e.resize(n * d);
  if (static_cast<int64_t>(d_e.size()) < n * d) d_e.resize(n * d);
  for (int64_t i = 0; i < n; ++i) std::copy_n(embeddings.weights(rows[i] - column.row0), d, e.data() + i * d);
  float* gradients = products.gradient(0);
  const int64_t record = products.record_size(), width = products.width();
  HWY_DYNAMIC_DISPATCH(MultiplyByTransposed)(rows.data(), n, gradients, record, d, w, width, d_e.data());
  HWY_DYNAMIC_DISPATCH(OuterProducts)(rows.data(), n, e.data(), d, gradients, record, width, d_w);
  for (int64_t i = 0; i < n; ++i) {
    float* gradient = embeddings.gradient(rows[i] - column.row0);
    for (int64_t k = 0; k < d; ++k) gradient[k] += d_e[i * d + k];
  }
}

}  // namespace manygate
#endif  // HWY_ONCE
