// SPDX-License-Identifier: Apache-2.0
// Products of piecewise-linear encodings with a matrix, without writing the encodings out. Row r encodes a number as
// the piece k it lies in and the fraction f of that piece below it, which stands for e = (1, ..., 1, f, 0, ..., 0) with
// k ones. So
//   e·W = A_k + f·W_k,  A_k = W_0 + ... + W_{k-1}
//   d_W_t = Σ_{rows with k = t} f·d  +  Σ_{rows with k > t} d
#ifndef MANYGATE_MATH_PIECEWISE_H_
#define MANYGATE_MATH_PIECEWISE_H_

#include <cstdint>

namespace manygate {

// Encoded numbers. pieces[r * piece_stride] is k, below the number T of pieces; fractions[r * fraction_stride] is f.
struct PiecewiseRows {
  int64_t rows;
  const int32_t* pieces;
  int64_t piece_stride;
  const float* fractions;
  int64_t fraction_stride;
};

// What a product reads for piece k stands side by side: table row k = [A_k | W_k], 2·width floats.
// weight: [T, width] without gaps.
void FillPiecewiseTable(int64_t num_pieces, int64_t width, const float* weight, float* table, int64_t table_stride);

// out[r, :] += e_r·W. A row with k = f = 0, such as a number at its minimum, is left as it is.
void AddPiecewise(const PiecewiseRows& rows, int64_t width, const float* table, int64_t table_stride, float* out,
                  int64_t out_stride);

// d_weight: [T, width], overwritten, in the order of rows. scratch: T · width floats of any content.
void PiecewiseGradient(const PiecewiseRows& rows, int64_t num_pieces, int64_t width, const float* d_out,
                       int64_t d_out_stride, float* d_weight, float* scratch);

}  // namespace manygate

#endif  // MANYGATE_MATH_PIECEWISE_H_
