// SPDX-License-Identifier: Apache-2.0
// Softmax and softmax cross-entropy over many rows, vectorised along the classes; the instruction set is chosen at run
// time.
//
//   double sum = SoftmaxCrossEntropyRows(
//       {.logits = z, .logit_stride = 4, .classes = 4, .labels = y, .weights = w, .rows = 32, .scale = 0.1f}, d_z);
//
// With C classes, p = softmax(z) and t_k = (1 - s) [k = y] + s / C:
//   loss     = -Σ_k t_k log p_k             finite for every finite z, as the largest logit is taken off all first
//   d_logits = scale * w * (p_k - t_k)
// A row's numbers do not depend on its place. They may differ in the last bits between instruction sets.
#ifndef MANYGATE_MATH_SOFTMAX_ROWS_H_
#define MANYGATE_MATH_SOFTMAX_ROWS_H_

#include <cstdint>

namespace manygate {

struct SoftmaxBatch {
  const float* logits;   // [rows, classes], row i starts at logits + i * logit_stride
  int64_t logit_stride;  // in floats, >= classes; also the stride of d_logits
  int64_t classes;       // C >= 1
  const float* labels;   // [rows], 0, 1, .., C-1; NaN allowed where the weight is 0
  const float* weights;  // [rows], >= 0; 0 leaves the row out, whatever its logits and label
  int64_t rows;
  float scale = 1.0f;            // factor of the gradient, not of the returned sum
  float label_smoothing = 0.0f;  // s
};

// Returns the sum of weight * loss, added in double in row order; 0 for no rows. d_logits: [rows, C] with the stride of
// the logits, overwritten; may be null (loss only); may be the logits themselves. A row of weight 0 adds exactly 0 and
// gets gradients of exactly 0; one with a logit that is not finite gets NaN.
double SoftmaxCrossEntropyRows(const SoftmaxBatch& batch, float* d_logits);

// probabilities[rows, classes], dense, of the same logits. May work in place where the stride is `classes`.
void SoftmaxRows(const float* logits, int64_t logit_stride, int64_t rows, int64_t classes, float* probabilities);

}  // namespace manygate

#endif  // MANYGATE_MATH_SOFTMAX_ROWS_H_
