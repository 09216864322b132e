// SPDX-License-Identifier: Apache-2.0
// The gates and banks of experts of a graph, whatever model wired it: to look at what a model does with its experts.
//
//   const GatedExperts found = FindGates(graph);
//   for (const FoundGate& gate : found.gates) ... gate.name, gate.weights, found.banks[gate.banks[0]].name ...
//
// It reads the graph alone, before or after the rewriting passes, for training or for prediction: in prediction the
// dropout of experts (ops/gate_dropout.h) hands weights on as they are.
#ifndef MANYGATE_OPS_GATES_H_
#define MANYGATE_OPS_GATES_H_

#include <string>
#include <vector>

#include "manygate/graph/graph.h"

namespace manygate {

struct FoundBank {
  std::string name;  // "experts", "experts.0.income": that of its layers
  Value experts;     // [B, E, H]
};

struct FoundGate {
  std::string name;        // "gates.income", "gate": that of its softmax
  Value weights;           // [B, Σ E] over the banks
  std::vector<int> banks;  // indices into GatedExperts::banks, in the order of the weights
  bool sparse = false;     // selects few experts (ops/smooth_step.h)
};

struct GatedExperts {
  std::vector<FoundGate> gates;
  std::vector<FoundBank> banks;  // that any of the gates weighs
};

// Every mixture (ops/mix.h, ops/mix_banks.h) of two experts or more by a softmax of the row, or by the mixture of selectors
// of DSelect-k, in the order of the graph; a gate that several mixtures read comes once. Weights that are no softmax
// (AdaTT's residual) are no gate.
GatedExperts FindGates(const Graph& graph);

}  // namespace manygate

#endif  // MANYGATE_OPS_GATES_H_
