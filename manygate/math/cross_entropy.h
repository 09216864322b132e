// SPDX-License-Identifier: Apache-2.0
// Sigmoid, binary cross-entropy and focal loss over many rows, vectorised; the instruction set is chosen at run time.
//
//   double sum = CrossEntropyRows({.logits = z, .labels = y, .weights = w, .rows = 32, .scale = 1.0f / 32}, d_z);
//
// With z the logit, y the label after smoothing, w the weight and p = 1 / (1 + exp(-z)):
//   loss(z, y)  = max(z, 0) - z * y + log(1 + exp(-|z|))     finite for every finite z
//   d_logits    = scale * w * (p - y)
// A row's numbers do not depend on its place: full and padded vectors go through the same arithmetic. They may differ
// in the last bits between instruction sets (fused multiply-add or not).
#ifndef MANYGATE_MATH_CROSS_ENTROPY_H_
#define MANYGATE_MATH_CROSS_ENTROPY_H_

#include <cstdint>

namespace manygate {

struct CrossEntropyBatch {
  const float* logits;       // [rows], element i at logits[i * logit_stride]
  int64_t logit_stride = 1;  // in floats; also the stride of d_logits
  const float* labels;       // [rows], in [0, 1]; NaN allowed where the weight is 0
  const float* weights;      // [rows], >= 0; 0 leaves the row out, whatever its logit and label
  int64_t rows;
  float scale = 1.0f;            // factor of the gradient, not of the returned sum
  float label_smoothing = 0.0f;  // s: y becomes y * (1 - s) + s / 2
};

// Returns the sum of weight * loss, each row's loss in float, added in double in row order; 0 for no rows.
// d_logits: [rows] with the stride of the logits, overwritten; may be null (loss only); may be the logits themselves.
// A row of weight 0 adds exactly 0 and gets a gradient of exactly 0.
double CrossEntropyRows(const CrossEntropyBatch& batch, float* d_logits);

// As CrossEntropyRows with the focal loss (Lin et al. 2017, equation 5); label_smoothing is not used:
//   loss = -y alpha (1 - p)^gamma log p - (1 - y) (1 - alpha) p^gamma log(1 - p)       gamma >= 0, 0 < alpha < 1
double FocalRows(const CrossEntropyBatch& batch, float gamma, float alpha, float* d_logits);

// probabilities[i] = 1 / (1 + exp(-logits[i])), the p that CrossEntropyRows uses. May work in place.
void Sigmoid(const float* logits, int64_t rows, float* probabilities);

}  // namespace manygate

#endif  // MANYGATE_MATH_CROSS_ENTROPY_H_
