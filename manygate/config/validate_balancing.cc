// SPDX-License-Identifier: Apache-2.0
// Rules of train_config.balancing, and of what the model says about it.
#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/problems.h"

namespace manygate::config {
namespace {

// The method that is set: "pareto"; "" if none is.
std::string MethodName(const Balancing& balancing) {
  const auto* field =
      balancing.GetReflection()->GetOneofFieldDescriptor(balancing, Balancing::descriptor()->FindOneofByName("method"));
  return field == nullptr ? "" : field->name();
}

std::vector<std::string> MethodNames() {
  const auto* method = Balancing::descriptor()->FindOneofByName("method");
  std::vector<std::string> names;
  for (int i = 0; i < method->field_count(); ++i) names.push_back(method->field(i)->name());
  return names;
}

void CheckMetaBalance(const MetaBalance& metabalance, const ModelConfig& model, Problems* problems) {
  const std::vector<std::string> strategies = {"both", "reduce", "enlarge"};
  if (std::find(strategies.begin(), strategies.end(), metabalance.strategy()) == strategies.end()) {
    problems->Add(metabalance, "strategy",
                  fmt::format("\"{}\" is unknown. {}", metabalance.strategy(),
                              Suggestion(metabalance.strategy(), strategies, "Known")));
  }
  if (metabalance.target_tower().empty()) return;
  std::vector<std::string> towers;
  for (const TaskTower& tower : TaskTowers(model)) towers.push_back(TowerName(tower));
  if (std::find(towers.begin(), towers.end(), metabalance.target_tower()) != towers.end()) return;
  problems->Add(metabalance, "target_tower",
                fmt::format("\"{}\" is no tower. {}", metabalance.target_tower(),
                            Suggestion(metabalance.target_tower(), towers, "Towers")));
}

// What a method makes of a loss that only makes sense for losses of at least 0; null: any loss will do.
const char* WhyNotNegative(Balancing::MethodCase method) {
  switch (method) {
    case Balancing::kFamo:
    case Balancing::kDbMtl: return "takes logs of losses";
    case Balancing::kDwa:
    case Balancing::kGradnorm: return "divides losses by earlier ones";
    case Balancing::kUncertainty: return "scales losses by a learnt variance";
    default: return nullptr;
  }
}

void CheckLosses(const Balancing& balancing, const ModelConfig& model, Problems* problems) {
  const char* why = WhyNotNegative(balancing.method_case());
  if (why == nullptr) return;
  for (const TaskTower& tower : TaskTowers(model)) {
    for (const LossConfig& loss : tower.losses()) {
      if (!loss.has_poisson_loss() && !loss.has_ziln_loss()) continue;
      problems->Add(balancing, MethodName(balancing),
                    fmt::format("{}, which can be negative with the {} of tower \"{}\": use another loss there, or "
                                "metabalance, pcgrad, cagrad or pareto",
                                why, LossName(loss), TowerName(tower)));
      return;
    }
  }
}

void CheckLowerBounds(const ModelConfig& model, bool has_pareto, Problems* problems) {
  double sum = 0;
  const TaskTower* last = nullptr;
  for (const TaskTower& tower : TaskTowers(model)) {
    if (!(tower.pareto_min_loss_weight() > 0)) continue;
    sum += tower.pareto_min_loss_weight();
    last = &tower;
    if (!has_pareto) {
      problems->Add(tower, "pareto_min_loss_weight", "has no effect without train_config.balancing { pareto {} }");
    }
  }
  // The weights sum to 1, and rounding of the bounds is no reason to refuse.
  if (last != nullptr && sum >= 1 - 1e-6) {
    problems->Add(
        *last, "pareto_min_loss_weight",
        fmt::format("brings the sum over the towers to {:.6g}, expected less than 1: the weights sum to 1", sum));
  }
}

}  // namespace

void CheckBalancing(const Pipeline& pipeline, Problems* problems) {
  const TrainConfig& train = pipeline.train_config();
  const ModelConfig& model = pipeline.model_config();
  if (TaskTowers(model).empty()) return;  // reported already
  const Balancing& balancing = train.balancing();
  const std::string method = MethodName(balancing);
  const bool wants_pareto = model.use_pareto_loss_weight();
  if (train.has_balancing() && method.empty()) {
    problems->Add(train, "balancing", fmt::format("names no method. Methods: {}", fmt::join(MethodNames(), ", ")));
  }
  if (wants_pareto && !method.empty() && method != "pareto") {
    problems->Add(model, "use_pareto_loss_weight",
                  fmt::format("asks for pareto, but train_config.balancing names {}: remove one of them", method));
  }
  if (TaskTowers(model).size() == 1 && (wants_pareto || !method.empty())) {
    const std::string_view text = "has no effect with one tower: remove it";
    method.empty() ? problems->Add(model, "use_pareto_loss_weight", text) : problems->Add(train, "balancing", text);
  }
  if (balancing.has_metabalance()) CheckMetaBalance(balancing.metabalance(), model, problems);
  CheckLosses(balancing, model, problems);
  CheckLowerBounds(model, wants_pareto || balancing.has_pareto(), problems);
}

}  // namespace manygate::config
