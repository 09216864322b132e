// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/twins.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/catalog/catalog.h"
#include "manygate/config/accessors.h"
#include "manygate/config/model_defaults.h"
#include "manygate/config/resolve.h"

namespace manygate {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Value number `layer` of a list that holds none, one for all layers, or one per layer.
template <typename List>
float PerLayer(const List& list, int layer, float none) {
  if (list.empty()) return none;
  return list.size() == 1 ? list.Get(0) : list.Get(layer);
}

// Puts the layers of `upper` on top of `stack`; everything but widths, dropout and initial values is the lowest one's.
void Stack(const config::MLP& upper, config::MLP* stack) {
  const int layers = stack->hidden_units_size();
  if (layers == 0) {
    *stack = upper;
    return;
  }
  const config::MLP lower = *stack;
  const bool drops = !lower.dropout_ratio().empty() || !upper.dropout_ratio().empty();
  const bool scales = !lower.init_scale().empty() || !upper.init_scale().empty();
  stack->clear_dropout_ratio();
  stack->clear_init_scale();
  stack->mutable_hidden_units()->MergeFrom(upper.hidden_units());
  for (int i = 0; i < stack->hidden_units_size(); ++i) {
    const config::MLP& part = i < layers ? lower : upper;
    const int layer = i < layers ? i : i - layers;
    if (drops) stack->add_dropout_ratio(PerLayer(part.dropout_ratio(), layer, 0));
    if (scales) stack->add_init_scale(PerLayer(part.init_scale(), layer, 1));
  }
}

bool IsNeeded(const FieldDescriptor& field) { return field.options().GetExtension(config::needed); }

// The networks between features and towers, one above the other. The needed field is that of the experts; a model that
// needs none has its networks in optional fields, gates aside.
config::MLP TrunkOf(const Message& message) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection.ListFields(message, &set);
  const auto needed = std::find_if(set.begin(), set.end(), [](const auto* field) { return IsNeeded(*field); });
  if (needed != set.end()) set = {*needed};
  config::MLP trunk;
  for (const FieldDescriptor* field : set) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (field->message_type() == config::TaskTower::descriptor() || field->name().starts_with("gate")) continue;
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const Message& part = field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                                 : reflection.GetMessage(message, field);
      Stack(part.GetDescriptor() == config::MLP::descriptor() ? static_cast<const config::MLP&>(part) : TrunkOf(part),
            &trunk);
    }
  }
  return trunk;
}

config::MLP DefaultTrunk() {
  config::MLP trunk;
  for (const uint32_t width : config::NetworkDefaults().trunk) trunk.add_hidden_units(width);
  return trunk;
}

config::MLP PepNetTower(const config::PEPNet& pepnet) {
  config::MLP tower;
  *tower.mutable_hidden_units() = pepnet.ppnet_hidden_units();
  tower.set_activation(pepnet.ppnet_activation());
  *tower.mutable_dropout_ratio() = pepnet.ppnet_dropout_ratio();
  return tower;
}

int64_t ParametersOf(const config::Pipeline& pipeline, const features::Schema& schema) {
  return BuildGraph(pipeline, schema, {.rewrite = false}).NumParameters();
}

void ScaleWidths(const config::MLP& trunk, double factor, config::MLP* scaled) {
  for (int i = 0; i < trunk.hidden_units_size(); ++i)
    scaled->set_hidden_units(i, static_cast<uint32_t>(std::max(1.0, std::round(trunk.hidden_units(i) * factor))));
}

// The largest factor of the bottom's widths with which there are at most `most` parameters.
void FitBottom(int64_t most, const features::Schema& schema, config::Pipeline* pipeline) {
  config::MLP& bottom = *pipeline->mutable_model_config()->mutable_shared_bottom()->mutable_bottom_mlp();
  const config::MLP trunk = bottom;
  constexpr double kClose = 1e-3;
  double fits = 0, exceeds = 1;
  const auto fit = [&](double factor) {
    ScaleWidths(trunk, factor, &bottom);
    return ParametersOf(*pipeline, schema) <= most;
  };
  for (; fit(exceeds); exceeds *= 2) fits = exceeds;
  while (exceeds - fits > kClose * exceeds && exceeds > kClose) {
    const double middle = 0.5 * (fits + exceeds);
    (fit(middle) ? fits : exceeds) = middle;
  }
  ScaleWidths(trunk, fits, &bottom);
}

