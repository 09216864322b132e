// SPDX-License-Identifier: Apache-2.0
// Products value by value of [rows, width] blocks whose rows are `stride` floats apart.
#ifndef MANYGATE_MATH_PRODUCTS_H_
#define MANYGATE_MATH_PRODUCTS_H_

#include <cstdint>

namespace manygate {

// y = (accumulate ? y : 0) + a ∘ b. y may be a or b.
void MultiplyValues(int64_t rows, int64_t width, const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                    bool accumulate, float* y, int64_t y_stride);
// y = (accumulate ? y : 0) + factor · x. y may be x.
void ScaleValues(int64_t rows, int64_t width, float factor, const float* x, int64_t x_stride, bool accumulate, float* y,
                 int64_t y_stride);

}  // namespace manygate

#endif  // MANYGATE_MATH_PRODUCTS_H_
