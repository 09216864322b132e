// SPDX-License-Identifier: Apache-2.0
// The product of two probabilities, from logit to logit: P(a and b) = P(a) · P(b | a) (Ma et al. 2018, SIGIR, equation
// 1). A funnel's towers so stay logits: losses, metrics and files know nothing of it.
//
//   Value conversion = ProbabilityProduct(graph, click, conversion_given_click, "towers.conversion.product");
#ifndef MANYGATE_OPS_PROBABILITY_PRODUCT_H_
#define MANYGATE_OPS_PROBABILITY_PRODUCT_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// a, b: logits [B, 1] -> logits [B, 1] of sigmoid(a) · sigmoid(b):
//   z = −log(e^−a + e^−b + e^−(a+b))
// by log-sum-exp, so that no probability is ever rounded to 0 or 1: exact to float for all logits up to ±1e37. The
// derivatives are the odds' shares, in [0, 1]:
//   ∂z/∂a = (e^−a + e^−(a+b)) / Σ = sigmoid(−a) / (1 − sigmoid(a)·sigmoid(b))
Value ProbabilityProduct(Graph& graph, Value a, Value b, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_PROBABILITY_PRODUCT_H_
