// SPDX-License-Identifier: Apache-2.0
// The two kernels of a mixture of experts (Ma et al. 2018, equations 5 to 7): softmax gates and the weighted sum.
// Rows are `stride` floats apart; a row's result does not depend on the others.
#ifndef MANYGATE_MATH_GATE_H_
#define MANYGATE_MATH_GATE_H_

#include <cstdint>

namespace manygate {

// y[r, :] = softmax(x[r, :]); y may be x. width >= 1.
void SoftmaxForward(int64_t rows, int64_t width, const float* x, int64_t x_stride, float* y, int64_t y_stride);
// d_x = (accumulate ? d_x : 0) + y · (d_y − Σ d_y·y); d_x may be d_y (not accumulating).
void SoftmaxBackward(int64_t rows, int64_t width, const float* y, int64_t y_stride, const float* d_y,
                     int64_t d_y_stride, bool accumulate, float* d_x, int64_t d_x_stride);

// out[r, h] = Σ_e gates[r, e] · experts[r, e, h]; experts: [rows, E, H], one row of E·H floats.
void MixForward(int64_t rows, int64_t num_experts, int64_t width, const float* experts, int64_t experts_stride,
                const float* gates, int64_t gates_stride, float* out, int64_t out_stride);
// d_experts[r, e, h] = (accumulate_experts ? old : 0) + gates[r, e] · d_out[r, h]
// d_gates[r, e] = (accumulate_gates ? old : 0) + Σ_h d_out[r, h] · experts[r, e, h]
void MixBackward(int64_t rows, int64_t num_experts, int64_t width, const float* experts, int64_t experts_stride,
                 const float* gates, int64_t gates_stride, const float* d_out, int64_t d_out_stride,
                 bool accumulate_experts, float* d_experts, int64_t d_experts_stride, bool accumulate_gates,
                 float* d_gates, int64_t d_gates_stride);

}  // namespace manygate

#endif  // MANYGATE_MATH_GATE_H_
