// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/task_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "manygate/metrics/metric_testing.h"

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
  income.Add({.predictions = predictions.data(), .labels = labels.data(), .weights = weights.data(), .rows = 6});
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
  income.Add({.predictions = predictions.data(), .labels = labels.data(), .rows = 2});
  EXPECT_THAT(income.Result().reasons, ElementsAre(Pair("auc", "one class")));
  EXPECT_EQ(income.Result().Reason("auc"), "one class");
  EXPECT_EQ(income.Result().Reason("accuracy"), "");
}

TEST(TaskMetricsTest, MergeEqualsOneStream) {
  const std::vector<float> predictions = {0.9f, 0.2f, 0.4f, 0.7f, 0.1f}, labels = {1, 0, 1, 0, kNaN};
  TaskMetrics whole = Income(), left = Income(), right = Income();
  whole.Add({.predictions = predictions.data(), .labels = labels.data(), .rows = 5});
  left.Add({.predictions = predictions.data(), .labels = labels.data(), .rows = 2});
  right.Add({.predictions = predictions.data() + 2, .labels = labels.data() + 2, .rows = 3});
  left.Merge(right);
  EXPECT_EQ(left.Results(), whole.Results());
  EXPECT_EQ(left.rows(), 4);
  EXPECT_EQ(left.positives(), 2);
  EXPECT_EQ(left.missing(), 1);
}

TEST(TaskMetricsTest, IntervalsWhereThereAreAny) {
  TaskMetrics income = Income();
  const std::vector<float> predictions = {0.9f, 0.2f, 0.4f, 0.5f}, labels = {1, 0, 1, 0};
  income.Add({.predictions = predictions.data(), .labels = labels.data(), .rows = 2});
  EXPECT_TRUE(income.Result().intervals.empty());  // one row per class
  EXPECT_TRUE(std::isnan(income.Result().Interval("auc").first));
  income.Add({.predictions = predictions.data() + 2, .labels = labels.data() + 2, .rows = 2});
  const TaskResult result = income.Result();
  ASSERT_EQ(result.intervals.size(), 1u);
  EXPECT_EQ(result.Interval("auc"), income.metrics()[0]->Interval());
  EXPECT_EQ(result.Interval("auc").second, 1.0);
}

TEST(TaskMetricsTest, GroupsByMetric) {
  std::vector<std::unique_ptr<Metric>> metrics;
  metrics.push_back(GroupedAucBy("user"));
  metrics.push_back(Auc());
  metrics.push_back(GroupedAucBy("item"));
  TaskMetrics click("click", std::move(metrics));
  EXPECT_THAT(click.GroupColumns(), ElementsAre("user", "", "item"));
  const std::vector<float> predictions = {0.9f, 0.2f, 0.4f, 0.5f}, labels = {1, 0, 1, 0};
  const std::vector<int32_t> users = {1, 1, 2, 2}, items = {5, 6, 6, 5};
  const std::vector<const int32_t*> groups = {users.data(), nullptr, items.data()};
  click.Add({.predictions = predictions.data(), .labels = labels.data(), .rows = 4}, groups);
  EXPECT_THAT(click.Results(), ElementsAre(Pair("grouped_auc", 0.5), Pair("auc", 0.75), Pair("grouped_auc", 1.0)));
  const std::vector<const int32_t*> few = {users.data()};
  EXPECT_DEATH(click.Add({.predictions = predictions.data(), .labels = labels.data(), .rows = 4}, few),
               "groups for 1 of 3 metrics");
}

TEST(TaskMetricsTest, OtherLabelsHaveNoPositives) {
  std::vector<std::unique_ptr<Metric>> metrics;
  metrics.push_back(TopAccuracy(1));
  TaskMetrics grade("grade", std::move(metrics), LabelKind::kOther);
  const std::vector<float> predictions = {0.2f, 0.3f, 0.5f, 0.6f, 0.3f, 0.1f}, labels = {2, 1};
  grade.Add({.predictions = predictions.data(), .width = 3, .labels = labels.data(), .rows = 2});
  EXPECT_THAT(grade.Results(), ElementsAre(Pair("accuracy", 0.5)));
  EXPECT_EQ(grade.rows(), 2);
  EXPECT_EQ(grade.positives(), -1);
  EXPECT_EQ(grade.Result().positives, -1);
}

TEST(TaskMetricsDeathTest, MergingAnotherTaskStops) {
  TaskMetrics other("marital", {});
  EXPECT_DEATH(Income().Merge(other), "merging marital \\(0 metrics\\) into income \\(2\\)");
}

}  // namespace
}  // namespace manygate
