// SPDX-License-Identifier: Apache-2.0
// The hold-out rows of one task as several models are compared on them.
//
//   const ComparedRows rows = ComparedRows::Of(task, data.test);
//   std::vector<float> scores = rows.Scores(predictions.values[t]);     // per model and seed
//   rows.Value(scores);                                                 // the metric
//   rows.Difference(scores_of_model, scores_of_baseline, pool);         // by seed; with its interval
#ifndef MANYGATE_TRAIN_COMPARED_ROWS_H_
#define MANYGATE_TRAIN_COMPARED_ROWS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "manygate/base/thread_pool.h"
#include "manygate/catalog/task.h"
#include "manygate/metrics/paired.h"
#include "manygate/train/dataset.h"
#include "manygate/train/gbdt.h"

namespace manygate {

// Of binary tasks, classes, and all others.
enum class ComparedMetric { kAuc, kLogLoss, kRootMeanSquaredError };

struct ComparedRows {
  ComparedMetric metric = ComparedMetric::kAuc;
  int width = 1;                       // predictions per row
  std::vector<int64_t> places;         // in the selection, of the rows with a label and a weight
  std::vector<uint32_t> rows;          // of the table, the same
  std::vector<float> labels, weights;  // weights as in the task's metrics

  static ComparedRows Of(const Task& task, const RowSelection& selection);

  // As in config::MetricConfig.
  const char* MetricName() const;
  // Of a binary task: whether there are no rows of one of the classes.
  bool HasOneClass() const;
  // What the metric needs of a model: predictions for AUC, else a loss per row (log loss, squared error).
  // predictions: [rows of the selection, width].
  std::vector<float> Scores(const std::vector<float>& predictions) const;
  // The metric as `evaluate` shows it; NaN where it does not exist.
  double Value(const std::vector<float>& scores) const;
  PairedDifference Difference(RowsBySeed model, RowsBySeed baseline, ThreadPool& pool) const;
};

// The rows that a task is trained on, and their weights in its loss.
GbdtRows TrainingRows(const Task& task, const RowSelection& selection, const GbdtFeatures& features);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_COMPARED_ROWS_H_
