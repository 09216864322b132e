// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/resolve.h"

#include <google/protobuf/text_format.h>

#include <algorithm>

#include "manygate/base/check.h"
#include "manygate/config/accessors.h"
#include "manygate/config/feature_list.h"

namespace manygate::config {
namespace {

void ResolveOptimizers(TrainConfig* train_config) {
  Optimizer* dense = train_config->mutable_dense_optimizer();
  // The schema's default rate is TorchEasyRec's 0.002; a run that names no optimizer at all takes Adam's usual one.
  if (dense->optimizer_case() == Optimizer::OPTIMIZER_NOT_SET) dense->mutable_adam_optimizer()->set_lr(0.001f);
  if (dense->learning_rate_case() == Optimizer::LEARNING_RATE_NOT_SET) dense->mutable_constant_learning_rate();
  if (!train_config->has_sparse_optimizer()) {
    *train_config->mutable_sparse_optimizer() = *dense;
    Optimizer* copy = train_config->mutable_sparse_optimizer();
    if (copy->has_adam_optimizer()) copy->mutable_adam_optimizer()->clear_amsgrad();  // tables have none
  }
  Optimizer* sparse = train_config->mutable_sparse_optimizer();
  if (sparse->optimizer_case() == Optimizer::OPTIMIZER_NOT_SET) sparse->mutable_adam_optimizer()->set_lr(0.001f);
  if (sparse->learning_rate_case() == Optimizer::LEARNING_RATE_NOT_SET) sparse->mutable_constant_learning_rate();
}

// Written out here, and not only known to losses/, so that the saved configuration says what was reported.
void ResolveMetrics(TaskTower* tower) {
  if (tower->metrics_size() > 0) return;
  for (MetricConfig& metric : DefaultMetrics(*tower)) *tower->add_metrics() = std::move(metric);
}

void ResolveTowers(const DataConfig& data_config, ModelConfig* model_config) {
  google::protobuf::RepeatedPtrField<TaskTower>* towers = MutableTaskTowers(model_config);
  if (towers == nullptr) return;
  for (TaskTower& tower : *towers) {
    if (data_config.sample_weight_fields_size() == 1) tower.set_sample_weight_name(data_config.sample_weight_fields(0));
    if (tower.tower_name().empty()) tower.set_tower_name(tower.label_name());
    if (tower.losses_size() == 0) tower.add_losses();
    if (tower.losses(0).loss_case() == LossConfig::LOSS_NOT_SET) {
      tower.mutable_losses(0)->mutable_binary_cross_entropy();
    }
    ResolveMetrics(&tower);
  }
}

// A network of which there are none may be left out; a copy of the other one has the width that is expected of it.
template <typename Level>
void ResolveExpertGroups(Level* level) {
  if (!level->has_task_expert_net() && level->has_share_expert_net()) {
    *level->mutable_task_expert_net() = level->share_expert_net();
  }
  if (!level->has_share_expert_net() && level->has_task_expert_net()) {
    *level->mutable_share_expert_net() = level->task_expert_net();
  }
}

void ResolveSpecialModel(ModelConfig* model_config) {
  if (model_config->has_cgc()) ResolveExpertGroups(model_config->mutable_cgc());
  for (int i = 0; i < model_config->ple().extraction_networks_size(); ++i) {
    ExtractionNetwork* level = model_config->mutable_ple()->mutable_extraction_networks(i);
    if (level->network_name().empty()) level->set_network_name(std::to_string(i));
    ResolveExpertGroups(level);
  }
  if (model_config->has_pepnet() && model_config->pepnet().ppnet_hidden_units_size() == 0) {
    for (uint32_t width : {64, 32}) model_config->mutable_pepnet()->add_ppnet_hidden_units(width);
  }
}

void ResolveLabels(const ModelConfig& model_config, DataConfig* data_config) {
  if (data_config->label_fields_size() == 0) {
    const auto add = [&](const std::string& name) {
      const auto& fields = data_config->label_fields();
      if (name.empty() || std::find(fields.begin(), fields.end(), name) != fields.end()) return;
      data_config->add_label_fields(name);
    };
    for (const TaskTower& tower : TaskTowers(model_config)) add(tower.label_name());
    for (const TaskTower& tower : TaskTowers(model_config)) add(tower.task_space_indicator_label());
  }
  for (const std::string& field : data_config->label_fields()) {
    auto& labels = *data_config->mutable_label_configs();
    auto label = std::find_if(labels.begin(), labels.end(),
                              [&](const LabelConfig& candidate) { return candidate.label_name() == field; });
    if (label == labels.end()) {
      data_config->add_label_configs()->set_label_name(field);
      label = labels.end() - 1;
    }
    if (label->column().empty()) label->set_column(field);
  }
}

void ResolveFeatures(Pipeline* pipeline) {
  for (FeatureConfig& feature : *pipeline->mutable_feature_configs()) {
    // In an expression a colon ends the side; a name that holds one can only stand by itself.
    const std::string& name =
        feature.has_raw_feature() ? feature.raw_feature().feature_name() : feature.id_feature().feature_name();
    if (name.find(':') != std::string::npos) continue;
    if (feature.has_id_feature() && feature.id_feature().expression().empty()) {
      feature.mutable_id_feature()->set_expression(name);
    }
    if (feature.has_raw_feature() && feature.raw_feature().expression().empty()) {
      feature.mutable_raw_feature()->set_expression(name);
    }
  }
  auto* groups = pipeline->mutable_model_config()->mutable_feature_groups();
  const bool has_deep =
      std::any_of(groups->begin(), groups->end(), [](const auto& group) { return group.group_type() == DEEP; });
  if (!has_deep) groups->Add()->set_group_name("all");
  for (FeatureGroupConfig& group : *groups) {
    if (group.feature_names_size() > 0 || group.sequence_groups_size() > 0) continue;
    for (const ListedFeature& feature : ListFeatures(*pipeline))
      if (!feature.stub && !(feature.is_sequence && feature.encoding.has_raw_feature()))
        group.add_feature_names(feature.name);
  }
}

// A feature's name where a column is meant: its column.
void ResolveGroupColumns(Pipeline* pipeline) {
  auto* towers = MutableTaskTowers(pipeline->mutable_model_config());
  if (towers == nullptr) return;
  const auto resolve = [&](std::string* name) {
    if (!name->empty()) *name = GroupColumn(*pipeline, *name);
  };
  for (TaskTower& tower : *towers) {
    for (LossConfig& loss : *tower.mutable_losses())
      if (loss.has_jrc_loss()) resolve(loss.mutable_jrc_loss()->mutable_session_name());
    for (MetricConfig& metric : *tower.mutable_metrics()) {
      if (metric.has_grouped_auc()) resolve(metric.mutable_grouped_auc()->mutable_grouping_key());
      if (metric.has_grouped_xauc()) resolve(metric.mutable_grouped_xauc()->mutable_grouping_key());
    }
  }
}

}  // namespace

void ResolveDefaults(Pipeline* pipeline) {
  TrainConfig* train_config = pipeline->mutable_train_config();
  ResolveOptimizers(train_config);
  if (train_config->has_early_stopping() && train_config->early_stopping().metric().empty()) {
    train_config->mutable_early_stopping()->set_metric("loss");
  }
  if (pipeline->model_config().use_pareto_loss_weight()) train_config->mutable_balancing()->mutable_pareto();
  pipeline->mutable_eval_config();
  pipeline->mutable_data_config()->mutable_split();
  ResolveTowers(pipeline->data_config(), pipeline->mutable_model_config());
  ResolveSpecialModel(pipeline->mutable_model_config());
  ResolveLabels(pipeline->model_config(), pipeline->mutable_data_config());
  ResolveFeatures(pipeline);
  ResolveGroupColumns(pipeline);
}

std::string PrintPipeline(const Pipeline& pipeline) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseShortRepeatedPrimitives(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  MG_CHECK(printer.PrintToString(pipeline, &text), "a pipeline of {} features", pipeline.feature_configs_size());
  return text;
}

}  // namespace manygate::config
