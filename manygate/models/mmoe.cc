// SPDX-License-Identifier: Apache-2.0
// MMoE: Multi-gate Mixture-of-Experts. Ma, Zhao, Yi, Chen, Hong, Chi: Modeling Task Relationships in Multi-task Learning
// with Multi-gate Mixture-of-Experts, KDD 2018, equations 5 to 7.
//
//            ┌── expert 1 ──┐
//   x [B,D] ─┼── ...        ├─ experts [B,E,H] ─┬─ mix ── tower a ── logits a
//            ├── expert E ──┘                   │   │
//            ├── gate a: softmax [B,E] ─────────┼───┘
//            │                                  └─ mix ── tower b ── logits b
//            └── gate b: softmax [B,E] ─────────────┘
#include "manygate/models/blocks.h"
#include "manygate/models/models.h"
#include "manygate/ops/mix.h"

namespace manygate {

void WireMmoe(Graph& graph, const ModelInputs& inputs, const config::MMoE& config) {
  const Value experts = ExpertBank(graph, inputs.x, config.expert_mlp(), config.num_expert(), "experts");
  for (const config::TaskTower& tower : config.task_towers()) {
    const Value gate =
        Gate(graph, inputs.x, config.gate_mlp(), config.num_expert(), inputs.gating, "gates." + tower.tower_name());
    AddTower(graph, inputs, Mix(graph, experts, gate, "mix." + tower.tower_name()), tower);
  }
}

}  // namespace manygate
