// SPDX-License-Identifier: Apache-2.0
// Dropout of whole experts behind a gate, against gates that settle on few of them (Zhao et al.: Recommending What Video
// to Watch Next: A Multitask Ranking System, RecSys 2019).
//
//   Value gate = Softmax(graph, logits, "gates.a.softmax");
//   Value mixed = Mix(graph, experts, GateDropout(graph, gate, 0.1f, "gates.a.dropout"), "mix.a");
#ifndef MANYGATE_OPS_GATE_DROPOUT_H_
#define MANYGATE_OPS_GATE_DROPOUT_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// weights: [B, E], >= 0 -> [B, E]. In training each expert of a row is dropped with probability `ratio`: with m_e = 0
// for the dropped and 1 for the kept, y_e = m_e w_e / Σ_j m_j w_j. A row of which nothing is left, because all its
// experts are dropped or the kept ones weigh less than 1e-20 in all, stays as it is; so does every row in
// prediction. Which experts are dropped depends on seed, step, node, row and expert, not on slices or threads. ratio 0
// returns the weights themselves; ratio in [0, 1).
Value GateDropout(Graph& graph, Value weights, float ratio, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_GATE_DROPOUT_H_
