// SPDX-License-Identifier: Apache-2.0
// All metrics of one task (tower) and the counts of rows they rest on.
//
//   TaskMetrics income("income", std::move(metrics));
//   for (each batch) income.Add(predictions, labels, weights, rows);
//   TaskResult result = income.Result();
#ifndef MANYGATE_METRICS_TASK_METRICS_H_
#define MANYGATE_METRICS_TASK_METRICS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "manygate/metrics/evaluation.h"
#include "manygate/metrics/metric.h"

namespace manygate {

class TaskMetrics {
 public:
  TaskMetrics(std::string tower, std::vector<std::unique_ptr<Metric>> metrics);

  // predictions, labels: [rows]. weights: [rows], null = all 1. A missing label is NaN.
  void Add(const float* predictions, const float* labels, const float* weights, int64_t rows);
  // Adds what the same task gathered elsewhere (equal list of metrics), as if its rows followed ours.
  void Merge(const TaskMetrics& other);

  const std::string& tower() const { return tower_; }
  int64_t rows() const { return rows_; }            // rows with a label and a weight
  int64_t positives() const { return positives_; }  // of those, rows whose label is positive (above one half)
  int64_t missing() const { return missing_; }      // rows without a label
  const std::vector<std::unique_ptr<Metric>>& metrics() const { return metrics_; }

  // (name, value) in the order of the list; NaN where a value does not exist.
  std::vector<std::pair<std::string, double>> Results() const;
  // The same with the counts and, for values that do not exist, the reasons.
  TaskResult Result() const;

 private:
  std::string tower_;
  std::vector<std::unique_ptr<Metric>> metrics_;
  int64_t rows_ = 0;
  int64_t positives_ = 0;
  int64_t missing_ = 0;
};

}  // namespace manygate

#endif  // MANYGATE_METRICS_TASK_METRICS_H_
