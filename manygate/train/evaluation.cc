// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/evaluation.h"

#include <algorithm>
#include <cmath>

#include "manygate/base/check.h"
#include "manygate/config/accessors.h"

namespace manygate {

Evaluator::Evaluator(Model& model, ThreadPool& pool)
    : model_(model),
      pool_(pool),
      executor_(model.graph, *model.store,
                {.slice_rows = static_cast<int64_t>(model.pipeline.train_config().slice_rows())}, pool) {}

Predictions Evaluator::Predict(const RowSelection& selection) {
  const ScopedFlushDenormals flush;
  const auto& table = *selection.table;
  const int64_t rows = static_cast<int64_t>(selection.rows.size());
  const size_t tasks = model_.graph.outputs.size();
  Predictions predictions;
  predictions.logits.assign(tasks, std::vector<float>(rows));
  predictions.values.assign(tasks, std::vector<float>(rows));
  executor_.ParametersChanged();
  const int64_t batch_rows = model_.pipeline.data_config().eval_batch_size();
  std::vector<int32_t> ids(std::min(batch_rows, rows) * table.num_id_slots());
  std::vector<float> numbers(std::min(batch_rows, rows) * table.number_width());
  for (int64_t first = 0; first < rows; first += batch_rows) {
    const int64_t n = std::min(batch_rows, rows - first);
    table.CopyRows(selection.rows.data() + first, static_cast<int>(n), ids.data(), numbers.data(), nullptr, nullptr);
    const InputBatch batch{n, ids.data(), table.num_id_slots(), numbers.data(), table.number_width()};
    executor_.Forward(batch, [&](const Slice& slice) {
      for (size_t t = 0; t < tasks; ++t) {
        float* logits = predictions.logits[t].data() + first + slice.first_row;
        for (int64_t r = 0; r < slice.rows; ++r) logits[r] = slice.logits[t].data[r * slice.logits[t].stride];
        model_.losses[t]->Link(logits, slice.rows, predictions.values[t].data() + first + slice.first_row);
      }
    });
  }
  return predictions;
}

EvaluationResult Evaluator::Evaluate(const RowSelection& selection) {
  const auto& table = *selection.table;
  MG_CHECK(table.num_labels() == model_.schema.labels_size(), "{} labels encoded, {} in the schema",
           table.num_labels(), model_.schema.labels_size());
  const Predictions predictions = Predict(selection);
  const int64_t rows = static_cast<int64_t>(selection.rows.size());
  const int64_t width = table.num_labels();
  std::vector<float> all_labels(rows * width), row_weights(rows), labels(rows), weights(rows);
  table.CopyRows(selection.rows.data(), static_cast<int>(rows), nullptr, nullptr, all_labels.data(),
                 row_weights.data());
  std::vector<TaskMetrics> metrics = MakeTaskMetrics(model_.pipeline.model_config());
  const auto& towers = config::TaskTowers(model_.pipeline.model_config());
  EvaluationResult result;
  result.rows = rows;
  for (size_t t = 0; t < metrics.size(); ++t) {
    double total_weight = 0;
    for (int64_t r = 0; r < rows; ++r) {
      labels[r] = all_labels[r * width + model_.label_index[t]];
      weights[r] = std::isnan(labels[r]) ? 0.f : row_weights[r];
      total_weight += weights[r];
    }
    metrics[t].Add(predictions.values[t].data(), labels.data(), row_weights.data(), rows);
    const double loss = model_.losses[t]->Compute(
        {.logits = predictions.logits[t].data(), .labels = labels.data(), .weights = weights.data(), .rows = rows},
        nullptr);
    if (total_weight > 0) result.loss += towers[static_cast<int>(t)].weight() * loss / total_weight;
    result.tasks.push_back(metrics[t].Result());
  }
  return result;
}

}  // namespace manygate
