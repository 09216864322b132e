// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/accessors.h"

#include <algorithm>

#include "manygate/base/check.h"

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

struct LossFacts {
  std::string_view name;
  TaskKind kind;
  int logits;  // 0: num_class
};

constexpr LossFacts kLosses[] = {
    {"binary_cross_entropy", TaskKind::kBinary, 1},
    {"binary_focal_loss", TaskKind::kBinary, 1},
    {"jrc_loss", TaskKind::kBinary, 2},
    {"pairwise_loss", TaskKind::kBinary, 1},
    {"softmax_cross_entropy", TaskKind::kClasses, 0},
    {"l2_loss", TaskKind::kRegression, 1},
    {"huber_loss", TaskKind::kRegression, 1},
    {"poisson_loss", TaskKind::kCount, 1},
    {"ziln_loss", TaskKind::kAmount, 3},
};

const LossFacts& FactsOf(std::string_view name) {
  if (name.empty()) return kLosses[0];
  const auto* facts = std::find_if(std::begin(kLosses), std::end(kLosses),
                                   [&](const LossFacts& candidate) { return candidate.name == name; });
  MG_CHECK(facts != std::end(kLosses), "loss {} has no line in kLosses", name);
  return *facts;
}

const FieldDescriptor* ModelField(const ModelConfig& model_config) {
  return model_config.GetReflection()->GetOneofFieldDescriptor(model_config,
                                                               ModelConfig::descriptor()->FindOneofByName("model"));
}

const FieldDescriptor* TowersField(const Message& model) {
  const FieldDescriptor* field = model.GetDescriptor()->FindFieldByName("task_towers");
  MG_CHECK(field != nullptr && field->message_type() == TaskTower::descriptor(), "{} has no task_towers",
           model.GetDescriptor()->name());
  return field;
}

}  // namespace

const Message* ModelMessage(const ModelConfig& model_config) {
  const FieldDescriptor* field = ModelField(model_config);
  return field == nullptr ? nullptr : &model_config.GetReflection()->GetMessage(model_config, field);
}

Message* MutableModelMessage(ModelConfig* model_config) {
  const FieldDescriptor* field = ModelField(*model_config);
  return field == nullptr ? nullptr : model_config->GetReflection()->MutableMessage(model_config, field);
}

// The refs that protobuf would rather have us use are no containers: every reader of towers would have to change.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
const google::protobuf::RepeatedPtrField<TaskTower>& TaskTowers(const ModelConfig& model_config) {
  static const google::protobuf::RepeatedPtrField<TaskTower> kNone;
  const Message* model = ModelMessage(model_config);
  if (model == nullptr) return kNone;
  return model->GetReflection()->GetRepeatedPtrField<TaskTower>(*model, TowersField(*model));
}

google::protobuf::RepeatedPtrField<TaskTower>* MutableTaskTowers(ModelConfig* model_config) {
  Message* model = MutableModelMessage(model_config);
  if (model == nullptr) return nullptr;
  return model->GetReflection()->MutableRepeatedPtrField<TaskTower>(model, TowersField(*model));
}
#pragma GCC diagnostic pop

std::string ModelName(const ModelConfig& model_config) { return ChosenField(model_config, "model"); }

std::vector<std::string> ModelNames() {
  const auto* oneof = ModelConfig::descriptor()->FindOneofByName("model");
  std::vector<std::string> names;
  for (int i = 0; i < oneof->field_count(); ++i) names.push_back(oneof->field(i)->name());
  return names;
}

std::string LossName(const LossConfig& loss) { return ChosenField(loss, "loss"); }

std::string LossName(const TaskTower& tower) {
  const std::string name = tower.losses_size() > 0 ? LossName(tower.losses(0)) : "";
  return name.empty() ? "binary_cross_entropy" : name;
}

const char* KindName(TaskKind kind) {
  switch (kind) {
    case TaskKind::kBinary: return "binary";
    case TaskKind::kClasses: return "multi-class";
    case TaskKind::kRegression: return "regression";
    case TaskKind::kCount: return "count";
    case TaskKind::kAmount: return "amount";
  }
  return "";
}

TaskKind KindOf(const LossConfig& loss) { return FactsOf(LossName(loss)).kind; }
TaskKind KindOf(const TaskTower& tower) { return FactsOf(LossName(tower)).kind; }

int NumLogits(const LossConfig& loss, uint32_t num_class) {
  const int logits = FactsOf(LossName(loss)).logits;
  return logits == 0 ? static_cast<int>(num_class) : logits;
}

int NumLogits(const TaskTower& tower) {
  return NumLogits(tower.losses_size() > 0 ? tower.losses(0) : LossConfig(), tower.num_class());
}

double TowerWeight(const ModelConfig& model_config, int tower) {
  const auto& towers = TaskTowers(model_config);
  const double weight = towers[tower].weight();
  if (!model_config.has_escm2() || KindOf(towers[tower]) != TaskKind::kBinary) return weight;
  const auto earlier = std::count_if(towers.begin(), towers.begin() + tower,
                                     [](const TaskTower& one) { return KindOf(one) == TaskKind::kBinary; });
  return earlier == 1 ? weight * model_config.escm2().global_w() : weight;
}

std::string MetricName(const MetricConfig& metric) { return ChosenField(metric, "metric"); }

std::string OptimizerName(const Optimizer& optimizer) { return ChosenField(optimizer, "optimizer"); }

const std::string& TowerName(const TaskTower& tower) {
  return tower.tower_name().empty() ? tower.label_name() : tower.tower_name();
}

std::vector<MetricConfig> DefaultMetrics(const TaskTower& tower) {
  std::vector<MetricConfig> metrics;
  const auto add = [&]() -> MetricConfig& { return metrics.emplace_back(); };
  switch (KindOf(tower)) {
    case TaskKind::kBinary:
      add().mutable_auc();
      add().mutable_log_loss();
      add().mutable_accuracy();
      add().mutable_calibration();
      break;
    case TaskKind::kClasses:
      add().mutable_accuracy();
      add().mutable_multiclass_auc();
      add().mutable_log_loss();
      break;
    case TaskKind::kRegression:
      add().mutable_root_mean_squared_error();
      add().mutable_mean_absolute_error();
      add().mutable_r2();
      break;
    case TaskKind::kCount:
      add().mutable_mean_absolute_error();
      add().mutable_root_mean_squared_error();
      add().mutable_calibration();
      break;
    case TaskKind::kAmount:
      add().mutable_root_mean_squared_error();
      add().mutable_mean_absolute_error();
      add().mutable_calibration();
      add().mutable_xauc();
      break;
  }
  return metrics;
}

std::vector<std::string> TowerMetricNames(const TaskTower& tower) {
  std::vector<std::string> names;
  if (tower.metrics_size() == 0) {
    for (const MetricConfig& metric : DefaultMetrics(tower)) names.push_back(MetricName(metric));
  }
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

std::string LabelColumn(const DataConfig& data_config, std::string_view label_name) {
  for (const LabelConfig& label : data_config.label_configs()) {
    if (label.label_name() == label_name && !label.column().empty()) return label.column();
  }
  return std::string(label_name);
}

}  // namespace manygate::config
