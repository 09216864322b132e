// SPDX-License-Identifier: Apache-2.0
// A value that is read without teaching those who made it: y = x, d_x = 0.
#ifndef MANYGATE_OPS_STOP_GRADIENT_H_
#define MANYGATE_OPS_STOP_GRADIENT_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// The parameters behind a value whose only reader this is get a gradient of 0.
Value StopGradient(Graph& graph, Value x, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_STOP_GRADIENT_H_
