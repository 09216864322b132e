// SPDX-License-Identifier: Apache-2.0
// What every reader of a configuration needs to ask of its oneofs.
//
//   for (const TaskTower& tower : TaskTowers(pipeline.model_config())) ...
//   ModelName(pipeline.model_config());   // "mmoe"
//   if (KindOf(tower) == TaskKind::kBinary) ...
//
// A new model needs no line here: its message's field `task_towers` is found by name. A new loss needs its line in
// kLosses, accessors.cc.
#ifndef MANYGATE_CONFIG_ACCESSORS_H_
#define MANYGATE_CONFIG_ACCESSORS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/config/pipeline.pb.h"

namespace manygate::config {

// The towers of whichever model is set; empty without a model.
const google::protobuf::RepeatedPtrField<TaskTower>& TaskTowers(const ModelConfig& model_config);
// Null without a model.
google::protobuf::RepeatedPtrField<TaskTower>* MutableTaskTowers(ModelConfig* model_config);

// The field that is set: "mmoe"; "" without a model.
std::string ModelName(const ModelConfig& model_config);
// Every field of the oneof `model`, in the order of the schema.
std::vector<std::string> ModelNames();
// The message of whichever model is set, to read its fields by name; null without a model.
const google::protobuf::Message* ModelMessage(const ModelConfig& model_config);
google::protobuf::Message* MutableModelMessage(ModelConfig* model_config);

// "l2_loss"; "" if none is set.
std::string LossName(const LossConfig& loss);
// The first loss, which makes predictions of logits; "binary_cross_entropy" for a tower that names no loss.
std::string LossName(const TaskTower& tower);

// What a task's label and prediction are.
enum class TaskKind {
  kBinary,      // label 0 or 1 (or between); one probability
  kClasses,     // label 0 .. num_class-1; num_class probabilities
  kRegression,  // any number
  kCount,       // a number >= 0, Poisson
  kAmount,      // a number >= 0, mostly 0
};
// "binary", "multi-class", "regression", "count", "amount".
const char* KindName(TaskKind kind);
// Of a loss by itself; an empty one counts as binary_cross_entropy, pairwise_loss by itself as binary.
TaskKind KindOf(const LossConfig& loss);
// By the tower's first loss.
TaskKind KindOf(const TaskTower& tower);
// Numbers per row that a loss reads: softmax_cross_entropy num_class, jrc_loss 2, ziln_loss 3, others 1.
int NumLogits(const LossConfig& loss, uint32_t num_class);
// Numbers that the tower's network puts out per row: those of its first loss.
int NumLogits(const TaskTower& tower);
// Factor of the loss of tower number `tower` in the sum over tasks: its weight; for ESCM2's second binary tower times
// global_w. (What ESCM2 adds besides is a row loss of the graph, which holds counterfactual_w already.)
double TowerWeight(const ModelConfig& model_config, int tower);

// "auc"; "" if none is set. The key in reports and in the names of metrics ("auc_<tower>", "mean_auc").
std::string MetricName(const MetricConfig& metric);
// "adam_optimizer", "" if none is set.
std::string OptimizerName(const Optimizer& optimizer);

// tower_name or, when that is not set, label_name.
const std::string& TowerName(const TaskTower& tower);

// What a tower reports that names no metrics, by its kind:
//   binary       auc, log_loss, accuracy, calibration
//   multi-class  accuracy, multiclass_auc, log_loss
//   regression   root_mean_squared_error, mean_absolute_error, r2
//   count        mean_absolute_error, root_mean_squared_error, calibration
//   amount       root_mean_squared_error, mean_absolute_error, calibration, xauc
std::vector<MetricConfig> DefaultMetrics(const TaskTower& tower);
// The metrics that a tower reports: its own, or DefaultMetrics.
std::vector<std::string> TowerMetricNames(const TaskTower& tower);

// All names that early_stopping.metric and best_metrics may hold: "loss", "<metric>_<tower>", "mean_<metric>".
std::vector<std::string> EvaluationMetricNames(const ModelConfig& model_config);

// The column that a label is made from: its LabelConfig's column, or its own name.
std::string LabelColumn(const DataConfig& data_config, std::string_view label_name);

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_ACCESSORS_H_
