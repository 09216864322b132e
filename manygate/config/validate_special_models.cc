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
  if (model.task_domain_num() != 1) {
    problems->Add(model, "task_domain_num",
                  fmt::format("is {}, expected 1: train one model per domain, or make the domain a feature of the "
                              "group \"domain\"",
                              model.task_domain_num()));
  }
  constexpr int kDefaultLayers = 2;  // as config/resolve.cc writes them
  const int layers = model.ppnet_hidden_units_size();
  CheckPerLayer(model, "ppnet_dropout_ratio", model.ppnet_dropout_ratio_size(), layers > 0 ? layers : kDefaultLayers,
                problems);
  CheckActivation(model, "ppnet_activation", model.ppnet_activation(), problems);
}

// How towers name the towers that they read: relation_tower_names or intervention_tower_names.
struct TowerLinks {
  const char* field;
  const google::protobuf::RepeatedPtrField<std::string>& (TaskTower::*names)() const;
};
constexpr TowerLinks kRelations{"relation_tower_names", &TaskTower::relation_tower_names};
constexpr TowerLinks kInterventions{"intervention_tower_names", &TaskTower::intervention_tower_names};

// Names of towers that read each other in a circle, the first again at the end; empty: there is none.
class Circle {
 public:
  Circle(const Towers& towers, const TowerLinks& links)
      : towers_(towers), links_(links), states_(towers.size(), kNew) {}

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
    for (const std::string& name : (towers_[index].*links_.names)()) {
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
  const TowerLinks links_;
  std::vector<State> states_;
  std::vector<std::string> path_;
};

// The towers that are named exist, once each, and nothing goes round in a circle.
void CheckLinks(const Towers& towers, const TowerLinks& links, Problems* problems) {
  for (const TaskTower& tower : towers) {
    std::vector<std::string> others;
    for (const TaskTower& other : towers) {
      if (&other != &tower) others.push_back(TowerName(other));
    }
    UniqueNames names(problems);
    const auto& linked = (tower.*links.names)();
    for (int i = 0; i < linked.size(); ++i) {
      names.Note(linked[i], tower, links.field, i);
      if (std::find(others.begin(), others.end(), linked[i]) != others.end()) continue;
      problems->Add(tower, links.field, i,
                    linked[i] == TowerName(tower)
                        ? fmt::format("\"{}\" is this tower itself", linked[i])
                        : fmt::format("\"{}\" is not a tower. {}", linked[i], Suggestion(linked[i], others, "Towers")));
    }
  }
  const std::vector<std::string> circle = Circle(towers, links).Find();
  if (circle.empty()) return;
  const auto first =
      std::find_if(towers.begin(), towers.end(), [&](const TaskTower& tower) { return TowerName(tower) == circle[0]; });
  std::string text = circle[0];
  for (size_t i = 1; i < circle.size(); ++i) text += " reads " + circle[i];
  problems->Add(*first, links.field, fmt::format("closes a circle: {}", text));
}

// Of DBMTL and DC2VR.
template <typename Model>
void CheckOptionalExperts(const Model& model, Problems* problems) {
  if (model.has_expert_mlp()) return;
  if (model.has_gate_mlp()) problems->Add(model, "gate_mlp", "has no effect without expert_mlp");
  if (model.has_num_expert()) problems->Add(model, "num_expert", "has no effect without expert_mlp");
}

void CheckMaskNet(const MaskNetModule& mask_net, Problems* problems) {
  if (!mask_net.has_n_mask_blocks()) problems->AddTo(mask_net, "has no n_mask_blocks: the number of blocks");
  if (!mask_net.has_mask_block()) {
    problems->AddTo(mask_net, "has no mask_block. Write mask_block { hidden_dim: 64 }");
    return;
  }
  const MaskBlock& block = mask_net.mask_block();
  if (!block.has_hidden_dim()) problems->AddTo(block, "has no hidden_dim: the units of a block's output");
  if (block.has_aggregation_dim() && block.has_reduction_ratio()) {
    problems->Add(block, "aggregation_dim", "excludes reduction_ratio: keep one of them");
  }
}

void CheckDbmtl(const DBMTL& dbmtl, Problems* problems) {
  CheckLinks(dbmtl.task_towers(), kRelations, problems);
  for (const TaskTower& tower : dbmtl.task_towers()) {
    if (tower.has_relation_mlp() && tower.relation_tower_names_size() == 0) {
      problems->Add(tower, "relation_mlp", "has no effect without relation_tower_names");
    }
  }
  if (dbmtl.has_mask_net()) CheckMaskNet(dbmtl.mask_net(), problems);
  CheckOptionalExperts(dbmtl, problems);
}

// Units of the tower's hidden output; 0: it has the width of the features.
uint32_t HiddenWidth(const DC2VR& dc2vr, const TaskTower& tower) {
  for (const MLP* mlp : {&tower.mlp(), &dc2vr.expert_mlp(), &dc2vr.bottom_mlp()}) {
    if (mlp->hidden_units_size() > 0) return *mlp->hidden_units().rbegin();
  }
  return 0;
}

// The rank of a rotation is at most the width of what is rotated.
void CheckRank(const DC2VR& dc2vr, const TaskTower& tower, Problems* problems) {
  const auto check = [&](uint32_t width, const std::string& what) {
    if (width == 0) {
      problems->Add(
          tower, "low_rank_dim",
          fmt::format("needs hidden layers to rotate: {} has none. Give it an mlp, or dc2vr a bottom_mlp", what));
    } else if (tower.low_rank_dim() > width) {
      problems->Add(tower, "low_rank_dim",
                    fmt::format("is {}, expected at most {}: the hidden output of {} is as wide", tower.low_rank_dim(),
                                width, what));
    }
  };
  check(HiddenWidth(dc2vr, tower), fmt::format("\"{}\"", TowerName(tower)));
  uint32_t sources = 0;
  for (const std::string& name : tower.intervention_tower_names()) {
    const auto source = std::find_if(dc2vr.task_towers().begin(), dc2vr.task_towers().end(),
                                     [&](const TaskTower& other) { return TowerName(other) == name; });
    if (source == dc2vr.task_towers().end()) return;  // reported already
    const uint32_t width = HiddenWidth(dc2vr, *source);
    if (width == 0) return check(0, fmt::format("\"{}\"", name));
    sources += width;
  }
  check(sources, "its intervention towers together");
}

void CheckDc2vr(const DC2VR& dc2vr, Problems* problems) {
  CheckLinks(dc2vr.task_towers(), kInterventions, problems);
  for (const TaskTower& tower : dc2vr.task_towers()) {
    if (tower.intervention_tower_names_size() == 0) {
      if (tower.has_low_rank_dim())
        problems->Add(tower, "low_rank_dim", "has no effect without intervention_tower_names");
      if (tower.has_dropout_ratio())
        problems->Add(tower, "dropout_ratio", "has no effect without intervention_tower_names");
    } else if (!tower.has_low_rank_dim()) {
      problems->AddTo(tower, "has intervention_tower_names, but no low_rank_dim: the width of the rotation");
    } else {
      CheckRank(dc2vr, tower, problems);
    }
  }
  CheckOptionalExperts(dc2vr, problems);
}

// Fields of towers that one model only reads.
void CheckTowerFieldsAreRead(const ModelConfig& model, Problems* problems) {
  const auto check = [&](const char* reader, std::initializer_list<const char*> fields) {
    if (ModelName(model) == reader) return;
    for (const TaskTower& tower : TaskTowers(model)) {
      for (const char* name : fields) {
        const auto* field = TaskTower::descriptor()->FindFieldByName(name);
        const google::protobuf::Reflection& reflection = *tower.GetReflection();
        if (!(field->is_repeated() ? reflection.FieldSize(tower, field) > 0 : reflection.HasField(tower, field)))
          continue;
        problems->Add(tower, name, fmt::format("is for {}; {} does not read it", reader, ModelName(model)));
      }
    }
  };
  check("dbmtl", {"relation_tower_names", "relation_mlp"});
  check("dc2vr", {"intervention_tower_names", "low_rank_dim", "dropout_ratio"});
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
  CheckTowerFieldsAreRead(model, problems);
  if (model.has_cgc() || model.has_ple()) CheckNoTowerIsShared(model, problems);
  switch (model.model_case()) {
    case ModelConfig::kCgc: return CheckExpertGroups(model.cgc(), problems);
    case ModelConfig::kPle: return CheckPle(model.ple(), problems);
    case ModelConfig::kEsmm: return CheckFunnel(model.esmm(), model.esmm().task_towers(), problems);
    case ModelConfig::kEscm2: return CheckEscm2(model.escm2(), problems);
    case ModelConfig::kAitm: return CheckAitm(model.aitm(), problems);
    case ModelConfig::kDbmtl: return CheckDbmtl(model.dbmtl(), problems);
    case ModelConfig::kDc2Vr: return CheckDc2vr(model.dc2vr(), problems);
    case ModelConfig::kDselectK: return CheckDSelectK(model.dselect_k(), problems);
    case ModelConfig::kPepnet: return CheckPepNet(model.pepnet(), problems);
    default: return;
  }
}

}  // namespace manygate::config
