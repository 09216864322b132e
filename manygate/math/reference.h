// SPDX-License-Identifier: Apache-2.0
// The slow truth: every kernel of this folder once more, in plain loops and double accumulation. Tests compare the fast
// kernels with these on every SIMD target of the machine; nothing else calls them.
#ifndef MANYGATE_MATH_REFERENCE_H_
#define MANYGATE_MATH_REFERENCE_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace manygate::reference {

// c[i, j] = start(i, j) + Σ_p a[i * a_row_stride + p * a_column_stride] · b[p, j]
inline void Gemm(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row_stride, int64_t a_column_stride,
                 const float* b, int64_t b_stride, const float* bias, bool accumulate, float* c, int64_t c_stride) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = accumulate ? c[i * c_stride + j] : bias != nullptr ? bias[j] : 0.0;
      for (int64_t p = 0; p < k; ++p)
        sum += double{a[i * a_row_stride + p * a_column_stride]} * b[p * b_stride + j];
      c[i * c_stride + j] = static_cast<float>(sum);
    }
  }
}

inline void Softmax(const float* x, float* y, int n) {
  const double top = *std::max_element(x, x + n);
  double sum = 0;
  for (int i = 0; i < n; ++i) sum += std::exp(x[i] - top);
  for (int i = 0; i < n; ++i) y[i] = static_cast<float>(std::exp(x[i] - top) / sum);
}

// out[h] = Σ_e gate[e] · experts[e, h]
inline void Mix(const float* experts, const float* gate, int num_experts, int width, float* out) {
  for (int h = 0; h < width; ++h) {
    double sum = 0;
    for (int e = 0; e < num_experts; ++e) sum += double{gate[e]} * experts[e * width + h];
    out[h] = static_cast<float>(sum);
  }
}

// One value of Adam (Kingma & Ba 2015, algorithm 1 in the order of its last remark) with decoupled decay
// (Loshchilov & Hutter 2019). step counts from 1.
struct AdamState {
  double weight, mean = 0, variance = 0;
};
inline void AdamStep(AdamState& s, double gradient, double lr, double beta1, double beta2, double eps, double decay,
                     int64_t step) {
  s.weight *= 1 - lr * decay;
  s.mean = beta1 * s.mean + (1 - beta1) * gradient;
  s.variance = beta2 * s.variance + (1 - beta2) * gradient * gradient;
  const double mean_hat = s.mean / (1 - std::pow(beta1, step));
  const double variance_hat = s.variance / (1 - std::pow(beta2, step));
  s.weight -= lr * mean_hat / (std::sqrt(variance_hat) + eps);
}

}  // namespace manygate::reference

#endif  // MANYGATE_MATH_REFERENCE_H_
