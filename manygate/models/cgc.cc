// SPDX-License-Identifier: Apache-2.0
// CGC: customized gate control. Tang, Liu, Zhao, Gong: Progressive Layered Extraction (PLE): A Novel Multi-Task Learning
// Model for Personalized Recommendations, RecSys 2020, equations 1 to 4.
//
//            ┌── experts of a [B,E,H] ──┬─ mix a ── tower a ── logits a
//            ├── gate a [B,E+S] ────────┤
//   x [B,D] ─┼── shared experts [B,S,H] ┼ (each task: its own experts and the shared ones)
//            ├── gate b [B,E+S] ────────┤
//            └── experts of b [B,E,H] ──┴─ mix b ── tower b ── logits b
//
// Without experts of tasks it is MMoE.
#include "manygate/models/blocks.h"
#include "manygate/models/extraction.h"
#include "manygate/models/models.h"

namespace manygate {

void WireCgc(Graph& graph, const ModelInputs& inputs, const config::CGC& config) {
  const auto& towers = config.task_towers();
  const TaskValues below{std::vector<Value>(towers.size(), inputs.x), inputs.x};
  const TaskValues mixed = Extract(graph, below,
                                   {.name = "",
                                    .expert_num_per_task = config.expert_num_per_task(),
                                    .share_num = config.share_num(),
                                    .task_expert_net = config.task_expert_net(),
                                    .share_expert_net = config.share_expert_net(),
                                    .shared_gate = false,
                                    .gating = inputs.gating},
                                   towers);
  for (int t = 0; t < towers.size(); ++t) AddTower(graph, inputs, mixed.tasks[t], towers[t]);
}

}  // namespace manygate
