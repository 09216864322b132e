// SPDX-License-Identifier: Apache-2.0
// The adaptive information transfer of AITM (Xi et al. 2021): attention over two vectors, what the step before has learnt
// and what the task itself sees.
#ifndef MANYGATE_OPS_ATTENTION_TRANSFER_H_
#define MANYGATE_OPS_ATTENTION_TRANSFER_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// information, own: [B, H] -> [B, H] = Σ_u w_u · h3(u) over u = information, own, with
//   w = softmax_u(<h1(u), h2(u)> / √H)
// h1, h2, h3: products without bias, "<name>.h1.weight" and so on, each [H, H], stored side by side: one product of
// [H, 3H] for each of the two vectors. Initial values as torch.nn.Linear's.
Value AttentionTransfer(Graph& graph, Value information, Value own, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_ATTENTION_TRANSFER_H_
