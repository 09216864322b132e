// SPDX-License-Identifier: Apache-2.0
// Quadratic programs over weights that are >= 0 and sum to 1, exactly.
//
//   // |0.2 g_0 + 0.8 g_1| is the least that a mix of g_0 = (2, 0) and g_1 = (0, 1) can have:
//   MinimizeOnSimplex({4, 0, 0, 1}, {0, 0});   // 0.2, 0.8
#ifndef MANYGATE_BALANCING_SIMPLEX_H_
#define MANYGATE_BALANCING_SIMPLEX_H_

#include <vector>

namespace manygate {

// The w that minimises ½ wᵀ Q w + aᵀ w with w_k >= 0 and Σ w_k = 1; Q [n][n] symmetric, positive semi-definite; n >= 1.
// Primal active set (Nocedal & Wright 2006, algorithm 16.3). Where several w are as good, one of those close to equal
// weights.
std::vector<double> MinimizeOnSimplex(const std::vector<double>& quadratic, const std::vector<double>& linear);

}  // namespace manygate

#endif  // MANYGATE_BALANCING_SIMPLEX_H_
