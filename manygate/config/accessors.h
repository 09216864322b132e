// SPDX-License-Identifier: Apache-2.0
// What every reader of a configuration needs to ask of its oneofs.
//
//   for (const TaskTower& tower : TaskTowers(pipeline.model_config())) ...
//   ModelName(pipeline.model_config());   // "mmoe"
#ifndef MANYGATE_CONFIG_ACCESSORS_H_
#define MANYGATE_CONFIG_ACCESSORS_H_

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
// "binary_cross_entropy"; also for a tower that names no loss.
std::string LossName(const TaskTower& tower);
// "auc"; "" if none is set. The key in reports and in the names of metrics ("auc_<tower>", "mean_auc").
std::string MetricName(const MetricConfig& metric);
// "adam_optimizer", "" if none is set.
std::string OptimizerName(const Optimizer& optimizer);

// tower_name or, when that is not set, label_name.
const std::string& TowerName(const TaskTower& tower);

// The metrics that a tower reports: its own, or those its loss brings.
std::vector<std::string> TowerMetricNames(const TaskTower& tower);

// All names that early_stopping.metric and best_metrics may hold: "loss", "<metric>_<tower>", "mean_<metric>".
std::vector<std::string> EvaluationMetricNames(const ModelConfig& model_config);

// feature_name of whichever feature is set; "" when absent.
const std::string& FeatureName(const FeatureConfig& feature);
// The column that the feature reads: its expression without "side:", or its name.
std::string FeatureColumn(const FeatureConfig& feature);

// The column that a label is made from: its LabelConfig's column, or its own name.
std::string LabelColumn(const DataConfig& data_config, std::string_view label_name);

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_ACCESSORS_H_
