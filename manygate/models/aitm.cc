// SPDX-License-Identifier: Apache-2.0
// AITM: Adaptive Information Transfer Multi-task. Xi, Chen, Yan, Zhang, Zhu, Zhuang, Chen: Modeling the Sequential
// Dependence among Audience Multi-step Conversions with Multi-task Learning in Targeted Display Advertising, KDD 2021.
//
//   x [B,D] ─┬─ bottom a ──── q_a [B,H] ───────────────────────────── tower a ── logits a ─┐
//            │                 └─ information ─┐                                           ├─ calibrator: row loss
//            ├─ bottom b ──── q [B,H] ─── attention ── q_b [B,H] ──── tower b ── logits b ─┤  Σ max(p_b − p_a, 0)
//            │                                          └─ information ─┐                  │
//            └─ bottom c ──── q [B,H] ────────────────────────────── attention ── q_c ...  ┘
//
// The information layer has the form of the bottom's last layer (PaddleRec: dense, ReLU, dropout). Its weights and those
// of the attention are each task's own. Towers that are not binary take part in the transfer, not in the calibrator.
#include "manygate/config/accessors.h"
#include "manygate/models/blocks.h"
#include "manygate/models/models.h"
#include "manygate/ops/attention_transfer.h"
#include "manygate/ops/funnel_penalty.h"

namespace manygate {
namespace {

// The last of these layers, with whichever of the lists' values are its own.
config::MLP LastLayer(const config::MLP& mlp) {
  config::MLP last = mlp;
  const auto keep_last = [](auto* values) {
    if (values->size() > 1) values->erase(values->begin(), values->end() - 1);
  };
  keep_last(last.mutable_hidden_units());
  keep_last(last.mutable_dropout_ratio());
  keep_last(last.mutable_init_scale());
  return last;
}

}  // namespace

void WireAitm(Graph& graph, const ModelInputs& inputs, const config::AITM& config) {
  const config::MLP information_mlp = LastLayer(config.bottom_mlp());
  std::vector<Value> steps;  // logits of the binary towers
  Value q = -1;
  for (const config::TaskTower& tower : config.task_towers()) {
    const std::string &name = tower.tower_name(), transfer = "transfer." + name;
    const Value own = Mlp(graph, inputs.x, config.bottom_mlp(), "bottoms." + name);
    q = q < 0 ? own
              : AttentionTransfer(graph, Mlp(graph, q, information_mlp, transfer + ".information"), own, transfer);
    const Value logits = TowerLogits(graph, inputs, q, tower);
    if (config::KindOf(tower) == config::TaskKind::kBinary) steps.push_back(logits);
    graph.AddOutput(name, logits);
  }
  if (steps.size() < 2 || config.calibrator_weight() == 0) return;
  graph.AddRowLoss("calibrator", FunnelPenalty(graph, steps, "calibrator"), config.calibrator_weight());
}

}  // namespace manygate
