// SPDX-License-Identifier: Apache-2.0
// A mixture over several banks of experts, none of which is copied: a task's own experts and the shared ones of CGC and
// PLE (Tang et al. 2020, equation 2), all tasks' experts of AdaTT.
#ifndef MANYGATE_OPS_MIX_BANKS_H_
#define MANYGATE_OPS_MIX_BANKS_H_

#include <string>
#include <vector>

#include "manygate/graph/graph.h"

namespace manygate {

// banks: [B, E_i, H], at least one; gates: [B, Σ E_i], in the order of banks -> [B, H] = Σ over all experts of their gate
// weight times their output. One bank: Mix (ops/mix.h).
Value MixBanks(Graph& graph, std::vector<Value> banks, Value gates, std::string name);

// Whether a value is the output of such a node over several banks.
bool IsMixBanks(const Graph& graph, Value value);

}  // namespace manygate

#endif  // MANYGATE_OPS_MIX_BANKS_H_
