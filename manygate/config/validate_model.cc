// SPDX-License-Identifier: Apache-2.0
// Rules of model_config: networks, towers, their losses and metrics.
#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/problems.h"

namespace manygate::config {
namespace {

using google::protobuf::Message;

const std::vector<std::string>& Activations() {
  static const std::vector<std::string> kNames = {"nn.ReLU", "nn.SiLU",      "nn.Tanh", "nn.Sigmoid",
                                                  "nn.GELU", "nn.LeakyReLU", "none"};
  return kNames;
}

void CheckMlp(const MLP& mlp, Problems* problems) {
  if (mlp.hidden_units_size() == 0) {
    problems->AddTo(mlp, "has no hidden_units. Write one width per layer: hidden_units: [64, 32]");
  }
  const int ratios = mlp.dropout_ratio_size();
  if (ratios > 1 && ratios != mlp.hidden_units_size()) {
    problems->Add(mlp, "dropout_ratio",
                  fmt::format("has {} values for {} layers, expected one for all or one per layer", ratios,
                              mlp.hidden_units_size()));
  }
  const std::vector<std::string>& names = Activations();
  if (std::find(names.begin(), names.end(), mlp.activation()) == names.end()) {
    problems->Add(mlp, "activation",
                  fmt::format("\"{}\" is unknown. {}", mlp.activation(), Suggestion(mlp.activation(), names, "Known")));
  }
  if (mlp.use_bn() && mlp.use_ln()) problems->Add(mlp, "use_ln", "excludes use_bn: keep one of them");
}

void CheckLosses(const TaskTower& tower, Problems* problems) {
  if (tower.losses_size() > 1) {
    problems->Add(tower, "losses", 1, "is a second loss: exactly one per tower is supported");
  }
  for (const LossConfig& loss : tower.losses()) {
    if (loss.loss_case() == LossConfig::LOSS_NOT_SET) {
      problems->AddTo(loss, "is empty, expected binary_cross_entropy {} or l2_loss {}");
    }
  }
}

void CheckMetrics(const TaskTower& tower, Problems* problems) {
  std::vector<std::string> seen;
  for (const MetricConfig& metric : tower.metrics()) {
    const std::string name = MetricName(metric);
    if (name.empty()) {
      problems->AddTo(metric, "is empty, expected a metric such as auc {} or log_loss {}");
    } else if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      problems->AddTo(metric, fmt::format("is a second {}: once per tower is enough", name));
    }
    seen.push_back(name);
    if (metric.has_auc() && metric.auc().thresholds() == 1) {
      problems->Add(metric.auc(), "thresholds", "is 1, expected 0 (exact) or at least 2");
    }
  }
}

void CheckTower(const Pipeline& pipeline, const TaskTower& tower, Problems* problems) {
  const auto& label_fields = pipeline.data_config().label_fields();
  const std::vector<std::string> labels(label_fields.begin(), label_fields.end());
  if (tower.label_name().empty()) {
    problems->AddTo(tower, "has no label_name");
  } else if (!labels.empty() && std::find(labels.begin(), labels.end(), tower.label_name()) == labels.end()) {
    problems->Add(tower, "label_name",
                  fmt::format("\"{}\" is not among the label_fields. {}", tower.label_name(),
                              Suggestion(tower.label_name(), labels, "Labels")));
  }
  if (tower.num_class() != 1) {
    problems->Add(tower, "num_class",
                  fmt::format("{} is not supported yet: only 1 (a yes/no label or a number) is", tower.num_class()));
  }
  if (tower.has_mlp()) CheckMlp(tower.mlp(), problems);
  CheckLosses(tower, problems);
  CheckMetrics(tower, problems);
}

void CheckTowers(const Pipeline& pipeline, const Message& model, Problems* problems) {
  const auto& towers = TaskTowers(pipeline.model_config());
  if (towers.empty()) {
    problems->AddTo(model, "has no task_towers: write task_towers { label_name: \"...\" } for each label");
    return;
  }
  UniqueNames names(problems);
  bool any_weight = false;
  for (const TaskTower& tower : towers) {
    names.Note(TowerName(tower), tower, tower.tower_name().empty() ? "label_name" : "tower_name");
    CheckTower(pipeline, tower, problems);
    any_weight = any_weight || tower.weight() != 0;
  }
  if (!any_weight) problems->Add(towers[0], "weight", "is 0 as in all towers: nothing would be trained");
}

// What MMoE and OMoE have in common.
template <typename Model>
void CheckExperts(const Model& model, Problems* problems) {
  if (!model.has_expert_mlp()) {
    problems->AddTo(model, "has no expert_mlp. Write expert_mlp { hidden_units: [64, 32] }");
  } else {
    CheckMlp(model.expert_mlp(), problems);
  }
  if (model.has_gate_mlp()) CheckMlp(model.gate_mlp(), problems);
}

}  // namespace

void CheckModel(const Pipeline& pipeline, Problems* problems) {
  const ModelConfig& model = pipeline.model_config();
  switch (model.model_case()) {
    case ModelConfig::kSimpleMultiTask: return CheckTowers(pipeline, model.simple_multi_task(), problems);
    case ModelConfig::kMmoe: CheckExperts(model.mmoe(), problems); return CheckTowers(pipeline, model.mmoe(), problems);
    case ModelConfig::kOmoe: CheckExperts(model.omoe(), problems); return CheckTowers(pipeline, model.omoe(), problems);
    case ModelConfig::kSharedBottom:
      if (!model.shared_bottom().has_bottom_mlp()) {
        problems->AddTo(model.shared_bottom(), "has no bottom_mlp. Write bottom_mlp { hidden_units: [64, 32] }");
      } else {
        CheckMlp(model.shared_bottom().bottom_mlp(), problems);
      }
      return CheckTowers(pipeline, model.shared_bottom(), problems);
    default: break;
  }
  const std::string text = "no model: write one of mmoe, omoe, shared_bottom, simple_multi_task { ... }";
  pipeline.has_model_config() ? problems->AddTo(model, "has " + text)
                              : problems->AddGlobal("model_config is missing; it has " + text);
}

}  // namespace manygate::config
