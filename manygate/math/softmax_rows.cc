// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/softmax_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "manygate/base/check.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/math/softmax_rows.cc"
#include "hwy/foreach_target.h"  // compiles this file once per instruction set
#include "hwy/highway.h"
// After highway.h.
#include "hwy/contrib/math/math-inl.h"
#include "manygate/math/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {

struct RowSums {
  float highest;  // largest logit
  float powers;   // Σ exp(z - highest)
  float shifted;  // Σ (z - highest); not finite if a logit is not
};

// powers: [classes] = exp(z - highest), or null; may be z.
RowSums SumRow(const float* z, size_t classes, float* powers) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  FloatVector highest = hn::Set(d, z[0]);
  for (size_t k = 0; k < classes; k += lanes) {
    const auto inside = hn::FirstN(d, classes - k);
    highest = hn::Max(highest, hn::IfThenElse(inside, LoadPart(d, z + k, classes - k), highest));
  }
  RowSums sums{.highest = hn::GetLane(hn::MaxOfLanes(d, highest)), .powers = 0.0f, .shifted = 0.0f};
  const auto top = hn::Set(d, sums.highest);
  FloatVector sum = hn::Zero(d), shifted_sum = hn::Zero(d);
  for (size_t k = 0; k < classes; k += lanes) {
    const auto inside = hn::FirstN(d, classes - k);
    const auto shifted = hn::IfThenElseZero(inside, hn::Sub(LoadPart(d, z + k, classes - k), top));
    const auto power = hn::IfThenElseZero(inside, hn::Exp(d, shifted));
    sum = hn::Add(sum, power);
    shifted_sum = hn::Add(shifted_sum, shifted);
    if (powers != nullptr) StorePart(power, d, powers + k, classes - k);
  }
  sums.powers = hn::GetLane(hn::SumOfLanes(d, sum));
  sums.shifted = hn::GetLane(hn::SumOfLanes(d, shifted_sum));
  return sums;
}

// x[k] = x[k] * factor - offset.
void ScaleRow(size_t classes, float factor, float offset, float* x) {
  const FloatTag d;
  const auto factors = hn::Set(d, factor), offsets = hn::Set(d, offset);
  for (size_t k = 0; k < classes; k += hn::Lanes(d)) {
    StorePart(hn::MulSub(LoadPart(d, x + k, classes - k), factors, offsets), d, x + k, classes - k);
  }
}

double CrossEntropyOfRow(const SoftmaxBatch& batch, int64_t i, float* d_logits) {
  const size_t classes = static_cast<size_t>(batch.classes);
  const float* z = batch.logits + i * batch.logit_stride;
  const float label = batch.labels[i], weight = batch.weights[i];
  MG_CHECK(label >= 0.0f && label < static_cast<float>(batch.classes), "label {} of row {}, {} classes", label, i,
           batch.classes);
  const size_t target = static_cast<size_t>(label);
  const float target_logit = z[target];  // d_logits may be the logits
  const RowSums sums = SumRow(z, classes, d_logits);
  if (!std::isfinite(sums.shifted)) {
    if (d_logits != nullptr) std::fill_n(d_logits, classes, std::numeric_limits<float>::quiet_NaN());
    return std::numeric_limits<double>::quiet_NaN();
  }
  const float rest = batch.label_smoothing / static_cast<float>(batch.classes);
  if (d_logits != nullptr) {
    const float factor = batch.scale * weight;
    const float probability = d_logits[target] / sums.powers;
    ScaleRow(classes, factor / sums.powers, factor * rest, d_logits);
    d_logits[target] = factor * (probability - (1.0f - batch.label_smoothing) - rest);
  }
  const double behind = static_cast<double>(sums.highest) - target_logit;
  const double loss = std::log(static_cast<double>(sums.powers)) + (1.0 - batch.label_smoothing) * behind -
                      static_cast<double>(rest) * sums.shifted;
  return weight * loss;
}

double CrossEntropyOfRows(const SoftmaxBatch& batch, float* d_logits) {
  double sum = 0.0;
  for (int64_t i = 0; i < batch.rows; ++i) {
    float* d_row = d_logits == nullptr ? nullptr : d_logits + i * batch.logit_stride;
    if (batch.weights[i] != 0.0f) {
      sum += CrossEntropyOfRow(batch, i, d_row);
    } else if (d_row != nullptr) {
      std::fill_n(d_row, batch.classes, 0.0f);
    }
  }
  return sum;
}

void Probabilities(const float* logits, int64_t logit_stride, int64_t rows, int64_t classes, float* probabilities) {
  for (int64_t i = 0; i < rows; ++i) {
    float* row = probabilities + i * classes;
    const RowSums sums = SumRow(logits + i * logit_stride, static_cast<size_t>(classes), row);
    if (std::isfinite(sums.shifted)) {
      ScaleRow(static_cast<size_t>(classes), 1.0f / sums.powers, 0.0f, row);
    } else {
      std::fill_n(row, classes, std::numeric_limits<float>::quiet_NaN());
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(CrossEntropyOfRows);
HWY_EXPORT(Probabilities);

double SoftmaxCrossEntropyRows(const SoftmaxBatch& batch, float* d_logits) {
  return HWY_DYNAMIC_DISPATCH(CrossEntropyOfRows)(batch, d_logits);
}

void SoftmaxRows(const float* logits, int64_t logit_stride, int64_t rows, int64_t classes, float* probabilities) {
  HWY_DYNAMIC_DISPATCH(Probabilities)(logits, logit_stride, rows, classes, probabilities);
}

}  // namespace manygate
#endif  // HWY_ONCE
