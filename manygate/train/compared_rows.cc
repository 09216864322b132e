// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/compared_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "manygate/base/check.h"
#include "manygate/metrics/cross_entropy.h"
#include "manygate/metrics/metric.h"

namespace manygate {
namespace {

// As metrics/log_loss.cc keeps probabilities away from 0 and 1.
constexpr double kMargin = std::numeric_limits<float>::epsilon();

struct Targets {
  std::vector<float> labels, loss_weights, metric_weights;  // [rows of the selection]
};

Targets TargetsOf(const Task& task, const RowSelection& selection) {
  const auto& table = *selection.table;
  const int64_t rows = static_cast<int64_t>(selection.rows.size());
  std::vector<float> all_labels(rows * table.num_labels()), all_weights(rows * table.num_weights());
  table.CopyRows(selection.rows.data(), static_cast<int>(rows), nullptr, nullptr, all_labels.data(),
                 all_weights.data());
  const RowTargets targets{rows, all_labels.data(), table.num_labels(), all_weights.data(), table.num_weights()};
  Targets made;
  made.labels.resize(rows);
  made.loss_weights.resize(rows);
  made.metric_weights.resize(rows);
  task.FillRows(targets, made.labels.data(), made.loss_weights.data());
  task.FillMetricWeights(targets, made.loss_weights.data(), made.metric_weights.data());
  return made;
}

ComparedMetric MetricOf(config::TaskKind kind) {
  switch (kind) {
    case config::TaskKind::kBinary: return ComparedMetric::kAuc;
    case config::TaskKind::kClasses: return ComparedMetric::kLogLoss;
    case config::TaskKind::kRegression:
    case config::TaskKind::kCount:
    case config::TaskKind::kAmount: return ComparedMetric::kRootMeanSquaredError;
  }
  MG_CHECK(false, "task kind {}", static_cast<int>(kind));
}

}  // namespace

ComparedRows ComparedRows::Of(const Task& task, const RowSelection& selection) {
  const Targets targets = TargetsOf(task, selection);
  ComparedRows compared;
  compared.metric = MetricOf(task.kind);
  compared.width = task.num_predictions();
  for (size_t i = 0; i < targets.labels.size(); ++i) {
    if (!TakesPart(targets.labels[i], targets.metric_weights[i])) continue;
    compared.places.push_back(static_cast<int64_t>(i));
    compared.rows.push_back(selection.rows[i]);
    compared.labels.push_back(targets.labels[i]);
    compared.weights.push_back(targets.metric_weights[i]);
  }
  return compared;
}

const char* ComparedRows::MetricName() const {
  switch (metric) {
    case ComparedMetric::kAuc: return "auc";
    case ComparedMetric::kLogLoss: return "log_loss";
    case ComparedMetric::kRootMeanSquaredError: return "root_mean_squared_error";
  }
  MG_CHECK(false, "metric {}", static_cast<int>(metric));
}

bool ComparedRows::HasOneClass() const {
  if (metric != ComparedMetric::kAuc) return false;
  const auto positives = std::count_if(labels.begin(), labels.end(), IsPositive);
  return positives == 0 || positives == static_cast<int64_t>(labels.size());
}

std::vector<float> ComparedRows::Scores(const std::vector<float>& predictions) const {
  std::vector<float> scores(places.size());
  for (size_t i = 0; i < places.size(); ++i) {
    const float* of_row = predictions.data() + places[i] * width;
    switch (metric) {
      case ComparedMetric::kAuc: scores[i] = of_row[0]; break;
      case ComparedMetric::kLogLoss:
        scores[i] = static_cast<float>(CrossEntropy(of_row[static_cast<int>(labels[i])], 1.0, kMargin));
        break;
      case ComparedMetric::kRootMeanSquaredError:
        scores[i] = static_cast<float>(std::pow(static_cast<double>(of_row[0]) - labels[i], 2));
        break;
    }
  }
  return scores;
}

double ComparedRows::Value(const std::vector<float>& scores) const {
  if (metric == ComparedMetric::kAuc) return AucOf(labels, weights, scores);
  double sum = 0, total = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    sum += static_cast<double>(weights[i]) * scores[i];
    total += weights[i];
  }
  if (total == 0) return std::numeric_limits<double>::quiet_NaN();
  return metric == ComparedMetric::kLogLoss ? sum / total : std::sqrt(sum / total);
}

PairedDifference ComparedRows::Difference(RowsBySeed model, RowsBySeed baseline, ThreadPool& pool) const {
  switch (metric) {
    case ComparedMetric::kAuc: return PairedAuc(labels, weights, model, baseline);
    case ComparedMetric::kLogLoss: return PairedMean(weights, model, baseline, pool);
    case ComparedMetric::kRootMeanSquaredError: return PairedRootMean(weights, model, baseline, pool);
  }
  MG_CHECK(false, "metric {}", static_cast<int>(metric));
}

GbdtRows TrainingRows(const Task& task, const RowSelection& selection, const GbdtFeatures& features) {
  const Targets targets = TargetsOf(task, selection);
  GbdtRows made;
  std::vector<uint32_t> rows;
  for (size_t i = 0; i < targets.labels.size(); ++i) {
    if (!TakesPart(targets.labels[i], targets.loss_weights[i])) continue;
    rows.push_back(selection.rows[i]);
    made.labels.push_back(targets.labels[i]);
    made.weights.push_back(targets.loss_weights[i]);
  }
  made.features = features.Matrix(*selection.table, rows);
  return made;
}

}  // namespace manygate
