// SPDX-License-Identifier: Apache-2.0
// The importance loss of a gate, against gates that leave experts unused (Shazeer, Mirhoseini, Maziarz, Davis, Le,
// Hinton, Dean: Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer, ICLR 2017, equations 6 and 7).
//
//   graph.AddRowLoss("gates.a.load_balance", LoadBalance(graph, gate, "gates.a.load_balance"), 0.1f);
#ifndef MANYGATE_OPS_LOAD_BALANCE_H_
#define MANYGATE_OPS_LOAD_BALANCE_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// weights: [B, E], >= 0 -> [B, 1]. With I_e = Σ_b w_be over the rows of a slice, every row of the slice holds the
// squared coefficient of variation of the I_e (variance over E divided by the squared mean): E Σ I_e² / (Σ I_e)² − 1,
// which is 0 when all experts are used alike and E − 1 when one has all the weight. The mean over the rows of a batch of
// several slices is the mean of the slices' numbers, weighted by their rows. Where all weights are 0 it is 0, and so is
// the gradient.
Value LoadBalance(Graph& graph, Value weights, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_LOAD_BALANCE_H_
