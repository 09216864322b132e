// SPDX-License-Identifier: Apache-2.0
// DC2VR, "decoupling conversion rate", as TorchEasyRec has it: DBMTL up to the towers' hidden outputs, then interventions
// (ops/intervention.h) in place of relation layers.
//
//   x ─ bottom ─ (experts, ──┬─ hidden a [B,H_a] ───────────────┬─ output ── logits a
//                a gate each)│                                  └(stop)┐
//                            └─ hidden b [B,H_b] ─────────── intervention ─ dropout ── output ── logits b
//
// A tower with intervention_tower_names is moved by what the towers named there have in front of their outputs, side by
// side in that order; it does not train them. Parameters "interventions.<tower>.base" and "...source". The towers may stand
// in any order in the configuration; their interventions have no circle.
#include <functional>
#include <map>

#include "manygate/models/dbmtl.h"
#include "manygate/ops/activate.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/intervention.h"
#include "manygate/ops/stop_gradient.h"

namespace manygate {

void WireDc2vr(Graph& graph, const ModelInputs& inputs, const config::DC2VR& config) {
  const std::map<std::string, Value> hidden = HiddenTowers(graph, inputs, inputs.x, config);
  std::map<std::string, const config::TaskTower*> towers;
  for (const config::TaskTower& tower : config.task_towers()) towers[tower.tower_name()] = &tower;

  std::map<std::string, Value> moved;  // what stands in front of a tower's output
  const std::function<Value(const std::string&)> move = [&](const std::string& name) {
    if (const auto found = moved.find(name); found != moved.end()) return found->second;
    const config::TaskTower& tower = *towers.at(name);
    Value value = hidden.at(name);
    if (tower.intervention_tower_names_size() > 0) {
      const std::string prefix = "interventions." + name;
      std::vector<Value> sources;
      for (const std::string& other : tower.intervention_tower_names()) sources.push_back(move(other));
      const Value source = StopGradient(graph, Concat(graph, prefix + ".concat", std::move(sources)), prefix + ".stop");
      value = Dropout(graph, Intervene(graph, value, source, tower.low_rank_dim(), prefix), tower.dropout_ratio(),
                      prefix + ".dropout");
    }
    return moved[name] = value;
  };
  for (const config::TaskTower& tower : config.task_towers())
    graph.AddOutput(tower.tower_name(), OutputUnit(graph, inputs, move(tower.tower_name()), tower));
}

}  // namespace manygate
