// SPDX-License-Identifier: Apache-2.0
// ESMM: Entire Space Multi-task Model. Ma, Zhao, Huang, Wang, Hu, Zhu, Gai: Entire Space Multi-Task Model: An Effective
// Approach for Estimating Post-Click Conversion Rate, SIGIR 2018, equation 1, for a funnel of any length.
//
//            ┌─ tower click ───────── z_1 ─────────────────┬─ logits click: P(click)
//   x ─ bottom                                          product ── logits buy: P(buy) = P(click) · P(buy | click)
//            ├─ tower buy ─────────── z_2 ─────────────────┘ │     extra buy_given_click: z_2
//            │                                            product ── logits pay: P(pay) = P(buy) · P(pay | buy)
//            ├─ tower pay ─────────── z_3 ───────────────────┘     extra pay_given_buy: z_3
//            └─ tower amount (not binary) ──────────────────────── logits amount, beside the funnel
//
// Each binary tower's output, compared with its label over all rows, is the probability of having come so far.
#include "manygate/config/accessors.h"
#include "manygate/models/blocks.h"
#include "manygate/models/models.h"
#include "manygate/ops/probability_product.h"

namespace manygate {

void WireEsmm(Graph& graph, const ModelInputs& inputs, const config::ESMM& config) {
  const Value bottom = Mlp(graph, inputs.x, config.bottom_mlp(), "bottom");
  std::vector<std::pair<std::string, Value>> conditional;
  std::string step;  // the last one wired
  Value reached = -1;
  for (const config::TaskTower& tower : config.task_towers()) {
    const std::string& name = tower.tower_name();
    Value logits = TowerLogits(graph, inputs, bottom, tower);
    if (config::KindOf(tower) == config::TaskKind::kBinary) {
      if (!step.empty()) {
        conditional.emplace_back(name + "_given_" + step, logits);
        logits = ProbabilityProduct(graph, reached, logits, "towers." + name + ".product");
      }
      step = name;
      reached = logits;
    }
    graph.AddOutput(name, logits);
  }
  for (const auto& [name, logits] : conditional) graph.AddExtra(name, logits);
}

}  // namespace manygate
