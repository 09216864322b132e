// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/task_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TaskMetrics Income() {
  std::vector<std::unique_ptr<Metric>> metrics;
  metrics.push_back(MakeAuc(config::AUC()));
  metrics.push_back(MakeAccuracy(config::Accuracy()));
  return TaskMetrics("income", std::move(metrics));
}

TEST(TaskMetricsTest, CountsWhatTheNumbersRestOn) {
  TaskMetrics income = Income();
  const std::vector<float> predictions = {0.9f, 0.2f, 0.4f, 0.7f, 0.1f, 0.3f};
  const std::vector<float> labels = {1, 0, 1, kNaN, 1, 0}, weights = {1, 1, 1, 0, 0, 1};
  income.Add(predictions.data(), labels.data(), weights.data(), 6);
  EXPECT_EQ(income.rows(), 4);
  EXPECT_EQ(income.positives(), 2);
  EXPECT_EQ(income.missing(), 1);
  EXPECT_THAT(income.Results(), ElementsAre(Pair("auc", 1.0), Pair("accuracy", 0.75)));
  const TaskResult result = income.Result();
  EXPECT_EQ(result.tower, "income");
  EXPECT_EQ(result.rows, 4);
  EXPECT_EQ(result.positives, 2);
  EXPECT_EQ(result.missing, 1);
  EXPECT_EQ(result.metrics, income.Results());
  EXPECT_TRUE(result.reasons.empty());
}

TEST(TaskMetricsTest, ReasonsOfMissingValues) {
  TaskMetrics income = Income();
  const std::vector<float> predictions = {0.9f, 0.2f}, labels = {1, 1};
  income.Add(predictions.data(), labels.data(), nullptr, 2);
  EXPECT_THAT(income.Result().reasons, ElementsAre(Pair("auc", "one class")));
  EXPECT_EQ(income.Result().Reason("auc"), "one class");
  EXPECT_EQ(income.Result().Reason("accuracy"), "");
}

TEST(TaskMetricsTest, MergeEqualsOneStream) {
  const std::vector<float> predictions = {0.9f, 0.2f, 0.4f, 0.7f, 0.1f}, labels = {1, 0, 1, 0, kNaN};
  TaskMetrics whole = Income(), left = Income(), right = Income();
  whole.Add(predictions.data(), labels.data(), nullptr, 5);
  left.Add(predictions.data(), labels.data(), nullptr, 2);
  right.Add(predictions.data() + 2, labels.data() + 2, nullptr, 3);
  left.Merge(right);
  EXPECT_EQ(left.Results(), whole.Results());
  EXPECT_EQ(left.rows(), 4);
  EXPECT_EQ(left.positives(), 2);
  EXPECT_EQ(left.missing(), 1);
}

TEST(TaskMetricsDeathTest, MergingAnotherTaskStops) {
  TaskMetrics other("marital", {});
  EXPECT_DEATH(Income().Merge(other), "merging marital \\(0 metrics\\) into income \\(2\\)");
}

}  // namespace
}  // namespace manygate
