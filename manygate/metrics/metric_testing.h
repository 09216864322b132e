// SPDX-License-Identifier: Apache-2.0
// What the tests of metrics share: one of each metric, and rows written out.
//
//   double value = ValueOf(MakeAuc(config::AUC()), {.predictions = {0.8f, 0.3f}, .labels = {1, 0}});
#ifndef MANYGATE_METRICS_METRIC_TESTING_H_
#define MANYGATE_METRICS_METRIC_TESTING_H_

#include <memory>
#include <string>
#include <vector>

#include "manygate/metrics/metric.h"

namespace manygate {

struct Rows {
  std::vector<float> predictions, labels;
  std::vector<float> weights = {};  // empty: all 1
  int width = 1;
  std::vector<int32_t> groups = {};  // empty: all 0
};

inline void Add(Metric* metric, const Rows& rows) {
  const std::vector<int32_t> groups = rows.groups.empty() ? std::vector<int32_t>(rows.labels.size()) : rows.groups;
  metric->Add({.predictions = rows.predictions.data(),
               .width = rows.width,
               .labels = rows.labels.data(),
               .weights = rows.weights.empty() ? nullptr : rows.weights.data(),
               .groups = metric->GroupColumn().empty() ? nullptr : groups.data(),
               .rows = static_cast<int64_t>(rows.labels.size())});
}

inline double ValueOf(std::unique_ptr<Metric> metric, const Rows& rows) {
  Add(metric.get(), rows);
  return metric->Value();
}

// Rows first .. first + count - 1.
inline Rows PartOf(const Rows& rows, size_t first, size_t count) {
  const auto cut = [&](const auto& all, size_t width) {
    using Column = std::decay_t<decltype(all)>;
    return all.empty() ? Column() : Column(all.begin() + first * width, all.begin() + (first + count) * width);
  };
  return {.predictions = cut(rows.predictions, rows.width),
          .labels = cut(rows.labels, 1),
          .weights = cut(rows.weights, 1),
          .width = rows.width,
          .groups = cut(rows.groups, 1)};
}

inline std::unique_ptr<Metric> Auc(uint32_t thresholds = 0) {
  config::AUC config;
  config.set_thresholds(thresholds);
  return MakeAuc(config);
}

inline std::unique_ptr<Metric> GroupedAucBy(const std::string& column) {
  config::GroupedAUC config;
  config.set_grouping_key(column);
  return MakeGroupedAuc(config);
}

inline std::unique_ptr<Metric> GroupedXaucBy(const std::string& column) {
  config::GroupedXAUC config;
  config.set_grouping_key(column);
  return MakeGroupedXauc(config);
}

inline std::unique_ptr<Metric> Recall(uint32_t top_k) {
  config::RecallAtK config;
  config.set_top_k(top_k);
  return MakeRecallAtK(config);
}

inline std::unique_ptr<Metric> MulticlassAuc(const std::string& average, uint32_t thresholds = 0) {
  config::MulticlassAUC config;
  config.set_average(average);
  config.set_thresholds(thresholds);
  return MakeMulticlassAuc(config);
}

inline std::unique_ptr<Metric> TopAccuracy(uint32_t top_k) {
  config::Accuracy config;
  config.set_top_k(top_k);
  return MakeAccuracy(config);
}

inline std::unique_ptr<Metric> CalibrationError(uint32_t bins) {
  config::ExpectedCalibrationError config;
  config.set_bins(bins);
  return MakeExpectedCalibrationError(config);
}

// All that take one prediction per row.
inline std::vector<std::unique_ptr<Metric>> AllMetrics() {
  std::vector<std::unique_ptr<Metric>> metrics;
  metrics.push_back(Auc());
  metrics.push_back(Auc(5));
  metrics.push_back(MakeLogLoss(config::LogLoss()));
  metrics.push_back(MakeAccuracy(config::Accuracy()));
  metrics.push_back(MakeCalibration(config::Calibration()));
  metrics.push_back(MakeMeanAbsoluteError(config::MeanAbsoluteError()));
  metrics.push_back(MakeMeanSquaredError(config::MeanSquaredError()));
  metrics.push_back(MakeRootMeanSquaredError(config::RootMeanSquaredError()));
  metrics.push_back(GroupedAucBy("user"));
  metrics.push_back(MakeXauc(config::XAUC()));
  metrics.push_back(GroupedXaucBy("user"));
  metrics.push_back(MakeFlattenedAuc(config::FlattenedAUC()));
  metrics.push_back(MakePrAuc(config::PrAUC()));
  metrics.push_back(MakeNormalizedEntropy(config::NormalizedEntropy()));
  metrics.push_back(CalibrationError(15));
  metrics.push_back(MakeR2(config::R2()));
  return metrics;
}

// All that take classes.
inline std::vector<std::unique_ptr<Metric>> AllClassMetrics() {
  std::vector<std::unique_ptr<Metric>> metrics;
  metrics.push_back(MulticlassAuc("macro"));
  metrics.push_back(MulticlassAuc("weighted"));
  metrics.push_back(MulticlassAuc("macro", 5));
  metrics.push_back(MakeFlattenedAuc(config::FlattenedAUC()));
  metrics.push_back(Recall(2));
  metrics.push_back(MakeLogLoss(config::LogLoss()));
  metrics.push_back(TopAccuracy(1));
  metrics.push_back(TopAccuracy(2));
  return metrics;
}

}  // namespace manygate

#endif  // MANYGATE_METRICS_METRIC_TESTING_H_
