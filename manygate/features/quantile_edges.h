// SPDX-License-Identifier: Apache-2.0
// Where a numeric column is cut: the edges of quantile bins and of the piecewise-linear encoding.
//
//   std::vector<float> edges = QuantileEdges(training_values, 64);   // b_0 < b_1 < ... < b_T, T <= 64
#ifndef MANYGATE_FEATURES_QUANTILE_EDGES_H_
#define MANYGATE_FEATURES_QUANTILE_EDGES_H_

#include <cstdint>
#include <vector>

namespace manygate::features {

// values: of the training rows, no NaN, in any order. bins >= 1. Each edge is one of the values; none without values.
//   at most bins + 1 distinct values    all of them
//   else, with n values in order        those of rank round(k (n - 1) / bins), k = 0 .. bins, each once
//   else, if one value holds over 30 %  that value, and the edges by the rule above of the other values (at most
//                                       bins + 2 edges then)
std::vector<float> QuantileEdges(std::vector<float> values, uint32_t bins);

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_QUANTILE_EDGES_H_
