// SPDX-License-Identifier: Apache-2.0
// Matrix products of the three kinds that training needs, row-major, one thread per call:
//   forward      C[M,N] = A[M,K]·B[K,N] (+ bias[N])      MultiplyNN
//   weights      C[K,N] = A[M,K]ᵀ·B[M,N]                 MultiplyTN
//   input        C[M,K] = A[M,N]·B[K,N]ᵀ (or +=)         MultiplyNT
// Strides are in floats between rows. C must not overlap A or B. Any dimension may be 0.
//
// A row of MultiplyNN's result has the same bits whatever M is: each element is one chain of multiply-adds in the order
// of the summed index. So a row's score does not depend on its batch. oneDNN 2.6 does not keep that (measured with AVX2:
// rows differ in the last bits between M = 64 and M = 1, 2, 13, 31), so the forward product is always the
// register-tiled kernel of gemm.cc, and oneDNN takes the large products of the backward pass only.
#ifndef MANYGATE_MATH_GEMM_H_
#define MANYGATE_MATH_GEMM_H_

#include <cstdint>

namespace manygate {

// bias may be null (start from zero).
void MultiplyNN(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                const float* bias, float* c, int64_t c_stride);
// c[k, n] = Σ_m a[m, k]·b[m, n], overwritten.
void MultiplyTN(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                float* c, int64_t c_stride);
// c[m, k] = (accumulate ? c : 0) + Σ_n a[m, n]·b[k, n]. scratch: at least n·k floats, used for bᵀ of small products.
void MultiplyNT(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                bool accumulate, float* c, int64_t c_stride, float* scratch);

// The backend of MultiplyTN and MultiplyNT for a weight of these sizes: "onednn" or "native".
const char* BackwardBackend(int64_t n, int64_t k);

// sums[j] = Σ_m a[m, j], overwritten; in row order.
void ColumnSums(int64_t m, int64_t n, const float* a, int64_t a_stride, float* sums);

}  // namespace manygate

#endif  // MANYGATE_MATH_GEMM_H_
