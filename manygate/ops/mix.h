// SPDX-License-Identifier: Apache-2.0
// Softmax gates and the mixing of experts (Ma et al. 2018, equations 5 to 7).
#ifndef MANYGATE_OPS_MIX_H_
#define MANYGATE_OPS_MIX_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// Softmax over the last dimension of [B, E], of x / temperature: below 1 the largest weight grows, above 1 all become
// more alike. temperature > 0.
Value Softmax(Graph& graph, Value x, std::string name, float temperature = 1);

// experts: [B, E, H], gates: [B, E] -> [B, H] = Σ_e gates[b, e] · experts[b, e, :].
Value Mix(Graph& graph, Value experts, Value gates, std::string name);

// Whether a value is the output of such a node.
bool IsSoftmax(const Graph& graph, Value value);
bool IsMix(const Graph& graph, Value value);

}  // namespace manygate

#endif  // MANYGATE_OPS_MIX_H_
