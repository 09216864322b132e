// SPDX-License-Identifier: Apache-2.0
// The half of the registration that only training and evaluation need.
#include <utility>

#include "manygate/catalog/catalog.h"
#include "manygate/catalog/model.h"
#include "manygate/config/accessors.h"

namespace manygate {
namespace {

StateCounts CountStates(const config::Pipeline& pipeline) {
  const config::TrainConfig& train = pipeline.train_config();
  return {MakeOptimizer(train.dense_optimizer(), RowDecay::kEveryStep)->StatePerValue(),
          MakeOptimizer(train.sparse_optimizer(), RowDecay::kWhenTouched)->StatePerValue()};
}

}  // namespace

std::unique_ptr<Metric> MakeMetric(const config::MetricConfig& config) {
  switch (config.metric_case()) {
    case config::MetricConfig::kAccuracy: return MakeAccuracy(config.accuracy());
    case config::MetricConfig::kMeanAbsoluteError: return MakeMeanAbsoluteError(config.mean_absolute_error());
    case config::MetricConfig::kMeanSquaredError: return MakeMeanSquaredError(config.mean_squared_error());
    case config::MetricConfig::kLogLoss: return MakeLogLoss(config.log_loss());
    case config::MetricConfig::kCalibration: return MakeCalibration(config.calibration());
    case config::MetricConfig::kGroupedAuc: return MakeGroupedAuc(config.grouped_auc());
    case config::MetricConfig::kMulticlassAuc: return MakeMulticlassAuc(config.multiclass_auc());
    case config::MetricConfig::kXauc: return MakeXauc(config.xauc());
    case config::MetricConfig::kGroupedXauc: return MakeGroupedXauc(config.grouped_xauc());
    case config::MetricConfig::kFlattenedAuc: return MakeFlattenedAuc(config.flattened_auc());
    case config::MetricConfig::kRecallAtK: return MakeRecallAtK(config.recall_at_k());
    case config::MetricConfig::kNormalizedEntropy: return MakeNormalizedEntropy(config.normalized_entropy());
    case config::MetricConfig::kPrAuc: return MakePrAuc(config.pr_auc());
    case config::MetricConfig::kExpectedCalibrationError:
      return MakeExpectedCalibrationError(config.expected_calibration_error());
    case config::MetricConfig::kR2: return MakeR2(config.r2());
    case config::MetricConfig::kRootMeanSquaredError: return MakeRootMeanSquaredError(config.root_mean_squared_error());
    default: return MakeAuc(config.auc());
  }
}

std::unique_ptr<Optimizer> MakeOptimizer(const config::Optimizer& config, RowDecay row_decay) {
  switch (config.optimizer_case()) {
    case config::Optimizer::kSgdOptimizer: return MakeSgd(config.sgd_optimizer(), row_decay);
    case config::Optimizer::kAdagradOptimizer: return MakeAdagrad(config.adagrad_optimizer(), row_decay);
    case config::Optimizer::kAdamwOptimizer: return MakeAdamW(config.adamw_optimizer());
    case config::Optimizer::kFtrlOptimizer: return MakeFtrl(config.ftrl_optimizer());
    case config::Optimizer::kRmspropOptimizer: return MakeRmsprop(config.rmsprop_optimizer(), row_decay);
    case config::Optimizer::kAdadeltaOptimizer: return MakeAdadelta(config.adadelta_optimizer(), row_decay);
    case config::Optimizer::kRowwiseAdagradOptimizer: return MakeRowwiseAdagrad(config.rowwise_adagrad_optimizer());
    case config::Optimizer::kPartialRowwiseAdamOptimizer:
      return MakePartialRowwiseAdam(config.partial_rowwise_adam_optimizer());
    default: return MakeAdam(config.adam_optimizer(), row_decay);
  }
}

std::vector<TaskMetrics> MakeTaskMetrics(const config::ModelConfig& model) {
  std::vector<TaskMetrics> tasks;
  for (const config::TaskTower& tower : config::TaskTowers(model)) {
    std::vector<std::unique_ptr<Metric>> metrics;
    for (const config::MetricConfig& metric : tower.metrics()) metrics.push_back(MakeMetric(metric));
    const bool binary = config::KindOf(tower) == config::TaskKind::kBinary;
    tasks.emplace_back(tower.tower_name(), std::move(metrics), binary ? LabelKind::kBinary : LabelKind::kOther);
  }
  return tasks;
}

std::unique_ptr<Model> MakeTrainingModel(const config::Pipeline& pipeline, const features::Schema& schema) {
  return MakeModel(pipeline, schema, Purpose::kTrain, CountStates(pipeline));
}

}  // namespace manygate
