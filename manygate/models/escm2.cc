// SPDX-License-Identifier: Apache-2.0
// ESCM²: Entire Space Counterfactual Multi-task Model. Wang, Chang, Liu, Huang, Chen, Yu, Li, Chu: ESCM²: Entire Space
// Counterfactual Multi-Task Model for Post-Click Conversion Rate Estimation, SIGIR 2022.
//
//                    ┌─ mix ── tower click ───────┬──────────── logits click
//   x ── experts, ───┤                            ├─ product ── logits conversion: P(click) · P(conversion | click)
//        a gate each ├─ mix ── tower conversion ──┤             extra conversion_given_click
//                    ├─ mix ── imputation (DR) ───┴─ counterfactual: row loss, from the labels of both
//                    └─ mix ── other towers ─────────────────── logits
//
// The first two binary towers are click and conversion. The loss of the conversion tower is on the product, so ESMM's;
// it counts global_w times its weight (config::TowerWeight). The row loss counts counterfactual_w times. The imputation
// has the conversion tower's hidden layers and a gate of its own, "imputation.gate", "imputation.tower".
#include "manygate/base/check.h"
#include "manygate/config/accessors.h"
#include "manygate/models/blocks.h"
#include "manygate/models/models.h"
#include "manygate/ops/counterfactual.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/mix.h"
#include "manygate/ops/probability_product.h"

namespace manygate {

void WireEscm2(Graph& graph, const ModelInputs& inputs, const config::ESCM2& config) {
  const Value experts = ExpertBank(graph, inputs.x, config.expert_mlp(), config.num_expert(), "experts");
  const auto mixture = [&](const std::string& gate_name, const std::string& mix_name) {
    const Value gate = Gate(graph, inputs.x, config.gate_mlp(), config.num_expert(), inputs.gating, gate_name);
    return Mix(graph, experts, gate, mix_name);
  };
  std::vector<int> steps;
  std::vector<Value> logits;
  for (int t = 0; t < config.task_towers_size(); ++t) {
    const config::TaskTower& tower = config.task_towers(t);
    const std::string& name = tower.tower_name();
    if (config::KindOf(tower) == config::TaskKind::kBinary) steps.push_back(t);
    logits.push_back(TowerLogits(graph, inputs, mixture("gates." + name, "mix." + name), tower));
  }
  MG_CHECK(steps.size() >= 2 && static_cast<int>(inputs.labels.size()) == config.task_towers_size(),
           "{} binary towers, {} label columns of {} towers", steps.size(), inputs.labels.size(),
           config.task_towers_size());

  const config::TaskTower &click = config.task_towers(steps[0]), &conversion = config.task_towers(steps[1]);
  Counterfactual terms{.click = logits[steps[0]],
                       .conversion = logits[steps[1]],
                       .click_label = inputs.labels[steps[0]],
                       .conversion_label = inputs.labels[steps[1]],
                       .max_inverse_propensity = config.max_inverse_propensity()};
  logits[steps[1]] =
      ProbabilityProduct(graph, terms.click, terms.conversion, "towers." + conversion.tower_name() + ".product");
  for (int t = 0; t < config.task_towers_size(); ++t) graph.AddOutput(config.task_towers(t).tower_name(), logits[t]);

  if (config.counterfactual_w() > 0) {
    if (config.counterfact_mode() == "DR") {
      const Value hidden =
          Mlp(graph, mixture("imputation.gate", "imputation.mix"), conversion.mlp(), "imputation.tower");
      terms.imputation = Dense(graph, hidden, {1, 1}, "imputation.tower.output");
    }
    graph.AddRowLoss("counterfactual", CounterfactualLoss(graph, terms, "counterfactual"), config.counterfactual_w());
  }
  graph.AddExtra(conversion.tower_name() + "_given_" + click.tower_name(), terms.conversion);
}

}  // namespace manygate
