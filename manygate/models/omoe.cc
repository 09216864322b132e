// SPDX-License-Identifier: Apache-2.0
// OMoE: mixture of experts with one gate for all tasks. Ma et al., KDD 2018, equation 4; there the baseline of MMoE.
//
//            ┌── expert 1 ──┐
//   x [B,D] ─┼── ...        ├─ experts [B,E,H] ── mix [B,H] ─┬─ tower a ── logits a
//            ├── expert E ──┘                      │         └─ tower b ── logits b
//            └── gate: softmax [B,E] ──────────────┘
#include "manygate/models/blocks.h"
#include "manygate/models/models.h"
#include "manygate/ops/mix.h"

namespace manygate {

void WireOmoe(Graph& graph, const ModelInputs& inputs, const config::OMoE& config) {
  const Value experts = ExpertBank(graph, inputs.x, config.expert_mlp(), config.num_expert(), "experts");
  const Value gate = Gate(graph, inputs.x, config.gate_mlp(), config.num_expert(), inputs.gating, "gate");
  const Value mixed = Mix(graph, experts, gate, "mix");
  for (const config::TaskTower& tower : config.task_towers()) AddTower(graph, inputs, mixed, tower);
}

}  // namespace manygate
