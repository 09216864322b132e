// SPDX-License-Identifier: Apache-2.0
// DBMTL: Deep Bayesian Multi-Target Learning. Wang, Ji, Liu, Zhao: Deep Bayesian Multi-Target Learning for
// Recommender Systems, 2019; with TorchEasyRec's optional MaskNet in front ("mask_net") and mixture of experts.
//
//                              ┌─ hidden a [B,H_a] ─────────────────────┬─ output ── logits a
//   x ─ bottom ─ (experts, ────┤                                        │
//                 a gate each) └─ hidden b [B,H_b] ─ concat(b, a) ── relation mlp ── output ── logits b
//
// A tower with relation_tower_names reads, after its own hidden layers, what the towers named there have in front of
// their outputs; layers "relations.<tower>". The towers may stand in any order in the configuration; their relations
// have no circle.
#include "manygate/models/dbmtl.h"

#include <functional>
#include <map>

#include "manygate/models/mask_net.h"
#include "manygate/ops/concat.h"

namespace manygate {

void WireDbmtl(Graph& graph, const ModelInputs& inputs, const config::DBMTL& config) {
  const Value x = config.has_mask_net() ? MaskNet(graph, inputs.x, config.mask_net(), "mask_net") : inputs.x;
  const std::map<std::string, Value> hidden = HiddenTowers(graph, inputs, x, config);
  std::map<std::string, const config::TaskTower*> towers;
  for (const config::TaskTower& tower : config.task_towers()) towers[tower.tower_name()] = &tower;

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
