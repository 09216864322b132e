// SPDX-License-Identifier: Apache-2.0
// DSelect-k: gates that select at most k experts and can be trained by gradients. Hazimeh, Zhao, Chowdhery,
// Sathiamoorthy, Chen, Mazumder, Hong, Chi: DSelect-k: Differentiable Selection in the Mixture of Experts with
// Applications to Multi-Task Learning, NeurIPS 2021, equations 5 to 7. The experts are MMoE's; the gate of each task is
//
//   x [B,D] ─┬─ codes [B,k,M] ── smooth steps: selectors [B,k,E] ──┬─ mix: gate [B,E]
//            └─ selectors' weights: softmax [B,k] ─────────────────┘
//
// with M = ceil(log2 E) (ops/smooth_step.h). per_example: false makes codes and weights parameters that no row changes;
// they are named as the biases of the layers that they stand for. In training each task adds entropy_weight times its
// selectors' mean entropy to the loss and, where E is no power of two, the term that keeps codes within the E.
#include <cmath>
#include <string>
#include <vector>

#include "manygate/models/blocks.h"
#include "manygate/models/models.h"
#include "manygate/ops/broadcast.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/mix.h"
#include "manygate/ops/smooth_step.h"

namespace manygate {
namespace {

// All starts uniform in ±bound, as in the authors' program.
Value Logits(Graph& graph, Value x, Shape shape, bool per_example, float bound, const std::string& name) {
  if (!per_example) return Broadcast(graph, name + ".bias", shape, {Initializer::Kind::kUniform, -bound, bound});
  return Dense(graph, x, shape, name, true, bound * std::sqrt(static_cast<float>(graph.shape(x).size())));
}

struct SelectingGate {
  Value selectors;  // [B, k, E]
  Value gate;       // [B, E]
};

SelectingGate Select(Graph& graph, Value x, const config::DSelectK& config, const std::string& name) {
  const int64_t num_expert = config.num_expert(), k = config.num_selected();
  const Value codes = Logits(graph, x, {k, NumCodeBits(num_expert)}, config.per_example(), config.gamma() / 100,
                             name + ".codes");
  const Value weights = Softmax(
      graph, Logits(graph, x, {1, k}, config.per_example(), 0.05f, name + ".selectors"), name + ".selectors.softmax");
  const Value selectors = SelectExperts(graph, codes, num_expert, config.gamma(), name + ".select");
  return {selectors, Mix(graph, selectors, weights, name + ".mix")};
}

void AddRegularizers(Graph& graph, Value selectors, const config::DSelectK& config, const std::string& tower) {
  if (config.entropy_weight() > 0)
    graph.AddRowLoss("entropy." + tower, SelectorEntropy(graph, selectors, "entropy." + tower),
                     config.entropy_weight());
  if (config.num_expert() != int64_t{1} << NumCodeBits(config.num_expert()))
    graph.AddRowLoss("out_of_reach." + tower, SelectorsOutOfReach(graph, selectors, "out_of_reach." + tower), 1);
}

}  // namespace

void WireDSelectK(Graph& graph, const ModelInputs& inputs, const config::DSelectK& config) {
  const Value experts = ExpertBank(graph, inputs.x, config.expert_mlp(), config.num_expert(), "experts");
  std::vector<Value> selectors;
  for (const config::TaskTower& tower : config.task_towers()) {
    Value mixed = experts;  // one expert needs no gate
    if (config.num_expert() > 1) {
      const SelectingGate selecting = Select(graph, inputs.x, config, "gates." + tower.tower_name());
      selectors.push_back(selecting.selectors);
      mixed = Mix(graph, experts, selecting.gate, "mix." + tower.tower_name());
    }
    AddTower(graph, inputs, mixed, tower);
  }
  for (size_t t = 0; t < selectors.size(); ++t)
    AddRegularizers(graph, selectors[t], config, config.task_towers(static_cast<int>(t)).tower_name());
}

}  // namespace manygate
