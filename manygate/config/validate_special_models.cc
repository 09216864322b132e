// SPDX-License-Identifier: Apache-2.0
// What only one model asks of its configuration. A model that asks nothing has no line here.
#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/problems.h"

namespace manygate::config {
namespace {

using google::protobuf::Message;
using Towers = google::protobuf::RepeatedPtrField<TaskTower>;

// Of CGC, or of one level of PLE: experts of each task and shared ones, side by side in one mix.
template <typename Level>
void CheckExpertGroups(const Level& level, Problems* problems) {
  if (level.expert_num_per_task() == 0 && level.share_num() == 0) {
    problems->Add(level, level.has_expert_num_per_task() ? "expert_num_per_task" : "share_num",
                  "is 0, and so is the number of the other experts: one of the two must be at least 1");
    return;
  }
  const MLP &task = level.task_expert_net(), &shared = level.share_expert_net();
  if (level.expert_num_per_task() == 0 || level.share_num() == 0) return;
  if (task.hidden_units_size() == 0 || shared.hidden_units_size() == 0) return;  // reported already
  const uint32_t task_width = *task.hidden_units().rbegin(), shared_width = *shared.hidden_units().rbegin();
  if (task_width == shared_width) return;
  problems->Add(
      shared, "hidden_units", shared.hidden_units_size() - 1,
      fmt::format("is {}, but the last width of task_expert_net is {}: experts that are mixed are equally wide",
                  shared_width, task_width));
}

void CheckPle(const PLE& ple, Problems* problems) {
  UniqueNames names(problems);
  const int levels = ple.extraction_networks_size();
  for (int i = 0; i < levels; ++i) {
    const ExtractionNetwork& level = ple.extraction_networks(i);
    names.Note(level.network_name(), level, "network_name");
    CheckExpertGroups(level, problems);
    if (level.share_num() == 0 && level.expert_num_per_task() > 0 && i + 1 < levels) {
      problems->Add(level, "share_num", "is 0, expected at least 1: only the last level may have no shared experts");
    }
  }
}

// The binary towers are steps of a funnel whose probabilities are multiplied.
void CheckFunnel(const Message& model, const Towers& towers, Problems* problems) {
  if (towers.empty()) return;  // reported already
  int steps = 0;
  for (const TaskTower& tower : towers) {
    if (KindOf(tower) != TaskKind::kBinary) continue;
    ++steps;
    if (NumLogits(tower) == 1) continue;
    problems->AddTo(tower.losses(0),
                    fmt::format("is {} with {} outputs: a step of a funnel needs a loss of one output, "
                                "such as binary_cross_entropy",
                                LossName(tower), NumLogits(tower)));
  }
  if (steps >= 2) return;
  problems->AddTo(model, fmt::format("has {} binary tower{}, expected at least 2: the steps of the funnel, in order",
                                     steps, steps == 1 ? "" : "s"));
}

void CheckEscm2(const ESCM2& escm2, Problems* problems) {
  CheckFunnel(escm2, escm2.task_towers(), problems);
  const std::vector<std::string> modes = {"IPW", "DR"};
  if (std::find(modes.begin(), modes.end(), escm2.counterfact_mode()) != modes.end()) return;
  problems->Add(escm2, "counterfact_mode",
                fmt::format("\"{}\" is unknown. {}", escm2.counterfact_mode(),
                            Suggestion(escm2.counterfact_mode(), modes, "Known")));
}

void CheckAitm(const AITM& aitm, Problems* problems) {
  if (aitm.task_towers_size() == 1) {
    problems->AddTo(aitm, "has 1 task_towers, expected at least 2: each passes on to the next what it learnt");
  }
  for (const TaskTower& tower : aitm.task_towers()) {
    if (KindOf(tower) != TaskKind::kBinary || NumLogits(tower) == 1) continue;
    problems->AddTo(tower.losses(0),
                    fmt::format("is {} with {} outputs: a step of a funnel needs a loss of one output, "
                                "such as binary_cross_entropy",
                                LossName(tower), NumLogits(tower)));
  }
}

void CheckDSelectK(const DSelectK& model, Problems* problems) {
  if (model.num_selected() <= model.num_expert()) return;
  problems->Add(model, "num_selected",
                fmt::format("is {}, expected at most num_expert ({})", model.num_selected(), model.num_expert()));
}

void CheckPepNet(const PEPNet& model, Problems* problems) {
  constexpr int kDefaultLayers = 2;  // as config/resolve.cc writes them
  const int layers = model.ppnet_hidden_units_size();
  CheckPerLayer(model, "ppnet_dropout_ratio", model.ppnet_dropout_ratio_size(), layers > 0 ? layers : kDefaultLayers,
                problems);
  CheckActivation(model, "ppnet_activation", model.ppnet_activation(), problems);
}

// Names of towers that read each other in a circle, the first again at the end; empty: there is none.
class Circle {
 public:
  explicit Circle(const Towers& towers) : towers_(towers), states_(towers.size(), kNew) {}

