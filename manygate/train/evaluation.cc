// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/evaluation.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/catalog/outputs.h"
#include "manygate/config/accessors.h"

namespace manygate {
namespace {

std::vector<float> Zeros(int64_t rows, int64_t width) { return std::vector<float>(rows * width, 0.f); }

// sum += part; every array of the two has the same shape.
void AddAll(const std::vector<std::vector<float>>& part, std::vector<std::vector<float>>* sum) {
  for (size_t i = 0; i < part.size(); ++i)
    for (size_t r = 0; r < part[i].size(); ++r) (*sum)[i][r] += part[i][r];
}

void Divide(float by, std::vector<std::vector<float>>* arrays) {
  for (std::vector<float>& array : *arrays)
    for (float& value : array) value /= by;
}

// The given rows of each array.
void Gather(const std::vector<std::vector<float>>& from, int64_t from_rows, const std::vector<int64_t>& rows,
            std::vector<std::vector<float>>* to) {
  for (const std::vector<float>& array : from) {
    const int64_t width = from_rows > 0 ? static_cast<int64_t>(array.size()) / from_rows : 0;
    std::vector<float>& gathered = to->emplace_back();
    gathered.reserve(rows.size() * width);
    for (const int64_t row : rows)
      gathered.insert(gathered.end(), array.begin() + row * width, array.begin() + (row + 1) * width);
  }
}

// The group of each row of a selection, by group column of the schema.
struct Groups {
  std::vector<std::vector<int32_t>> columns;
  std::vector<const int32_t*> pointers;
};

Groups GroupsOf(const features::Schema& schema, const RowSelection& selection) {
  Groups groups;
  for (int g = 0; g < schema.group_column_size(); ++g) {
    const auto all = selection.table->groups(g);
    std::vector<int32_t>& column = groups.columns.emplace_back();
    for (const uint32_t row : selection.rows) column.push_back(all[row]);
  }
  for (const auto& column : groups.columns) groups.pointers.push_back(column.data());
  return groups;
}

// By metric of a task: its groups, or null.
std::vector<const int32_t*> GroupsByMetric(const TaskMetrics& metrics, const features::Schema& schema,
                                           const Groups& groups) {
  std::vector<const int32_t*> by_metric;
  for (const std::string& column : metrics.GroupColumns()) {
    const auto& names = schema.group_column();
    const auto found = std::find(names.begin(), names.end(), column);
    MG_CHECK(column.empty() || found != names.end(), "group column {} is not in the schema", column);
    by_metric.push_back(column.empty() ? nullptr : groups.pointers[found - names.begin()]);
  }
  return by_metric;
}

}  // namespace

Evaluator::Evaluator(std::vector<Model*> members, ThreadPool& pool) : members_(std::move(members)), pool_(pool) {
  MG_CHECK(!members_.empty(), "an evaluator needs a model");
  for (Model* member : members_) {
    executors_.push_back(std::make_unique<Executor>(
        member->graph, *member->store,
        ExecutorOptions{.slice_rows = static_cast<int64_t>(member->pipeline.train_config().slice_rows())}, pool));
  }
}

void Evaluator::PredictMember(size_t member, const RowSelection& selection, Predictions* predictions) {
  const Model& model = *members_[member];
  Executor& executor = *executors_[member];
  const auto& table = *selection.table;
  const int64_t rows = static_cast<int64_t>(selection.rows.size());
  predictions->rows = rows;
  // Outputs of the model, and where each goes.
  const std::vector<ModelOutput> outputs = ListOutputs(model);
  std::vector<float*> values;
  for (const ModelOutput& output : outputs) {
    auto& arrays = output.kind == ModelOutput::Kind::kLogits       ? predictions->logits
                   : output.kind == ModelOutput::Kind::kPrediction ? predictions->values
                                                                   : predictions->extras;
    values.push_back(arrays.emplace_back(Zeros(rows, output.width)).data());
  }
  executor.ParametersChanged();
  const int64_t batch_rows = model.pipeline.data_config().eval_batch_size();
  std::vector<int32_t> ids(std::min(batch_rows, rows) * table.num_id_slots());
  std::vector<float> numbers(std::min(batch_rows, rows) * table.number_width());
  for (int64_t first = 0; first < rows; first += batch_rows) {
    const int64_t n = std::min(batch_rows, rows - first);
    table.CopyRows(selection.rows.data() + first, static_cast<int>(n), ids.data(), numbers.data(), nullptr, nullptr);
    const InputBatch batch{n, ids.data(), table.num_id_slots(), numbers.data(), table.number_width()};
    executor.Forward(batch, [&](const Slice& slice) {
      const int64_t at = first + slice.first_row;
      for (size_t i = 0; i < outputs.size(); ++i)
        ReadOutput(model, outputs[i], slice, values[i] + at * outputs[i].width);
    });
  }
}

Predictions Evaluator::Predict(const RowSelection& selection) {
  const ScopedFlushDenormals flush;
  Predictions predictions;
  PredictMember(0, selection, &predictions);
  if (members_.size() == 1) return predictions;
  predictions.member_logits.push_back(predictions.logits);
  for (size_t m = 1; m < members_.size(); ++m) {
    Predictions member;
    PredictMember(m, selection, &member);
    AddAll(member.logits, &predictions.logits);
    AddAll(member.values, &predictions.values);
    AddAll(member.extras, &predictions.extras);
    predictions.member_logits.push_back(std::move(member.logits));
  }
  const auto count = static_cast<float>(members_.size());
  Divide(count, &predictions.logits);
  Divide(count, &predictions.values);
  Divide(count, &predictions.extras);
  return predictions;
}

// Mean over the members of the weighted mean over the rows. A loss that compares rows sees them in batches as in training.
double Evaluator::TaskLoss(size_t task, const Predictions& predictions, const std::vector<float>& labels,
                           const std::vector<float>& weights, std::span<const int32_t* const> groups) const {
  const Task& definition = model().tasks[task];
  const int64_t rows = predictions.rows, width = definition.num_logits();
  const int64_t batch = definition.NeedsWholeBatch() ? model().pipeline.data_config().batch_size() : rows;
  double total = 0, sum = 0;
  for (const float weight : weights) total += weight;
  if (total == 0) return 0;
  std::vector<float> scratch;
  std::vector<const int32_t*> batch_groups(groups.size());
  for (size_t m = 0; m < members_.size(); ++m) {
    const std::vector<float>& logits =
        predictions.member_logits.empty() ? predictions.logits[task] : predictions.member_logits[m][task];
    for (int64_t first = 0; first < rows; first += batch) {
      for (size_t g = 0; g < groups.size(); ++g) batch_groups[g] = groups[g] + first;
      sum += definition.Compute({.logits = logits.data() + first * width,
                                 .logit_stride = width,
                                 .labels = labels.data() + first,
                                 .weights = weights.data() + first,
                                 .rows = std::min(batch, rows - first)},
                                batch_groups, scratch, nullptr);
    }
  }
  return sum / (total * static_cast<double>(members_.size()));
}

EvaluationResult Evaluator::Score(const Predictions& predictions, const RowSelection& selection) const {
  const auto& table = *selection.table;
  const features::Schema& schema = model().schema;
  MG_CHECK(table.num_labels() == schema.labels_size(), "{} labels encoded, {} in the schema", table.num_labels(),
           schema.labels_size());
  const int64_t rows = static_cast<int64_t>(selection.rows.size());
  MG_CHECK(predictions.rows == rows, "{} predictions for {} rows", predictions.rows, rows);
  std::vector<float> row_labels(rows * table.num_labels()), row_weights(rows * table.num_weights());
  table.CopyRows(selection.rows.data(), static_cast<int>(rows), nullptr, nullptr, row_labels.data(),
                 row_weights.data());
  const RowTargets targets{rows, row_labels.data(), table.num_labels(), row_weights.data(), table.num_weights()};
  const Groups groups = GroupsOf(schema, selection);
  std::vector<TaskMetrics> metrics = MakeTaskMetrics(model().pipeline.model_config());
  std::vector<float> labels(rows), weights(rows), metric_weights(rows);
  EvaluationResult result;
  result.rows = rows;
  for (size_t t = 0; t < metrics.size(); ++t) {
    const Task& task = model().tasks[t];
    task.FillRows(targets, labels.data(), weights.data());
    task.FillMetricWeights(targets, weights.data(), metric_weights.data());
    metrics[t].Add({.predictions = predictions.values[t].data(),
                    .width = task.num_predictions(),
                    .labels = labels.data(),
                    .weights = metric_weights.data(),
                    .rows = rows},
                   GroupsByMetric(metrics[t], schema, groups));
    result.loss += task.weight * TaskLoss(t, predictions, labels, weights, groups.pointers);
    result.tasks.push_back(metrics[t].Result());
  }
  return result;
}

ColumnSlices Evaluator::ScoreBy(const std::string& column, std::span<const int32_t> codes,
                                std::span<const std::string> texts, const Predictions& predictions,
                                const RowSelection& selection) const {
  std::vector<std::vector<int64_t>> rows_of(texts.size());
  for (size_t row = 0; row < codes.size(); ++row) rows_of[codes[row]].push_back(static_cast<int64_t>(row));
  ColumnSlices slices{.column = column};
  for (size_t code = 0; code < texts.size(); ++code) {
    const std::vector<int64_t>& rows = rows_of[code];
    if (rows.empty()) continue;
    Predictions part;
    part.rows = static_cast<int64_t>(rows.size());
    Gather(predictions.logits, predictions.rows, rows, &part.logits);
    Gather(predictions.values, predictions.rows, rows, &part.values);
    for (const auto& member : predictions.member_logits)
      Gather(member, predictions.rows, rows, &part.member_logits.emplace_back());
    RowSelection selected{selection.table, {}};
    for (const int64_t row : rows) selected.rows.push_back(selection.rows[row]);
    slices.values.emplace_back(texts[code], Score(part, selected));
  }
  return slices;
}

}  // namespace manygate
