// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/pairwise_logistic.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/math/pairwise_logistic.cc"
#include "hwy/foreach_target.h"  // compiles this file once per instruction set
#include "hwy/highway.h"
// After highway.h.
#include "hwy/contrib/math/math-inl.h"
#include "manygate/math/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {

constexpr int64_t kBlockPairs = 512;  // float sums are not made longer than this

struct RowSum {
  double loss = 0.0;   // Σ_j w_j log(1 + exp(z_j - z))
  double slope = 0.0;  // Σ_j w_j p_j, p_j = 1 / (1 + exp(z - z_j))
};

// One row of logit z against rows [0, count); d_logits[j] += weight * w_j p_j unless null.
RowSum CompareRow(const PairwiseRows& rows, float z, float weight, int64_t count, float* d_logits) {
  const FloatTag d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto one = hn::Set(d, 1.0f), own_logit = hn::Set(d, z), own_weight = hn::Set(d, weight);
  RowSum total;
  for (int64_t begin = 0; begin < count; begin += kBlockPairs) {
    const int64_t end = std::min(count, begin + kBlockPairs);
    FloatVector losses = hn::Zero(d), slopes = hn::Zero(d);
    for (int64_t j = begin; j < end; j += lanes) {
      const size_t left = static_cast<size_t>(end - j);
      const auto w = LoadPart(d, rows.weights + j, left);  // 0 behind the end: adds nothing
      const auto behind = hn::Sub(LoadPart(d, rows.logits + j, left), own_logit);
      const auto e = hn::Exp(d, hn::Neg(hn::Abs(behind)));
      const auto loss = hn::Add(hn::Max(behind, hn::Zero(d)), hn::Log1p(d, e));
      losses = hn::MulAdd(w, loss, losses);
      if (d_logits == nullptr) continue;
      const auto upper = hn::Div(one, hn::Add(one, e));
      const auto p = hn::IfThenElse(hn::Ge(behind, hn::Zero(d)), upper, hn::Mul(e, upper));
      const auto slope = hn::Mul(w, p);
      slopes = hn::Add(slopes, slope);
      StorePart(hn::MulAdd(own_weight, slope, LoadPart(d, d_logits + j, left)), d, d_logits + j, left);
    }
    total.loss += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, losses)));
    total.slope += static_cast<double>(hn::GetLane(hn::SumOfLanes(d, slopes)));
  }
  return total;
}

double SumPairs(const PairwiseRows& rows, float* d_logits) {
  if (d_logits != nullptr) std::fill_n(d_logits, rows.rows, 0.0f);
  double sum = 0.0;
  for (int64_t i = 0; i < rows.rows; ++i) {
    const RowSum row = CompareRow(rows, rows.logits[i], rows.weights[i], rows.below[i], d_logits);
    sum += rows.weights[i] * row.loss;
    if (d_logits != nullptr) d_logits[i] -= static_cast<float>(rows.weights[i] * row.slope);
  }
  return sum;
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(SumPairs);

double PairwiseLogistic(const PairwiseRows& rows, float* d_logits) {
  return HWY_DYNAMIC_DISPATCH(SumPairs)(rows, d_logits);
}

}  // namespace manygate
#endif  // HWY_ONCE
