// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/report_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "manygate/base/file.h"
#include "manygate/base/version.h"
#include "manygate/catalog/ensemble.h"
#include "manygate/config/accessors.h"
#include "manygate/features/describe.h"
#include "manygate/features/schema.h"
#include "manygate/train/evaluation.h"
#include "manygate/train/evaluation_rows.h"
#include "manygate/train/model_diagram.h"
#include "manygate/train/model_directory.h"

namespace manygate {
namespace {

constexpr int kBins = 10;

// A task's predictions, labels and weights as its metrics see them.
struct TaskRows {
  std::vector<float> predictions, labels, weights;
};

// Classes: whether the likeliest class is right, and how likely it is.
void ToConfidence(int num_classes, TaskRows* rows) {
  std::vector<float> confidence(rows->labels.size());
  for (size_t row = 0; row < confidence.size(); ++row) {
    const float* probabilities = rows->predictions.data() + row * num_classes;
    const float* likeliest = std::max_element(probabilities, probabilities + num_classes);
    confidence[row] = *likeliest;
    float& label = rows->labels[row];
    if (!std::isnan(label)) label = label == static_cast<float>(likeliest - probabilities) ? 1.f : 0.f;
  }
  rows->predictions = std::move(confidence);
}

TaskRows RowsOf(const Task& task, const std::vector<float>& values, const RowTargets& targets) {
  TaskRows rows{.predictions = values, .labels = {}, .weights = {}};
  std::vector<float> loss_weights(targets.rows);
  rows.labels.resize(targets.rows);
  rows.weights.resize(targets.rows);
  task.FillRows(targets, rows.labels.data(), loss_weights.data());
  task.FillMetricWeights(targets, loss_weights.data(), rows.weights.data());
  if (task.kind == config::TaskKind::kClasses) ToConfidence(task.num_predictions(), &rows);
  return rows;
}

// Weighted share of the rows with a positive label; NaN without rows.
double BaseRate(const TaskRows& rows) {
  double positive = 0, all = 0;
  for (size_t row = 0; row < rows.labels.size(); ++row) {
    if (!TakesPart(rows.labels[row], rows.weights[row])) continue;
    all += rows.weights[row];
    if (IsPositive(rows.labels[row])) positive += rows.weights[row];
  }
  return positive / all;
}

std::string WhyEmpty(const TaskRows& rows, const TaskResult& result) {
  if (result.rows == 0) return kNoRows;
  bool any = false;
  for (size_t row = 0; row < rows.labels.size(); ++row)
    any = any || (TakesPart(rows.labels[row], rows.weights[row]) && std::isfinite(rows.predictions[row]));
  return any ? kOneClass : kNotFinite;
}

void AddTasks(const Model& model, const Predictions& predictions, const RowSelection& selection, ReportData* data) {
  const auto& table = *selection.table;
  const auto rows = static_cast<int64_t>(selection.rows.size());
  std::vector<float> labels(rows * table.num_labels()), weights(rows * table.num_weights());
  table.CopyRows(selection.rows.data(), static_cast<int>(rows), nullptr, nullptr, labels.data(), weights.data());
  const RowTargets targets{rows, labels.data(), table.num_labels(), weights.data(), table.num_weights()};
  const auto& towers = config::TaskTowers(model.pipeline.model_config());
  for (int t = 0; t < towers.size(); ++t) {
    const Task& task = model.tasks[t];
    const TaskRows of_task = RowsOf(task, predictions.values[t], targets);
    const ScoredRows scored{of_task.predictions, of_task.labels, of_task.weights};
    ReportTask report{.tower = task.tower,
                      .kind = config::KindName(task.kind),
                      .label = towers[t].label_name(),
                      .loss = config::LossName(towers[t])};
    const bool binary = task.kind == config::TaskKind::kBinary;
    if (binary) {
      report.roc = RocCurve(scored);
      report.precision_recall = PrecisionRecallCurve(scored);
      report.base_rate = BaseRate(of_task);
    }
    const bool shares = binary || task.kind == config::TaskKind::kClasses;
    report.calibration = CalibrationBins(scored, kBins, shares ? BinInterval::kShare : BinInterval::kMean);
    report.why_empty = WhyEmpty(of_task, data->evaluation.tasks[t]);
    data->tasks.push_back(std::move(report));
  }
}

void AddSchema(const features::Schema& schema, ReportData* data) {
  data->training_rows = static_cast<int64_t>(schema.training_rows());
  for (const features::FeatureSchema& feature : schema.features()) {
    data->columns.push_back(
        {.name = feature.name(),
         .column = feature.column(),
         .kind = features::KindText(feature),
         .input = features::InputText(feature),
         .values = features::IsId(feature) ? static_cast<int64_t>(feature.vocabulary_size()) : -1,
         .missing_rows = feature.has_missing_count() ? static_cast<int64_t>(feature.missing_count()) : -1});
  }
  for (const features::LabelSchema& label : schema.labels()) {
    data->labels.push_back({.name = label.name(),
                            .column = label.column(),
                            .kind = features::KindText(label),
                            .rows = static_cast<int64_t>(label.rows()),
                            .statistics = features::StatisticsText(label)});
  }
}

Status AddFiles(const std::string& dir, ReportData* data) {
  const std::string run = data->members > 1 ? MemberDirectory(dir, 0) : dir;
  if (const std::string path = JoinPath(run, kMetricsFileName); FileExists(path)) {
    MG_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    data->history = HistoryFromText(text);
  }
  if (const std::string path = JoinPath(dir, kTransferFileName); FileExists(path)) {
    MG_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    MG_ASSIGN_OR_RETURN(data->transfer, TransferFromJson(text, path));
  }
  return OkStatus();
}

}  // namespace

StatusOr<ReportData> CollectReport(const std::string& dir, const std::string& paths, ThreadPool& pool,
                                   std::vector<std::string>* notes) {
  MG_ASSIGN_OR_RETURN(const auto members, LoadMembers(dir));
  const Model& model = *members[0];
  ReportData data{.name = BaseName(dir),
                  .model = config::ModelName(model.pipeline.model_config()),
                  .program_version = kProgramVersion,
                  .members = static_cast<int>(members.size()),
                  .num_parameters = model.graph.NumParameters()};
  MG_RETURN_IF_ERROR(AddFiles(dir, &data));
  const std::string cache = CacheDirectory(model.pipeline, dir);
  MG_ASSIGN_OR_RETURN(const EvaluationRows rows, RowsToEvaluate(model, dir, paths, pool, cache, notes));
  data.rows_name = rows.name;
  Evaluator evaluator(Pointers(members), pool);
  const Predictions predictions = evaluator.Predict(rows.selection);
  data.evaluation = evaluator.Score(predictions, rows.selection);
  AddTasks(model, predictions, rows.selection, &data);
  AddSchema(model.schema, &data);
  data.diagram = ModelDiagram(model);
  MG_ASSIGN_OR_RETURN(data.configuration, ReadFile(JoinPath(dir, kConfigFileName)));
  return data;
}

}  // namespace manygate
