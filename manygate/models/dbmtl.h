// SPDX-License-Identifier: Apache-2.0
// What DBMTL and DC2VR have in common: everything up to the towers' hidden outputs.
#ifndef MANYGATE_MODELS_DBMTL_H_
#define MANYGATE_MODELS_DBMTL_H_

#include <map>
#include <string>

#include "manygate/models/blocks.h"
#include "manygate/models/models.h"
#include "manygate/ops/mix.h"

namespace manygate {

// The hidden outputs by tower: x through bottom_mlp "bottom", with expert_mlp a mixture "experts" with a gate
// "gates.<tower>" for each tower, and the tower's own layers "towers.<tower>". Config: config::DBMTL or config::DC2VR.
template <class Config>
std::map<std::string, Value> HiddenTowers(Graph& graph, const ModelInputs& inputs, Value x, const Config& config) {
  const Value bottom = Mlp(graph, x, config.bottom_mlp(), "bottom");
  const bool mixture = config.has_expert_mlp();
  const Value experts = mixture ? ExpertBank(graph, bottom, config.expert_mlp(), config.num_expert(), "experts") : -1;
  std::map<std::string, Value> hidden;
  for (const config::TaskTower& tower : config.task_towers()) {
    const std::string& name = tower.tower_name();
    Value below = bottom;
    if (mixture) {
      const Value gate = Gate(graph, bottom, config.gate_mlp(), config.num_expert(), inputs.gating, "gates." + name);
      below = Mix(graph, experts, gate, "mix." + name);
    }
    hidden[name] = Mlp(graph, below, tower.mlp(), "towers." + name);
  }
  return hidden;
}

}  // namespace manygate

#endif  // MANYGATE_MODELS_DBMTL_H_
