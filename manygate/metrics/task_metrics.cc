// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/task_metrics.h"

#include "manygate/base/check.h"

namespace manygate {

TaskMetrics::TaskMetrics(std::string tower, std::vector<std::unique_ptr<Metric>> metrics, LabelKind kind)
    : tower_(std::move(tower)), metrics_(std::move(metrics)), kind_(kind) {}

std::vector<std::string> TaskMetrics::GroupColumns() const {
  std::vector<std::string> columns;
  for (const auto& metric : metrics_) columns.push_back(metric->GroupColumn());
  return columns;
}

void TaskMetrics::Add(const MetricBatch& batch, std::span<const int32_t* const> groups) {
  MG_CHECK(groups.empty() || groups.size() == metrics_.size(), "groups for {} of {} metrics", groups.size(),
           metrics_.size());
  MG_CHECK(batch.groups == nullptr, "groups of {} for all metrics at once", tower_);
  for (int64_t i = 0; i < batch.rows; ++i) {
    missing_ += std::isnan(batch.labels[i]);
    if (!TakesPart(batch.labels[i], batch.weights == nullptr ? 1.0f : batch.weights[i])) continue;
    ++rows_;
    positives_ += IsPositive(batch.labels[i]);
  }
  for (size_t i = 0; i < metrics_.size(); ++i) {
    MetricBatch of_metric = batch;
    if (!groups.empty()) of_metric.groups = groups[i];
    metrics_[i]->Add(of_metric);
  }
}

void TaskMetrics::Merge(const TaskMetrics& other) {
  MG_CHECK(other.tower_ == tower_ && other.metrics_.size() == metrics_.size(), "merging {} ({} metrics) into {} ({})",
           other.tower_, other.metrics_.size(), tower_, metrics_.size());
  for (size_t i = 0; i < metrics_.size(); ++i) metrics_[i]->Merge(*other.metrics_[i]);
  rows_ += other.rows_;
  positives_ += other.positives_;
  missing_ += other.missing_;
}

std::vector<std::pair<std::string, double>> TaskMetrics::Results() const {
  std::vector<std::pair<std::string, double>> results;
  for (const auto& metric : metrics_) results.emplace_back(metric->name(), metric->Value());
  return results;
}

TaskResult TaskMetrics::Result() const {
  TaskResult result{.tower = tower_,
                    .rows = rows_,
                    .positives = positives(),
                    .missing = missing_,
                    .metrics = Results(),
                    .reasons = {},
                    .intervals = {}};
  for (const auto& metric : metrics_) {
    const std::pair<double, double> interval = metric->Interval();
    if (!std::isnan(interval.first)) result.intervals.emplace_back(metric->name(), interval);
    std::string reason = metric->Reason();
    if (!reason.empty()) result.reasons.emplace_back(metric->name(), std::move(reason));
  }
  return result;
}

}  // namespace manygate
