// SPDX-License-Identifier: Apache-2.0
// Rules of task_towers: labels, losses, metrics, weights of rows.
//
// The losses of one tower share its output, so they must be of one kind of label and read as many outputs; the first
// one makes predictions of them. pairwise_loss, which only orders rows, may stand after any loss of one output.
#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/config/problems.h"

namespace manygate::config {
namespace {

using google::protobuf::Message;

template <typename Range>
bool Contains(const Range& range, const std::string& value) {
  return std::find(range.begin(), range.end(), value) != range.end();
}

void CheckLossFields(const LossConfig& loss, Problems* problems) {
  if (loss.loss_case() == LossConfig::LOSS_NOT_SET) {
    problems->AddTo(loss, "is empty, expected a loss such as binary_cross_entropy {} or l2_loss {}");
  }
  if (loss.has_jrc_loss() && loss.jrc_loss().session_name().empty()) {
    problems->AddTo(loss.jrc_loss(), "has no session_name: the column whose equal values are one session");
  }
}

void CheckLaterLoss(const TaskTower& tower, int index, Problems* problems) {
  const LossConfig &first = tower.losses(0), &loss = tower.losses(index);
  const int outputs = NumLogits(loss, tower.num_class()), first_outputs = NumLogits(tower);
  const std::string name = LossName(loss), first_name = LossName(tower);
  const bool only_orders = loss.has_pairwise_loss();
  if (!only_orders && KindOf(loss) != KindOf(first)) {
    problems->AddTo(
        loss,
        fmt::format("is {} ({}), but the first loss is {} ({}): the losses of a tower share its output and must be "
                    "of one kind{}",
                    name, KindName(KindOf(loss)), first_name, KindName(KindOf(first)),
                    first.has_pairwise_loss() ? "; write pairwise_loss after the other" : ""));
  } else if (outputs != first_outputs) {
    problems->AddTo(loss,
                    fmt::format("is {}, which reads {} output{}, but the first loss, {}, reads {}: the losses of a "
                                "tower share its output",
                                name, outputs, outputs == 1 ? "" : "s", first_name, first_outputs));
  }
  for (int i = 0; i < index; ++i) {
    if (loss.loss_case() == tower.losses(i).loss_case()) {
      problems->AddTo(loss, fmt::format("is a second {}: give the first one a weight instead", name));
      break;
    }
  }
}

// Both read the same output, which is in the label's units or in deviations of it.
void CheckSameUnits(const TaskTower& tower, Problems* problems) {
  const LossConfig *l2 = nullptr, *huber = nullptr;
  for (const LossConfig& loss : tower.losses()) {
    if (loss.has_l2_loss()) l2 = &loss;
    if (loss.has_huber_loss()) huber = &loss;
  }
  if (l2 == nullptr || huber == nullptr) return;
  if (l2->l2_loss().standardise() == huber->huber_loss().standardise()) return;
  problems->Add(huber->huber_loss(), "standardise",
                fmt::format("is {}, but that of l2_loss is {}: both read the same output",
                            huber->huber_loss().standardise(), l2->l2_loss().standardise()));
}

void CheckLosses(const TaskTower& tower, Problems* problems) {
  for (int i = 0; i < tower.losses_size(); ++i) {
    CheckLossFields(tower.losses(i), problems);
    if (i > 0 && tower.losses(i).loss_case() != LossConfig::LOSS_NOT_SET) CheckLaterLoss(tower, i, problems);
  }
  CheckSameUnits(tower, problems);
}

void CheckNumClass(const TaskTower& tower, Problems* problems) {
  const std::string loss = LossName(tower);
  const uint32_t classes = tower.num_class();
  if (loss == "softmax_cross_entropy") {
    if (classes < 2) problems->Add(tower, "num_class", fmt::format("is {}, expected at least 2 for {}", classes, loss));
  } else if (loss == "jrc_loss") {
    if (classes != 2) problems->Add(tower, "num_class", fmt::format("is {}, expected 2 for {}", classes, loss));
  } else if (classes != 1) {
    problems->Add(
        tower, "num_class",
        fmt::format("is {}, but the loss is {}: leave it out, or write losses {{ softmax_cross_entropy {{}} }}",
                    classes, loss));
  }
}

const std::vector<std::string>& FittingMetrics(TaskKind kind) {
  static const std::vector<std::string> kBinary = {"auc",
                                                   "log_loss",
                                                   "accuracy",
                                                   "calibration",
                                                   "grouped_auc",
                                                   "grouped_xauc",
                                                   "flattened_auc",
                                                   "pr_auc",
                                                   "xauc",
                                                   "normalized_entropy",
                                                   "expected_calibration_error",
                                                   "mean_absolute_error",
                                                   "mean_squared_error",
                                                   "root_mean_squared_error"};
  static const std::vector<std::string> kClasses = {"accuracy", "multiclass_auc", "log_loss", "recall_at_k",
                                                    "flattened_auc"};
  static const std::vector<std::string> kNumbers = {"root_mean_squared_error",
                                                    "mean_absolute_error",
                                                    "mean_squared_error",
                                                    "r2",
                                                    "calibration",
                                                    "xauc",
                                                    "grouped_xauc"};
  switch (kind) {
    case TaskKind::kBinary: return kBinary;
    case TaskKind::kClasses: return kClasses;
    case TaskKind::kRegression:
    case TaskKind::kCount:
    case TaskKind::kAmount: break;
  }
  return kNumbers;
}

template <typename Metric>
void CheckThresholds(const Metric& metric, Problems* problems) {
  if (metric.thresholds() == 1) problems->Add(metric, "thresholds", "is 1, expected 0 (exact) or at least 2");
}

template <typename Metric>
void CheckGroupingKey(const Metric& metric, Problems* problems) {
  if (metric.grouping_key().empty())
    problems->AddTo(metric, "has no grouping_key: the column whose equal values are one group");
}

template <typename Metric>
void CheckTopK(const TaskTower& tower, const Metric& metric, Problems* problems) {
  if (KindOf(tower) != TaskKind::kClasses || tower.num_class() < 2 || metric.top_k() < tower.num_class()) return;
  problems->Add(metric, "top_k",
                fmt::format("is {} of {} classes: every row would be right", metric.top_k(), tower.num_class()));
}

void CheckMetricFields(const TaskTower& tower, const MetricConfig& metric, Problems* problems) {
  CheckThresholds(metric.auc(), problems);
  CheckThresholds(metric.multiclass_auc(), problems);
  if (metric.has_grouped_auc()) CheckGroupingKey(metric.grouped_auc(), problems);
  if (metric.has_grouped_xauc()) CheckGroupingKey(metric.grouped_xauc(), problems);
  if (metric.has_accuracy()) {
    const Accuracy& accuracy = metric.accuracy();
    if (KindOf(tower) != TaskKind::kClasses && accuracy.top_k() > 1) {
      problems->Add(accuracy, "top_k", fmt::format("is {}, but the tower has no classes", accuracy.top_k()));
    }
    CheckTopK(tower, accuracy, problems);
  }
  if (metric.has_recall_at_k()) CheckTopK(tower, metric.recall_at_k(), problems);
  if (metric.has_multiclass_auc()) {
    const std::vector<std::string> known = {"macro", "weighted"};
    const std::string& average = metric.multiclass_auc().average();
    if (!Contains(known, average)) {
      problems->Add(metric.multiclass_auc(), "average",
                    fmt::format("\"{}\" is unknown. {}", average, Suggestion(average, known, "Known")));
    }
  }
}

void CheckMetrics(const TaskTower& tower, Problems* problems) {
  std::vector<std::string> seen;
  const std::vector<std::string>& fitting = FittingMetrics(KindOf(tower));
  for (const MetricConfig& metric : tower.metrics()) {
    const std::string name = MetricName(metric);
    if (name.empty()) {
      problems->AddTo(metric, "is empty, expected a metric such as auc {} or log_loss {}");
    } else if (Contains(seen, name)) {
      problems->AddTo(metric, fmt::format("is a second {}: once per tower is enough", name));
    } else if (!Contains(fitting, name)) {
      problems->AddTo(metric, fmt::format("is {}, which is not for {} labels (the loss is {}). Those that are: {}",
                                          name, KindName(KindOf(tower)), LossName(tower), JoinNames(fitting)));
    }
    seen.push_back(name);
    CheckMetricFields(tower, metric, problems);
  }
}

// A label that a tower names in `field`.
void CheckLabelName(const DataConfig& data, const TaskTower& tower, std::string_view field, const std::string& name,
                    Problems* problems) {
  const std::vector<std::string> labels(data.label_fields().begin(), data.label_fields().end());
  if (name.empty() || labels.empty() || Contains(labels, name)) return;
  problems->Add(tower, field,
                fmt::format("\"{}\" is not among the label_fields. {}", name, Suggestion(name, labels, "Labels")));
}

void CheckRowWeights(const DataConfig& data, const TaskTower& tower, Problems* problems) {
  const std::vector<std::string> weights(data.sample_weight_fields().begin(), data.sample_weight_fields().end());
  if (tower.has_sample_weight_name() && !Contains(weights, tower.sample_weight_name())) {
    problems->Add(tower, "sample_weight_name",
                  fmt::format("\"{}\" is not among data_config.sample_weight_fields. {}", tower.sample_weight_name(),
                              Suggestion(tower.sample_weight_name(), weights, "Weights")));
  }
  if (!tower.has_sample_weight_name() && weights.size() > 1) {
    problems->AddTo(tower, fmt::format("has no sample_weight_name, but data_config has {} sample_weight_fields: {}",
                                       weights.size(), JoinNames(weights)));
  }
  CheckLabelName(data, tower, "task_space_indicator_label", tower.task_space_indicator_label(), problems);
  if (tower.task_space_indicator_label().empty()) {
    for (const char* field : {"in_task_space_weight", "out_task_space_weight"}) {
      if (!tower.GetReflection()->HasField(tower, TaskTower::descriptor()->FindFieldByName(field))) continue;
      problems->Add(tower, field, "has no effect without task_space_indicator_label");
    }
  }
  const int given = tower.class_weights_size();
  if (given == 0) return;
  const TaskKind kind = KindOf(tower);
  const int classes = kind == TaskKind::kBinary ? 2 : static_cast<int>(tower.num_class());
  if (kind != TaskKind::kBinary && kind != TaskKind::kClasses) {
    problems->Add(tower, "class_weights", fmt::format("has no meaning: {} labels have no classes", KindName(kind)));
  } else if (given != classes) {
    problems->Add(tower, "class_weights", fmt::format("has {} values, expected one per class: {}", given, classes));
  }
}

void CheckTower(const Pipeline& pipeline, const TaskTower& tower, Problems* problems) {
  if (tower.label_name().empty()) problems->AddTo(tower, "has no label_name");
  CheckLabelName(pipeline.data_config(), tower, "label_name", tower.label_name(), problems);
  CheckLosses(tower, problems);
  CheckNumClass(tower, problems);
  CheckMetrics(tower, problems);
  CheckRowWeights(pipeline.data_config(), tower, problems);
}

}  // namespace

void CheckTowers(const Pipeline& pipeline, Problems* problems) {
  const auto& towers = TaskTowers(pipeline.model_config());
  if (towers.empty()) {
    problems->AddTo(*ModelMessage(pipeline.model_config()),
                    "has no task_towers: write task_towers { label_name: \"...\" } for each label");
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

}  // namespace manygate::config
