// SPDX-License-Identifier: Apache-2.0
// Activation and dropout.
#ifndef MANYGATE_OPS_ACTIVATE_H_
#define MANYGATE_OPS_ACTIVATE_H_

#include <string>

#include "manygate/graph/graph.h"
#include "manygate/math/elementwise.h"

namespace manygate {

// kNone returns x itself.
Value Activate(Graph& graph, Value x, Activation activation, std::string name);

// Inverted dropout (Srivastava et al. 2014): in training each number becomes 0 with probability `ratio`, else it is
// divided by 1 - ratio; in prediction x itself. Which numbers are dropped depends on seed, step, node, row and column,
// not on slices or threads. ratio 0 returns x itself; ratio in [0, 1).
Value Dropout(Graph& graph, Value x, float ratio, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_ACTIVATE_H_
