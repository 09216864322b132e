// SPDX-License-Identifier: Apache-2.0
// All metrics of one task (tower) and the counts of rows they rest on.
//
//   TaskMetrics income("income", std::move(metrics));
//   for (each batch) income.Add({.predictions = p, .labels = y, .weights = w, .rows = n});
//   TaskResult result = income.Result();
//
// With metrics that group their rows:
//
//   std::vector<const int32_t*> groups;          // one pointer per metric
//   for (const std::string& column : income.GroupColumns())
//     groups.push_back(column.empty() ? nullptr : NumbersOf(column));
//   income.Add(batch, groups);
#ifndef MANYGATE_METRICS_TASK_METRICS_H_
#define MANYGATE_METRICS_TASK_METRICS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "manygate/metrics/evaluation.h"
#include "manygate/metrics/metric.h"

namespace manygate {

// Binary labels are 0 and 1 or probabilities; the others are classes, numbers, counts or amounts.
enum class LabelKind { kBinary, kOther };

class TaskMetrics {
 public:
  TaskMetrics(std::string tower, std::vector<std::unique_ptr<Metric>> metrics, LabelKind kind = LabelKind::kBinary);

  // By metric: the column that its groups are made from, "" where it has none.
  std::vector<std::string> GroupColumns() const;
  // groups: by metric, [rows] each, null where GroupColumns() is ""; may be left out when it is so for all. Takes the
  // place of batch.groups, which must be null. Equal numbers are one group in all calls. A missing label is NaN.
  void Add(const MetricBatch& batch, std::span<const int32_t* const> groups = {});
  // Adds what the same task gathered elsewhere (equal list of metrics), as if its rows followed ours.
  void Merge(const TaskMetrics& other);

  const std::string& tower() const { return tower_; }
  int64_t rows() const { return rows_; }  // rows with a label and a weight
  // Of those, rows whose label is positive (above one half); -1 unless labels are binary.
  int64_t positives() const { return kind_ == LabelKind::kBinary ? positives_ : -1; }
  int64_t missing() const { return missing_; }  // rows without a label
  const std::vector<std::unique_ptr<Metric>>& metrics() const { return metrics_; }

  // (name, value) in the order of the list; NaN where a value does not exist.
  std::vector<std::pair<std::string, double>> Results() const;
  // The same with the counts, the intervals and, for values that do not exist, the reasons.
  TaskResult Result() const;

 private:
  std::string tower_;
  std::vector<std::unique_ptr<Metric>> metrics_;
  LabelKind kind_;
  int64_t rows_ = 0;
  int64_t positives_ = 0;
  int64_t missing_ = 0;
};

}  // namespace manygate

#endif  // MANYGATE_METRICS_TASK_METRICS_H_
