// SPDX-License-Identifier: Apache-2.0
// The sum of values of equal shape.
#ifndef MANYGATE_OPS_ADD_H_
#define MANYGATE_OPS_ADD_H_

#include <string>
#include <vector>

#include "manygate/graph/graph.h"

namespace manygate {

// y = Σ values, in their order. A single value is returned as it is.
Value Add(Graph& graph, std::vector<Value> values, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_ADD_H_
