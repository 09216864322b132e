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

using FloatRows = hn::Vec<Floats>;

// Loss and slope of a vector of rows, before weights.
struct CrossEntropyOfRows {
  FloatRows label_factor, label_offset;

  HWY_INLINE FloatRows Smooth(FloatRows y) const { return hn::MulAdd(y, label_factor, label_offset); }
  HWY_INLINE void operator()(FloatRows z, FloatRows y, FloatRows& loss, FloatRows& slope) const {
    const Floats d;
    const auto e = hn::Exp(d, hn::Neg(hn::Abs(z)));
    const auto linear = hn::NegMulAdd(z, y, hn::Max(z, hn::Zero(d)));
    loss = hn::Add(linear, hn::Log1p(d, e));
    slope = hn::Sub(SigmoidFromExp(z, e), y);
  }
};

// With s(z) = log(1 + exp z): -log p = s(-z), (1 - p)^gamma = exp(-gamma s(z)), and the slope of their product is
// -(1 - p)^gamma (gamma p s(-z) + 1 - p). The other class is the same at -z.
struct FocalOfRows {
  FloatRows gamma, alpha;

  HWY_INLINE FloatRows Smooth(FloatRows y) const { return y; }
  HWY_INLINE void operator()(FloatRows z, FloatRows y, FloatRows& loss, FloatRows& slope) const {
    const Floats d;
    const auto one = hn::Set(d, 1.0f);
    const auto e = hn::Exp(d, hn::Neg(hn::Abs(z)));
    const auto log_part = hn::Log1p(d, e);
    const auto above = hn::Add(hn::Max(z, hn::Zero(d)), log_part);           // s(z)
    const auto below = hn::Add(hn::Max(hn::Neg(z), hn::Zero(d)), log_part);  // s(-z)
    const auto p = SigmoidFromExp(z, e), q = SigmoidFromExp(hn::Neg(z), e);
    const auto positive = hn::Mul(hn::Mul(y, alpha), hn::Exp(d, hn::Neg(hn::Mul(gamma, above))));
    const auto negative =
        hn::Mul(hn::Mul(hn::Sub(one, y), hn::Sub(one, alpha)), hn::Exp(d, hn::Neg(hn::Mul(gamma, below))));
    loss = hn::Add(hn::Mul(positive, below), hn::Mul(negative, above));
    loss = hn::IfThenElse(hn::IsNaN(z), z, loss);  // hn::Max, Exp and Log1p may drop it
    slope = hn::Sub(hn::Mul(negative, hn::MulAdd(hn::Mul(gamma, q), above, p)),
                    hn::Mul(positive, hn::MulAdd(hn::Mul(gamma, p), below, q)));
  }
};

template <class OfRows>
double SumRows(const CrossEntropyBatch& batch, const OfRows& of_rows, float* d_logits) {
  const Floats d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto scale = hn::Set(d, batch.scale);
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
      const auto y = hn::IfThenElseZero(counts, of_rows.Smooth(hn::Load(d, labels + i)));
      FloatRows loss, slope;
      of_rows(z, y, loss, slope);
      hn::Store(hn::Mul(w, loss), d, losses + i);
      hn::Store(hn::Mul(hn::Mul(scale, w), slope), d, logits + i);
    }
    for (int64_t i = 0; i < rows; ++i) sum += static_cast<double>(losses[i]);
    if (d_logits == nullptr) continue;
    float* to = d_logits + begin * batch.logit_stride;
    for (int64_t i = 0; i < rows; ++i) to[i * batch.logit_stride] = logits[i];
  }
  return sum;
}

double CrossEntropySum(const CrossEntropyBatch& batch, float* d_logits) {
  const Floats d;
  const CrossEntropyOfRows of_rows{.label_factor = hn::Set(d, 1.0f - batch.label_smoothing),
                                   .label_offset = hn::Set(d, batch.label_smoothing / 2)};
  return SumRows(batch, of_rows, d_logits);
}

double FocalSum(const CrossEntropyBatch& batch, float gamma, float alpha, float* d_logits) {
  const Floats d;
  const FocalOfRows of_rows{.gamma = hn::Set(d, gamma), .alpha = hn::Set(d, alpha)};
  return SumRows(batch, of_rows, d_logits);
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(SigmoidRows);
HWY_EXPORT(CrossEntropySum);
HWY_EXPORT(FocalSum);

double CrossEntropyRows(const CrossEntropyBatch& batch, float* d_logits) {
  return HWY_DYNAMIC_DISPATCH(CrossEntropySum)(batch, d_logits);
}

double FocalRows(const CrossEntropyBatch& batch, float gamma, float alpha, float* d_logits) {
  return HWY_DYNAMIC_DISPATCH(FocalSum)(batch, gamma, alpha, d_logits);
}

void Sigmoid(const float* logits, int64_t rows, float* probabilities) {
  HWY_DYNAMIC_DISPATCH(SigmoidRows)(logits, rows, probabilities);
}

}  // namespace manygate
#endif  // HWY_ONCE
