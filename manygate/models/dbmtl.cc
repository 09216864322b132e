// SPDX-License-Identifier: Apache-2.0
// DBMTL: Deep Bayesian Multi-Target Learning. Wang, Ji, Liu, Zhao: Deep Bayesian Multi-Target Learning for
// Recommender Systems, 2019; with TorchEasyRec's optional mixture of experts.
//
//                              ┌─ hidden a [B,H_a] ─────────────────────┬─ output ── logits a
//   x ─ bottom ─ (experts, ────┤                                        │
//                 a gate each) └─ hidden b [B,H_b] ─ concat(b, a) ── relation mlp ── output ── logits b
//
// A tower with relation_tower_names reads, after its own hidden layers, what the towers named there have in front of
// their outputs; layers "relations.<tower>". The towers may stand in any order in the configuration; their relations
// have no circle.
#include <functional>
#include <map>

#include "manygate/models/blocks.h"
#include "manygate/models/models.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/mix.h"

namespace manygate {

void WireDbmtl(Graph& graph, const ModelInputs& inputs, const config::DBMTL& config) {
  const Value bottom = Mlp(graph, inputs.x, config.bottom_mlp(), "bottom");
  const bool mixture = config.has_expert_mlp();
  const Value experts = mixture ? ExpertBank(graph, bottom, config.expert_mlp(), config.num_expert(), "experts") : -1;
  std::map<std::string, Value> hidden;
  std::map<std::string, const config::TaskTower*> towers;
  for (const config::TaskTower& tower : config.task_towers()) {
    const std::string& name = tower.tower_name();
    Value x = bottom;
    if (mixture) {
      const Value gate = Gate(graph, bottom, config.gate_mlp(), config.num_expert(), inputs.gating, "gates." + name);
      x = Mix(graph, experts, gate, "mix." + name);
    }
    hidden[name] = Mlp(graph, x, tower.mlp(), "towers." + name);
    towers[name] = &tower;
  }

  std::map<std::string, Value> related;  // what stands in front of a tower's output
  const std::function<Value(const std::string&)> relate = [&](const std::string& name) {
    if (const auto found = related.find(name); found != related.end()) return found->second;
    const config::TaskTower& tower = *towers.at(name);
    std::vector<Value> parts = {hidden.at(name)};
    for (const std::string& other : tower.relation_tower_names()) parts.push_back(relate(other));
    const Value joined = Concat(graph, "relations." + name, std::move(parts));
    return related[name] = Mlp(graph, joined, tower.relation_mlp(), "relations." + name);
  };
  for (const config::TaskTower& tower : config.task_towers()) {
    const std::string& name = tower.tower_name();
    graph.AddOutput(name, OutputUnit(graph, inputs, relate(name), tower));
  }
}

}  // namespace manygate
