// SPDX-License-Identifier: Apache-2.0
// The behavioural expectation calibrator of AITM (Xi et al. 2021): later steps of a funnel must not be likelier than
// earlier ones.
#ifndef MANYGATE_OPS_FUNNEL_PENALTY_H_
#define MANYGATE_OPS_FUNNEL_PENALTY_H_

#include <string>
#include <vector>

#include "manygate/graph/graph.h"

namespace manygate {

// logits: T >= 2 values [B, 1] in the order of the funnel -> [B, 1] = Σ_{t>=1} max(p_t − p_{t−1}, 0) with
// p = sigmoid(logits). Where p_t = p_{t−1} the derivative is 0.
Value FunnelPenalty(Graph& graph, std::vector<Value> logits, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_FUNNEL_PENALTY_H_