bool IsFunnel(const config::ModelConfig& model) { return model.has_esmm() || model.has_escm2() || model.has_aitm(); }

void ClearRelations(config::ModelConfig* model) {
  for (config::TaskTower& tower : *config::MutableTaskTowers(model)) {
    tower.clear_relation_tower_names();
    tower.clear_relation_mlp();
    tower.clear_intervention_tower_names();
    tower.clear_low_rank_dim();
    tower.clear_dropout_ratio();
  }
}

// The name under which a run with other towers knows `name`: itself, the same metric of `tower`, or "loss".
std::string Translated(const std::string& name, const config::ModelConfig& from, const config::ModelConfig& to,
                       const std::string& tower) {
  const std::vector<std::string> known = config::EvaluationMetricNames(to);
  const auto is_known = [&](const std::string& one) {
    return std::find(known.begin(), known.end(), one) != known.end();
  };
  if (is_known(name)) return name;
  for (const config::TaskTower& other : config::TaskTowers(from)) {
    for (const std::string& metric : config::TowerMetricNames(other)) {
      const std::string same = metric + "_" + tower;
      if (name == metric + "_" + config::TowerName(other) && is_known(same)) return same;
    }
  }
  return "loss";
}

void TranslateWatched(const config::ModelConfig& from, const std::string& tower, config::Pipeline* pipeline) {
  config::TrainConfig& train = *pipeline->mutable_train_config();
  const config::ModelConfig& to = pipeline->model_config();
  if (train.has_early_stopping()) {
    train.mutable_early_stopping()->set_metric(Translated(train.early_stopping().metric(), from, to, tower));
  }
  std::vector<std::string> best;
  for (const std::string& name : train.best_metrics()) {
    const std::string translated = Translated(name, from, to, tower);
    if (std::find(best.begin(), best.end(), translated) == best.end()) best.push_back(translated);
  }
  train.mutable_best_metrics()->Assign(best.begin(), best.end());
}

}  // namespace

config::Pipeline SharedBottomTwin(const config::Pipeline& pipeline, const features::Schema& schema) {
  const config::ModelConfig& model = pipeline.model_config();
  config::Pipeline twin = pipeline;
  config::SharedBottom& shared = *twin.mutable_model_config()->mutable_shared_bottom();
  config::MLP trunk = TrunkOf(*config::ModelMessage(model));
  if (trunk.hidden_units().empty()) trunk = DefaultTrunk();
  *shared.mutable_bottom_mlp() = trunk;
  *shared.mutable_task_towers() = config::TaskTowers(model);
  if (model.has_pepnet()) {
    for (config::TaskTower& tower : *shared.mutable_task_towers()) *tower.mutable_mlp() = PepNetTower(model.pepnet());
  }
  twin.mutable_model_config()->clear_gating();
  ClearRelations(twin.mutable_model_config());
  FitBottom(ParametersOf(pipeline, schema), schema, &twin);
  config::ResolveDefaults(&twin);
  return twin;
}

config::Pipeline SingleTaskTwin(const config::Pipeline& pipeline, const features::Schema& schema, int tower) {
  const bool funnel = IsFunnel(pipeline.model_config());
  config::Pipeline twin = funnel ? SharedBottomTwin(pipeline, schema) : pipeline;
  auto* towers = config::MutableTaskTowers(twin.mutable_model_config());
  MG_CHECK(tower >= 0 && tower < towers->size(), "tower {} of {}", tower, towers->size());
  config::TaskTower kept = towers->Get(tower);
  if (kept.weight() == 0) kept.set_weight(1);
  kept.clear_pareto_min_loss_weight();
  towers->Clear();
  *towers->Add() = std::move(kept);
  ClearRelations(twin.mutable_model_config());
  twin.mutable_model_config()->clear_use_pareto_loss_weight();
  twin.mutable_train_config()->clear_balancing();
  TranslateWatched(pipeline.model_config(), config::TowerName(towers->Get(0)), &twin);
  config::ResolveDefaults(&twin);
  return twin;
}

}  // namespace manygate
