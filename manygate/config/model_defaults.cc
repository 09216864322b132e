// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/model_defaults.h"

#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/config/accessors.h"

namespace manygate::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

bool IsNeeded(const FieldDescriptor& field) { return field.options().GetExtension(needed); }

void FillMlp(std::span<const uint32_t> widths, bool reads_features, const NetworkDefaults& defaults, MLP* mlp) {
  for (const uint32_t width : widths) mlp->add_hidden_units(width);
  if (defaults.activation != mlp->activation()) mlp->set_activation(defaults.activation);
  if (defaults.dropout > 0) mlp->add_dropout_ratio(defaults.dropout);
  const float first = reads_features ? defaults.first_init_scale : defaults.init_scale;
  if (first == 1 && defaults.init_scale == 1) return;
  mlp->add_init_scale(first);
  for (size_t i = 1; i < widths.size() && first != defaults.init_scale; ++i) mlp->add_init_scale(defaults.init_scale);
}

// Fills the needed networks of `message` that are absent; whether there are any needed ones.
bool FillNeeded(std::span<const uint32_t> widths, bool reads_features, const NetworkDefaults& defaults,
                Message* message) {
  const Reflection& reflection = *message->GetReflection();
  const auto fill = [&](Message* network, std::span<const uint32_t> layers, bool first) {
    if (network->GetDescriptor() == MLP::descriptor()) {
      FillMlp(layers, first, defaults, static_cast<MLP*>(network));
    } else {
      FillNeeded(layers, first, defaults, network);
    }
  };
  bool any = false;
  for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message->GetDescriptor()->field(i);
    if (!IsNeeded(*field)) continue;
    any = true;
    if (!field->is_repeated()) {
      if (!reflection.HasField(*message, field)) {
        fill(reflection.MutableMessage(message, field), widths, reads_features);
      }
      continue;
    }
    if (reflection.FieldSize(*message, field) > 0) continue;
    for (size_t level = 0; level < widths.size(); ++level) {
      fill(reflection.AddMessage(message, field), widths.subspan(level, 1), reads_features && level == 0);
    }
  }
  return any;
}

void FillNumExpert(const NetworkDefaults& defaults, Message* model) {
  const auto* count = model->GetDescriptor()->FindFieldByName("num_expert");
  const auto* experts = model->GetDescriptor()->FindFieldByName("expert_mlp");
  if (defaults.num_expert == 0 || count == nullptr || experts == nullptr) return;
  const Reflection& reflection = *model->GetReflection();
  if (!reflection.HasField(*model, experts) || reflection.HasField(*model, count)) return;
  reflection.SetUInt32(model, count, defaults.num_expert);
}

// Each task on the one before it, as the steps of a funnel; without relations DBMTL would be Shared-Bottom.
void FillDbmtl(const NetworkDefaults& defaults, DBMTL* dbmtl) {
  if (!dbmtl->has_bottom_mlp()) FillMlp(defaults.trunk, true, defaults, dbmtl->mutable_bottom_mlp());
  for (int i = 1; i < dbmtl->task_towers_size(); ++i) {
    TaskTower& tower = *dbmtl->mutable_task_towers(i);
    if (tower.relation_tower_names_size() > 0 || tower.has_relation_mlp()) continue;
    tower.add_relation_tower_names(TowerName(dbmtl->task_towers(i - 1)));
    FillMlp(defaults.tower, false, defaults, tower.mutable_relation_mlp());
  }
}

// Each tower moved by the one before it, in a quarter of its dimensions; without interventions it would be Shared-Bottom.
void FillDc2vr(const NetworkDefaults& defaults, DC2VR* dc2vr) {
  if (!dc2vr->has_bottom_mlp()) FillMlp(defaults.trunk, true, defaults, dc2vr->mutable_bottom_mlp());
  for (TaskTower& tower : *dc2vr->mutable_task_towers()) {
    if (!tower.has_mlp()) FillMlp(defaults.tower, false, defaults, tower.mutable_mlp());
  }
  const auto width = [&](int i) { return *dc2vr->task_towers(i).mlp().hidden_units().rbegin(); };
  for (int i = 1; i < dc2vr->task_towers_size(); ++i) {
    TaskTower& tower = *dc2vr->mutable_task_towers(i);
    if (tower.intervention_tower_names_size() > 0 || tower.has_low_rank_dim()) continue;
    tower.add_intervention_tower_names(TowerName(dc2vr->task_towers(i - 1)));
    tower.set_low_rank_dim(std::max(1u, std::min(width(i), width(i - 1)) / 4));
  }
}

void FillPepNet(const NetworkDefaults& defaults, PEPNet* pepnet) {
  if (pepnet->ppnet_hidden_units_size() == 0) {
    pepnet->add_ppnet_hidden_units(defaults.trunk.back());
    for (const uint32_t width : defaults.tower) pepnet->add_ppnet_hidden_units(width);
  }
  if (!pepnet->has_ppnet_activation() && defaults.activation != pepnet->ppnet_activation()) {
    pepnet->set_ppnet_activation(defaults.activation);
  }
  if (pepnet->ppnet_dropout_ratio_size() == 0 && defaults.dropout > 0) {
    pepnet->add_ppnet_dropout_ratio(defaults.dropout);
  }
}

}  // namespace

void FillModelDefaults(ModelConfig* model_config, const NetworkDefaults& defaults) {
  Message* model = MutableModelMessage(model_config);
  if (model == nullptr) return;
  MG_CHECK(!defaults.trunk.empty() && !defaults.tower.empty(), "{} and {} layers", defaults.trunk.size(),
           defaults.tower.size());
  if (model_config->has_pepnet()) return FillPepNet(defaults, model_config->mutable_pepnet());
  bool has_trunk = FillNeeded(defaults.trunk, true, defaults, model);
  if (model_config->has_dbmtl()) {
    FillDbmtl(defaults, model_config->mutable_dbmtl());
    has_trunk = true;
  }
  if (model_config->has_dc2vr()) {
    FillDc2vr(defaults, model_config->mutable_dc2vr());
    has_trunk = true;
  }
  FillNumExpert(defaults, model);
  std::vector<uint32_t> alone = defaults.trunk;
  alone.insert(alone.end(), defaults.tower.begin(), defaults.tower.end());
  const bool bottom = model_config->esmm().has_bottom_mlp();
  for (TaskTower& tower : *MutableTaskTowers(model_config)) {
    if (tower.has_mlp()) continue;
    const bool above = has_trunk || bottom;
    FillMlp(above ? defaults.tower : alone, !above, defaults, tower.mutable_mlp());
  }
}

StatusOr<ModelConfig> DefaultModel(std::string_view name, std::span<const TaskTower> towers,
                                   const NetworkDefaults& defaults) {
  const std::vector<std::string> names = ModelNames();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const std::string near = NearestName(name, names);
    return InvalidInput(fmt::format("no such model. {}Models: {}",
                                    near.empty() ? "" : fmt::format("Did you mean \"{}\"? ", near),
                                    JoinNames(names, names.size())));
  }
  ModelConfig model;
  model.GetReflection()->MutableMessage(&model, ModelConfig::descriptor()->FindFieldByName(std::string(name)));
  MutableTaskTowers(&model)->Assign(towers.begin(), towers.end());
  FillModelDefaults(&model, defaults);
  return model;
}

}  // namespace manygate::config
