// SPDX-License-Identifier: Apache-2.0
// PLE: progressive layered extraction. Tang, Liu, Zhao, Gong: Progressive Layered Extraction (PLE): A Novel Multi-Task
// Learning Model for Personalized Recommendations, RecSys 2020, equations 5 to 7: levels of CGC, in all but the last of
// which the shared experts' next input is a gated mix of all experts of the level.
//
//   x ─┬─ a ── level 0 ── a [B,H] ── level 1 ── a ── tower a ── logits a
//      ├─ shared ─ „ ─ shared [B,H] ── „
//      └─ b ───── „ ────── b [B,H] ─── „ ────── b ── tower b ── logits b
#include <string>

#include "manygate/models/blocks.h"
#include "manygate/models/extraction.h"
#include "manygate/models/models.h"

namespace manygate {

void WirePle(Graph& graph, const ModelInputs& inputs, const config::PLE& config) {
  const auto& towers = config.task_towers();
  TaskValues values{std::vector<Value>(towers.size(), inputs.x), inputs.x};
  for (int l = 0; l < config.extraction_networks_size(); ++l) {
    const config::ExtractionNetwork& network = config.extraction_networks(l);
    const std::string name = network.has_network_name() ? network.network_name() : std::to_string(l);
    values = Extract(graph, values,
                     {.name = name + ".",
                      .expert_num_per_task = network.expert_num_per_task(),
                      .share_num = network.share_num(),
                      .task_expert_net = network.task_expert_net(),
                      .share_expert_net = network.share_expert_net(),
                      .shared_gate = l + 1 < config.extraction_networks_size(),
                      .gating = inputs.gating},
                     towers);
  }
  for (int t = 0; t < towers.size(); ++t) AddTower(graph, inputs, values.tasks[t], towers[t]);
}

}  // namespace manygate
