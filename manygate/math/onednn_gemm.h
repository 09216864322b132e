// SPDX-License-Identifier: Apache-2.0
// One matrix product through oneDNN's matmul primitive; the only file that touches oneDNN (its 2.x and 3.x interfaces
// differ). Primitives are kept per thread and shape.
#ifndef MANYGATE_MATH_ONEDNN_GEMM_H_
#define MANYGATE_MATH_ONEDNN_GEMM_H_

#include <cstdint>

namespace manygate {

// C[M,N] = (accumulate ? C : 0) + op(A)[M,K]·op(B)[K,N]; op transposes where asked: A is then stored
// [K, M], B [N, K]. Strides in floats between stored rows.
struct OneDnnArguments {
  int64_t m, n, k;
  const float* a;
  int64_t a_stride;
  bool transpose_a;
  const float* b;
  int64_t b_stride;
  bool transpose_b;
  bool accumulate;
  float* c;
  int64_t c_stride;
};

void OneDnnProduct(const OneDnnArguments& arguments);

}  // namespace manygate

#endif  // MANYGATE_MATH_ONEDNN_GEMM_H_
