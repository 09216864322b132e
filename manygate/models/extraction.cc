// SPDX-License-Identifier: Apache-2.0
#include "manygate/models/extraction.h"

#include "manygate/models/blocks.h"
#include "manygate/ops/mix_banks.h"

namespace manygate {
namespace {

// A linear gate on x over all experts of the banks.
Value MixByGate(Graph& graph, Value x, const std::vector<Value>& banks, const config::Gating& gating,
                const std::string& name) {
  int64_t experts = 0;
  for (const Value bank : banks) experts += graph.shape(bank).groups;
  return MixBanks(graph, banks, Gate(graph, x, {}, experts, gating, "gates." + name), "mix." + name);
}

}  // namespace

TaskValues Extract(Graph& graph, const TaskValues& inputs, const ExtractionLevel& level,
                   const google::protobuf::RepeatedPtrField<config::TaskTower>& towers) {
  std::vector<Value> all;  // banks: one per task if tasks have experts, then the shared one if there is one
  for (int t = 0; t < towers.size() && level.expert_num_per_task > 0; ++t)
    all.push_back(ExpertBank(graph, inputs.tasks[t], level.task_expert_net, level.expert_num_per_task,
                             "experts." + level.name + towers[t].tower_name()));
  if (level.share_num > 0)
    all.push_back(
        ExpertBank(graph, inputs.shared, level.share_expert_net, level.share_num, "experts." + level.name + "shared"));

  TaskValues mixed;
  for (int t = 0; t < towers.size(); ++t) {
    std::vector<Value> banks;
    if (level.expert_num_per_task > 0) banks.push_back(all[t]);
    if (level.share_num > 0) banks.push_back(all.back());
    mixed.tasks.push_back(MixByGate(graph, inputs.tasks[t], banks, level.gating, level.name + towers[t].tower_name()));
  }
  if (level.shared_gate) mixed.shared = MixByGate(graph, inputs.shared, all, level.gating, level.name + "shared");
  return mixed;
}

}  // namespace manygate
