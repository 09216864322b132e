// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/task_metrics.h"

#include "manygate/base/check.h"

namespace manygate {

TaskMetrics::TaskMetrics(std::string tower, std::vector<std::unique_ptr<Metric>> metrics)
    : tower_(std::move(tower)), metrics_(std::move(metrics)) {}

void TaskMetrics::Add(const float* predictions, const float* labels, const float* weights, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i) {
    missing_ += std::isnan(labels[i]);
    if (!TakesPart(labels[i], weights == nullptr ? 1.0f : weights[i])) continue;
    ++rows_;
    positives_ += IsPositive(labels[i]);
  }
  for (const auto& metric : metrics_) metric->Add(predictions, labels, weights, rows);
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
                    .positives = positives_,
                    .missing = missing_,
                    .metrics = Results(),
                    .reasons = {}};
  for (const auto& metric : metrics_) {
    std::string reason = metric->Reason();
    if (!reason.empty()) result.reasons.emplace_back(metric->name(), std::move(reason));
  }
  return result;
}

}  // namespace manygate
