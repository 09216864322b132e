// SPDX-License-Identifier: Apache-2.0
// Products value by value, and a value times a constant.
#ifndef MANYGATE_OPS_MULTIPLY_H_
#define MANYGATE_OPS_MULTIPLY_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// y = a ∘ b, of equal shape.
Value Multiply(Graph& graph, Value a, Value b, std::string name);

// y = factor · x. factor 1 returns x itself.
Value Scale(Graph& graph, Value x, float factor, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_MULTIPLY_H_
