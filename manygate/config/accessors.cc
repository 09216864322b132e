// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/accessors.h"

#include <algorithm>

namespace manygate::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// The name of the field that is set in the message's oneof `oneof_name`.
std::string ChosenField(const Message& message, const std::string& oneof_name) {
  const FieldDescriptor* field =
      message.GetReflection()->GetOneofFieldDescriptor(message, message.GetDescriptor()->FindOneofByName(oneof_name));
  return field == nullptr ? "" : field->name();
}

}  // namespace

const google::protobuf::RepeatedPtrField<TaskTower>& TaskTowers(const ModelConfig& model_config) {
  static const google::protobuf::RepeatedPtrField<TaskTower> kNone;
  switch (model_config.model_case()) {
    case ModelConfig::kSimpleMultiTask: return model_config.simple_multi_task().task_towers();
    case ModelConfig::kMmoe: return model_config.mmoe().task_towers();
    case ModelConfig::kSharedBottom: return model_config.shared_bottom().task_towers();
    case ModelConfig::kOmoe: return model_config.omoe().task_towers();
    case ModelConfig::MODEL_NOT_SET: break;
  }
  return kNone;
}

google::protobuf::RepeatedPtrField<TaskTower>* MutableTaskTowers(ModelConfig* model_config) {
  switch (model_config->model_case()) {
    case ModelConfig::kSimpleMultiTask: return model_config->mutable_simple_multi_task()->mutable_task_towers();
    case ModelConfig::kMmoe: return model_config->mutable_mmoe()->mutable_task_towers();
    case ModelConfig::kSharedBottom: return model_config->mutable_shared_bottom()->mutable_task_towers();
    case ModelConfig::kOmoe: return model_config->mutable_omoe()->mutable_task_towers();
    case ModelConfig::MODEL_NOT_SET: break;
  }
  return nullptr;
}

std::string ModelName(const ModelConfig& model_config) { return ChosenField(model_config, "model"); }

std::string LossName(const TaskTower& tower) {
  const std::string name = tower.losses_size() > 0 ? ChosenField(tower.losses(0), "loss") : "";
  return name.empty() ? "binary_cross_entropy" : name;
}

std::string MetricName(const MetricConfig& metric) { return ChosenField(metric, "metric"); }

std::string OptimizerName(const Optimizer& optimizer) { return ChosenField(optimizer, "optimizer"); }

const std::string& TowerName(const TaskTower& tower) {
  return tower.tower_name().empty() ? tower.label_name() : tower.tower_name();
}

std::vector<std::string> TowerMetricNames(const TaskTower& tower) {
  if (tower.metrics_size() == 0) {
    if (LossName(tower) == "l2_loss") return {"root_mean_squared_error", "mean_absolute_error"};
    return {"auc", "log_loss", "accuracy", "calibration"};
  }
  std::vector<std::string> names;
  for (const MetricConfig& metric : tower.metrics()) names.push_back(MetricName(metric));
  return names;
}

std::vector<std::string> EvaluationMetricNames(const ModelConfig& model_config) {
  std::vector<std::string> names = {"loss"}, means;
  for (const TaskTower& tower : TaskTowers(model_config)) {
    for (const std::string& metric : TowerMetricNames(tower)) {
      if (metric.empty()) continue;
      names.push_back(metric + "_" + TowerName(tower));
      if (std::find(means.begin(), means.end(), "mean_" + metric) == means.end()) means.push_back("mean_" + metric);
    }
  }
  names.insert(names.end(), means.begin(), means.end());
  return names;
}

const std::string& FeatureName(const FeatureConfig& feature) {
  return feature.has_raw_feature() ? feature.raw_feature().feature_name() : feature.id_feature().feature_name();
}

std::string FeatureColumn(const FeatureConfig& feature) {
  const std::string& expression =
      feature.has_raw_feature() ? feature.raw_feature().expression() : feature.id_feature().expression();
  if (expression.empty()) return FeatureName(feature);
  const size_t colon = expression.find(':');
  return colon == std::string::npos ? expression : expression.substr(colon + 1);
}

std::string LabelColumn(const DataConfig& data_config, std::string_view label_name) {
  for (const LabelConfig& label : data_config.label_configs()) {
    if (label.label_name() == label_name && !label.column().empty()) return label.column();
  }
  return std::string(label_name);
}

}  // namespace manygate::config
