// SPDX-License-Identifier: Apache-2.0
// The sum of log(1 + exp(-(z_i - z_j))) over pairs of rows, vectorised; the instruction set is chosen at run time.
//
//   double sum = PairwiseLogistic({.logits = z, .weights = w, .below = below, .rows = 4096}, d_z);
//
// Rows are sorted so that the rows that row i is compared with are the first below[i] ones. Each pair costs one exp and
// one log1p, vectorised; memory is the caller's. Numbers may differ in the last bits between instruction sets.
#ifndef MANYGATE_MATH_PAIRWISE_LOGISTIC_H_
#define MANYGATE_MATH_PAIRWISE_LOGISTIC_H_

#include <cstdint>

namespace manygate {

struct PairwiseRows {
  const float* logits;   // [rows], finite
  const float* weights;  // [rows], >= 0
  const int64_t* below;  // [rows], 0 <= below[i] <= i
  int64_t rows;
};

// Returns Σ_i Σ_{j < below[i]} w_i w_j log(1 + exp(z_j - z_i)), pairs in float, added in double at least every 512.
// d_logits: [rows], its derivative, overwritten, summed in float; may be null (loss only), may not be the logits.
double PairwiseLogistic(const PairwiseRows& rows, float* d_logits);

}  // namespace manygate

#endif  // MANYGATE_MATH_PAIRWISE_LOGISTIC_H_
