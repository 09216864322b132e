// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/task.h"

#include <algorithm>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/catalog/catalog.h"

namespace manygate {
namespace {

int IndexOf(const google::protobuf::RepeatedPtrField<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

// The tower's own column of row weights, or the only one that there is.
int SampleWeight(const config::TaskTower& tower, const features::Schema& schema) {
  if (tower.has_sample_weight_name()) return IndexOf(schema.weight_column(), tower.sample_weight_name());
  return schema.weight_column_size() == 1 ? 0 : -1;
}

}  // namespace

double Task::FillRows(const RowTargets& targets, float* labels, float* weights) const {
  double total = 0;
  for (int64_t r = 0; r < targets.rows; ++r) {
    const float* row = targets.labels + r * targets.label_stride;
    const float y = labels[r] = row[label];
    float w = std::isnan(y) ? 0.f : 1.f;
    if (sample_weight >= 0) w *= targets.weights[r * targets.weight_stride + sample_weight];
    if (indicator >= 0) w *= row[indicator] > 0 ? in_space : out_space;
    if (!class_weights.empty() && w != 0) w *= class_weights[static_cast<size_t>(y)];
    weights[r] = w;
    total += w;
  }
  return total;
}

void Task::FillMetricWeights(const RowTargets& targets, const float* loss_weights, float* weights) const {
  for (int64_t r = 0; r < targets.rows; ++r) {
    const float sample = sample_weight >= 0 ? targets.weights[r * targets.weight_stride + sample_weight] : 1.f;
    weights[r] = loss_weights[r] == 0 ? 0.f : sample;
  }
}

bool Task::NeedsWholeBatch() const {
  return std::any_of(losses.begin(), losses.end(), [](const auto& part) { return part.loss->NeedsWholeBatch(); });
}

double Task::Compute(LossBatch batch, std::span<const int32_t* const> groups, std::vector<float>& scratch,
                     float* d_logits) const {
  const int64_t width = num_logits();
  const float scale = batch.scale;
  double sum = 0;
  for (size_t i = 0; i < losses.size(); ++i) {
    const WeightedLoss& part = losses[i];
    batch.scale = scale * part.weight;
    batch.sessions = part.sessions < 0 ? nullptr : groups[part.sessions];
    if (i == 0 || d_logits == nullptr) {
      sum += part.weight * part.loss->Compute(batch, d_logits);
      continue;
    }
    scratch.resize(batch.rows * batch.logit_stride);
    sum += part.weight * part.loss->Compute(batch, scratch.data());
    for (int64_t r = 0; r < batch.rows; ++r)
      for (int64_t c = 0; c < width; ++c) d_logits[r * batch.logit_stride + c] += scratch[r * batch.logit_stride + c];
  }
  return sum;
}

int FindLabel(const features::Schema& schema, const std::string& name) {
  for (int i = 0; i < schema.labels_size(); ++i)
    if (schema.labels(i).name() == name) return i;
  return -1;
}

std::vector<Task> MakeTasks(const config::Pipeline& pipeline, const features::Schema& schema) {
  std::vector<Task> tasks;
  const config::ModelConfig& model = pipeline.model_config();
  for (const config::TaskTower& tower : config::TaskTowers(model)) {
    Task& task = tasks.emplace_back();
    task.tower = tower.tower_name();
    task.kind = config::KindOf(tower);
    task.label = FindLabel(schema, tower.label_name());
    MG_CHECK(task.label >= 0, "label {} is not in the schema", tower.label_name());
    task.weight = config::TowerWeight(model, static_cast<int>(tasks.size()) - 1);
    const LabelStatistics statistics = StatisticsOf(schema.labels(task.label));
    for (const config::LossConfig& loss : tower.losses()) {
      std::unique_ptr<Loss> made = MakeLoss(loss, tower, statistics);
      const std::string column = made->SessionColumn();
      task.losses.push_back(
          {std::move(made), loss.weight(), column.empty() ? -1 : IndexOf(schema.group_column(), column)});
    }
    task.sample_weight = SampleWeight(tower, schema);
    if (tower.has_task_space_indicator_label()) task.indicator = FindLabel(schema, tower.task_space_indicator_label());
    task.in_space = tower.in_task_space_weight();
    task.out_space = tower.out_task_space_weight();
    task.class_weights.assign(tower.class_weights().begin(), tower.class_weights().end());
  }
  return tasks;
}

LabelStatistics StatisticsOf(const features::LabelSchema& label) {
  LabelStatistics statistics{.mean = label.mean(),
                             .deviation = label.deviation() > 0 ? label.deviation() : 1,
                             .positive_share = label.positive_share(),
                             .log_mean = label.log_mean(),
                             .log_deviation = label.log_deviation() > 0 ? label.log_deviation() : 1};
  for (const uint64_t count : label.class_count())
    statistics.class_shares.push_back(label.rows() > 0 ? static_cast<double>(count) / static_cast<double>(label.rows())
                                                       : 0);
  return statistics;
}

}  // namespace manygate