  std::vector<std::string> Find() {
    for (int i = 0; i < towers_.size(); ++i) {
      if (states_[i] == kNew && Visit(i)) return path_;
    }
    return {};
  }

 private:
  enum State { kNew, kOpen, kDone };

  // Whether a circle was found; path_ then holds it.
  bool Visit(int index) {
    states_[index] = kOpen;
    path_.push_back(TowerName(towers_[index]));
    for (const std::string& name : towers_[index].relation_tower_names()) {
      const auto other = std::find_if(towers_.begin(), towers_.end(),
                                      [&](const TaskTower& tower) { return TowerName(tower) == name; });
      const int next = static_cast<int>(other - towers_.begin());
      if (next == towers_.size() || next == index || states_[next] == kDone) continue;
      if (states_[next] == kOpen) {
        path_.erase(path_.begin(), std::find(path_.begin(), path_.end(), name));
        path_.push_back(name);
        return true;
      }
      if (Visit(next)) return true;
    }
    path_.pop_back();
    states_[index] = kDone;
    return false;
  }

  const Towers& towers_;
  std::vector<State> states_;
  std::vector<std::string> path_;
};

void CheckRelations(const Towers& towers, Problems* problems) {
  for (const TaskTower& tower : towers) {
    std::vector<std::string> others;
    for (const TaskTower& other : towers) {
      if (&other != &tower) others.push_back(TowerName(other));
    }
    UniqueNames names(problems);
    for (int i = 0; i < tower.relation_tower_names_size(); ++i) {
      const std::string& name = tower.relation_tower_names(i);
      names.Note(name, tower, "relation_tower_names", i);
      if (std::find(others.begin(), others.end(), name) != others.end()) continue;
      problems->Add(tower, "relation_tower_names", i,
                    name == TowerName(tower)
                        ? fmt::format("\"{}\" is this tower itself", name)
                        : fmt::format("\"{}\" is not a tower. {}", name, Suggestion(name, others, "Towers")));
    }
    if (tower.has_relation_mlp() && tower.relation_tower_names_size() == 0) {
      problems->Add(tower, "relation_mlp", "has no effect without relation_tower_names");
    }
  }
  const std::vector<std::string> circle = Circle(towers).Find();
  if (circle.empty()) return;
  const auto first =
      std::find_if(towers.begin(), towers.end(), [&](const TaskTower& tower) { return TowerName(tower) == circle[0]; });
  std::string text = circle[0];
  for (size_t i = 1; i < circle.size(); ++i) text += " reads " + circle[i];
  problems->Add(*first, "relation_tower_names", fmt::format("closes a circle: {}", text));
}

void CheckDbmtl(const DBMTL& dbmtl, Problems* problems) {
  CheckRelations(dbmtl.task_towers(), problems);
  if (dbmtl.has_expert_mlp()) return;
  if (dbmtl.has_gate_mlp()) problems->Add(dbmtl, "gate_mlp", "has no effect without expert_mlp");
  if (dbmtl.has_num_expert()) problems->Add(dbmtl, "num_expert", "has no effect without expert_mlp");
}

void CheckNoRelations(const ModelConfig& model, Problems* problems) {
  for (const TaskTower& tower : TaskTowers(model)) {
    const std::string text = fmt::format("is for dbmtl; {} does not read it", ModelName(model));
    if (tower.relation_tower_names_size() > 0) problems->Add(tower, "relation_tower_names", text);
    if (tower.has_relation_mlp()) problems->Add(tower, "relation_mlp", text);
  }
}

// The experts that belong to no task are called so.
void CheckNoTowerIsShared(const ModelConfig& model, Problems* problems) {
  for (const TaskTower& tower : TaskTowers(model)) {
    if (TowerName(tower) == "shared")
      problems->AddTo(tower, fmt::format("is called \"shared\", as the shared experts of {} are: give it another "
                                         "tower_name",
                                         ModelName(model)));
  }
}

}  // namespace

void CheckSpecialModel(const ModelConfig& model, Problems* problems) {
  if (!model.has_dbmtl()) CheckNoRelations(model, problems);
  if (model.has_cgc() || model.has_ple()) CheckNoTowerIsShared(model, problems);
  switch (model.model_case()) {
    case ModelConfig::kCgc: return CheckExpertGroups(model.cgc(), problems);
    case ModelConfig::kPle: return CheckPle(model.ple(), problems);
    case ModelConfig::kEsmm: return CheckFunnel(model.esmm(), model.esmm().task_towers(), problems);
    case ModelConfig::kEscm2: return CheckEscm2(model.escm2(), problems);
    case ModelConfig::kAitm: return CheckAitm(model.aitm(), problems);
    case ModelConfig::kDbmtl: return CheckDbmtl(model.dbmtl(), problems);
    case ModelConfig::kDselectK: return CheckDSelectK(model.dselect_k(), problems);
    case ModelConfig::kPepnet: return CheckPepNet(model.pepnet(), problems);
    default: return;
  }
}

}  // namespace manygate::config
