// SPDX-License-Identifier: Apache-2.0
// Inverted dropout (Srivastava et al. 2014): each number becomes 0 with probability `ratio`, else it is divided by
// 1 - ratio. Whether number (r, i) is dropped follows from seed, step and first_row + r, and i alone, on every
// instruction set, so the backward pass draws the same mask again instead of keeping it.
//
// One Philox block per row makes a key; a multiply-and-shift hash of (key, column) gives 32 random bits for two numbers,
// 16 each: the ratio is rounded to a multiple of 2^-16. 0.18 ns a number. A Philox block for every four numbers took 46 %
// of a training step of 4 experts 128 -> 64 at batch 1024 (Zen 3, AVX2, 2026).
#ifndef MANYGATE_MATH_DROPOUT_H_
#define MANYGATE_MATH_DROPOUT_H_

#include <cstdint>

namespace manygate {

struct DropoutKey {
  uint64_t seed;
  uint64_t step;
  int64_t first_row;  // of the rows of a call, within the batch
};

// y[r, i] = dropped ? 0 : x[r, i] / (1 - ratio); or that added to y. Rows are strides apart; y may be x where it does not
// accumulate. ratio in [0, 1).
void DropoutRows(const DropoutKey& key, float ratio, int64_t rows, int64_t width, const float* x, int64_t x_stride,
                 bool accumulate, float* y, int64_t y_stride);

}  // namespace manygate

#endif  // MANYGATE_MATH_DROPOUT_H_
