// SPDX-License-Identifier: Apache-2.0
// AdaTT-sp: adaptive task-to-task fusion without shared experts. Li, Zhang, Chen, Zhang, Li, Wang, Chen, Zhang, Gui, Gao,
// Yuan, Tang, Zhang: AdaTT: Adaptive Task-to-Task Fusion Network for Multitask Learning in Recommendations, KDD 2023,
// section 3. In each of the levels, for every task t with input x_t:
//
//   x_t [B,D] ─┬─ own experts [B,E,H] ── w_t: Σ_e w_te · expert ───────── + ── x_t of the next level, or tower t
//              │        └── all tasks' experts [B,T·E,H] ── gated mix ────┘
//              └── gate t: softmax [B,T·E] ─────────────────────┘
//
// The weights w_t of the residual are the same for all rows; with one expert per task the weight is 1.
#include <fmt/format.h>

#include <cmath>
#include <string>

#include "manygate/models/blocks.h"
#include "manygate/models/models.h"
#include "manygate/ops/add.h"
#include "manygate/ops/broadcast.h"
#include "manygate/ops/mix.h"
#include "manygate/ops/mix_banks.h"

namespace manygate {
namespace {

// The residual of a task's own experts, [B, E, H] -> [B, H]. Parameter "residual.<name>" [E].
Value OwnExperts(Graph& graph, Value experts, const std::string& name) {
  const int64_t count = graph.shape(experts).groups;
  if (count == 1) return experts;
  const float bound = 1.f / std::sqrt(static_cast<float>(count));
  const Value weights =
      Broadcast(graph, "residual." + name, {1, count}, {Initializer::Kind::kUniform, -bound, bound});
  return Mix(graph, experts, weights, "residual." + name + ".mix");
}

}  // namespace

void WireAdaTt(Graph& graph, const ModelInputs& inputs, const config::AdaTT& config) {
  const auto& towers = config.task_towers();
  const int64_t num_expert = config.expert_num_per_task();
  std::vector<Value> tasks(towers.size(), inputs.x);
  for (int level = 0; level < config.expert_mlps_size(); ++level) {
    std::vector<std::string> names;
    std::vector<Value> experts;
    for (int t = 0; t < towers.size(); ++t) {
      names.push_back(fmt::format("{}.{}", level, towers[t].tower_name()));
      experts.push_back(ExpertBank(graph, tasks[t], config.expert_mlps(level), num_expert, "experts." + names[t]));
    }
    for (int t = 0; t < towers.size(); ++t) {
      const Value gate = Gate(graph, tasks[t], {}, num_expert * towers.size(), inputs.gating, "gates." + names[t]);
      tasks[t] = MixBanks(graph, experts, gate, "mix." + names[t]);
      if (config.self_exp_res_connect())
        tasks[t] = Add(graph, {tasks[t], OwnExperts(graph, experts[t], names[t])}, "fused." + names[t]);
    }
  }
  for (int t = 0; t < towers.size(); ++t) AddTower(graph, inputs, tasks[t], towers[t]);
}

}  // namespace manygate
