// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/cross_entropy.h"

#include <algorithm>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/math/cross_entropy.cc"
#include "hwy/foreach_target.h"  // compiles this file once per instruction set
#include "hwy/highway.h"
// After highway.h.
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Rows go through aligned buffers of this many floats, so that the last few take the same path as all others.
constexpr int64_t kBlockRows = 64;
using Floats = hn::CappedTag<float, kBlockRows>;

// e = exp(-|z|) never overflows; p = 1 / (1 + e) for z >= 0 and e / (1 + e) below keeps its digits on both sides.
template <class V>
HWY_INLINE V SigmoidFromExp(V z, V e) {
  const Floats d;
  const V one = hn::Set(d, 1.0f);
  const V upper = hn::Div(one, hn::Add(one, e));
  const V p = hn::IfThenElse(hn::Ge(z, hn::Zero(d)), upper, hn::Mul(e, upper));
  return hn::IfThenElse(hn::IsNaN(z), z, p);  // hn::Exp turns NaN into a number, which would hide a diverged model
}

void SigmoidRows(const float* logits, int64_t rows, float* probabilities) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto probability = [](auto z) HWY_ATTR {
    const Floats d;
    return SigmoidFromExp(z, hn::Exp(d, hn::Neg(hn::Abs(z))));
  };
  int64_t i = 0;
  for (; i + lanes <= rows; i += lanes) hn::StoreU(probability(hn::LoadU(d, logits + i)), d, probabilities + i);
  if (i == rows) return;
  HWY_ALIGN float rest[kBlockRows] = {};
  std::copy(logits + i, logits + rows, rest);
  hn::Store(probability(hn::Load(d, rest)), d, rest);
  std::copy(rest, rest + (rows - i), probabilities + i);
}

double CrossEntropySum(const CrossEntropyBatch& batch, float* d_logits) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto scale = hn::Set(d, batch.scale);
  const auto label_factor = hn::Set(d, 1.0f - batch.label_smoothing);
  const auto label_offset = hn::Set(d, batch.label_smoothing / 2);
  HWY_ALIGN float logits[kBlockRows], labels[kBlockRows], weights[kBlockRows], losses[kBlockRows];
  double sum = 0.0;
  for (int64_t begin = 0; begin < batch.rows; begin += kBlockRows) {
    const int64_t rows = std::min(kBlockRows, batch.rows - begin);
    const int64_t padded = (rows + lanes - 1) / lanes * lanes;
    const float* from = batch.logits + begin * batch.logit_stride;
    for (int64_t i = 0; i < rows; ++i) logits[i] = from[i * batch.logit_stride];
    std::copy_n(batch.labels + begin, rows, labels);
    std::copy_n(batch.weights + begin, rows, weights);
    std::fill(logits + rows, logits + padded, 0.0f);
    std::fill(labels + rows, labels + padded, 0.0f);
    std::fill(weights + rows, weights + padded, 0.0f);
    for (int64_t i = 0; i < padded; i += lanes) {
      const auto w = hn::Load(d, weights + i);
      const auto counts = hn::Ne(w, hn::Zero(d));
      const auto z = hn::IfThenElseZero(counts, hn::Load(d, logits + i));
      const auto y = hn::IfThenElseZero(counts, hn::MulAdd(hn::Load(d, labels + i), label_factor, label_offset));
      const auto e = hn::Exp(d, hn::Neg(hn::Abs(z)));
      const auto linear = hn::NegMulAdd(z, y, hn::Max(z, hn::Zero(d)));
      hn::Store(hn::Mul(w, hn::Add(linear, hn::Log1p(d, e))), d, losses + i);
      hn::Store(hn::Mul(hn::Mul(scale, w), hn::Sub(SigmoidFromExp(z, e), y)), d, logits + i);
    }
    for (int64_t i = 0; i < rows; ++i) sum += static_cast<double>(losses[i]);
    if (d_logits == nullptr) continue;
    float* to = d_logits + begin * batch.logit_stride;
    for (int64_t i = 0; i < rows; ++i) to[i * batch.logit_stride] = logits[i];
  }
  return sum;
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(SigmoidRows);
HWY_EXPORT(CrossEntropySum);

double CrossEntropyRows(const CrossEntropyBatch& batch, float* d_logits) {
  return HWY_DYNAMIC_DISPATCH(CrossEntropySum)(batch, d_logits);
}

void Sigmoid(const float* logits, int64_t rows, float* probabilities) {
  HWY_DYNAMIC_DISPATCH(SigmoidRows)(logits, rows, probabilities);
}

}  // namespace manygate
#endif  // HWY_ONCE
