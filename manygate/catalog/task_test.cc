// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/task.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "manygate/config/resolve.h"

namespace manygate {
namespace {

using testing::ElementsAre;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

// Labels click, purchase, kind, amount; row weights w0, w1; groups by session.
features::Schema TestSchema() {
  features::Schema schema;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(
    labels { name: "click" column: "click" kind: BINARY rows: 10 mean: 0.25 positive_share: 0.25 }
    labels { name: "purchase" column: "purchase" kind: BINARY rows: 10 mean: 0.1 positive_share: 0.1 }
    labels { name: "kind" column: "kind" kind: CLASSES num_class: 3 rows: 10 class_count: [5, 3, 2] }
    labels { name: "amount" column: "amount" kind: NUMBER rows: 4 mean: 5 deviation: 2 log_mean: 1 log_deviation: 0.5
             positive_share: 0.5 }
    weight_column: ["w0", "w1"] group_column: "session")",
                                                            &schema));
  return schema;
}

std::vector<Task> TasksOf(const std::string& towers, const features::Schema& schema = TestSchema(),
                          const std::string& model = "simple_multi_task") {
  config::Pipeline pipeline;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "feature_configs { raw_feature { feature_name: 'x' } } model_config { " + model + " { " + towers + " } }",
      &pipeline));
  config::ResolveDefaults(&pipeline);
  return MakeTasks(pipeline, schema);
}

struct Filled {
  std::vector<float> labels, weights, metric_weights;
  double total;
};

// labels: rows of 4; weights: rows of 2.
Filled Fill(const Task& task, const std::vector<float>& labels, const std::vector<float>& weights) {
  const auto rows = static_cast<int64_t>(labels.size() / 4);
  Filled filled{std::vector<float>(rows), std::vector<float>(rows), std::vector<float>(rows), 0};
  const RowTargets targets{rows, labels.data(), 4, weights.data(), 2};
  filled.total = task.FillRows(targets, filled.labels.data(), filled.weights.data());
  task.FillMetricWeights(targets, filled.weights.data(), filled.metric_weights.data());
  return filled;
}

TEST(TaskTest, AMissingLabelWeighsNothing) {
  const auto tasks = TasksOf("task_towers { label_name: 'purchase' sample_weight_name: 'w1' }");
  ASSERT_EQ(tasks.size(), 1u);
  const Filled filled = Fill(tasks[0], {1, 1, 0, 0, 0, kMissing, 0, 0, 1, 0, 0, 0}, {9, 2, 9, 3, 9, 0.5f});
  EXPECT_THAT(filled.weights, ElementsAre(2, 0, 0.5f));
  EXPECT_EQ(filled.labels[0], 1);
  EXPECT_TRUE(std::isnan(filled.labels[1]));
  EXPECT_EQ(filled.total, 2.5);
  EXPECT_THAT(filled.metric_weights, ElementsAre(2, 0, 0.5f));
}

// TorchEasyRec: w = sample weight · (in where the indicator is > 0, else out), then w / mean(w), then the mean of w · loss:
// Σ w·loss / Σ w. A missing indicator is not > 0.
TEST(TaskTest, TheTaskSpaceWeighsRows) {
  const auto tasks = TasksOf(
      "task_towers { label_name: 'purchase' sample_weight_name: 'w0' task_space_indicator_label: 'click' "
      "in_task_space_weight: 3 out_task_space_weight: 0.5 }");
  const Filled filled = Fill(tasks[0], {1, 1, 0, 0, 0, 0, 0, 0, kMissing, 0, 0, 0}, {2, 1, 4, 1, 1, 1});
  EXPECT_THAT(filled.weights, ElementsAre(6, 2, 0.5f));
  EXPECT_THAT(filled.metric_weights, ElementsAre(2, 4, 1)) << "space weights are for the loss";

  const auto inside = TasksOf(
      "task_towers { label_name: 'purchase' sample_weight_name: 'w0' task_space_indicator_label: 'click' "
      "out_task_space_weight: 0 }");
  const Filled only = Fill(inside[0], {1, 1, 0, 0, 0, 0, 0, 0, kMissing, 0, 0, 0}, {2, 1, 4, 1, 1, 1});
  EXPECT_THAT(only.weights, ElementsAre(2, 0, 0));
  EXPECT_THAT(only.metric_weights, ElementsAre(2, 0, 0)) << "rows outside the space are not measured";
}

TEST(TaskTest, ClassWeights) {
  const auto tasks = TasksOf(
      "task_towers { label_name: 'click' class_weights: [1, 5] sample_weight_name: 'w0' }"
      "task_towers { label_name: 'kind' num_class: 3 losses { softmax_cross_entropy {} } class_weights: [1, 2, 4] "
      "  sample_weight_name: 'w1' }");
  const std::vector<float> labels = {1, 0, 2, 0, 0, 0, 1, 0, 1, 0, kMissing, 0};
  const std::vector<float> weights = {1, 1, 2, 3, 1, 1};
  EXPECT_THAT(Fill(tasks[0], labels, weights).weights, ElementsAre(5, 2, 5));
  EXPECT_THAT(Fill(tasks[1], labels, weights).weights, ElementsAre(4, 6, 0));
  EXPECT_EQ(tasks[1].num_logits(), 3);
  EXPECT_EQ(tasks[1].num_predictions(), 3);
}

TEST(TaskTest, TheOnlyColumnOfWeightsIsForAll) {
  features::Schema schema = TestSchema();
  schema.clear_weight_column();
  EXPECT_EQ(TasksOf("task_towers { label_name: 'click' }", schema)[0].sample_weight, -1);
  schema.add_weight_column("w");
  EXPECT_EQ(TasksOf("task_towers { label_name: 'click' }", schema)[0].sample_weight, 0);
}

TEST(TaskTest, SeveralLossesAreAddedByTheirWeights) {
  const auto one = TasksOf("task_towers { label_name: 'click' sample_weight_name: 'w0' }");
  const auto other =
      TasksOf("task_towers { label_name: 'click' sample_weight_name: 'w0' losses { binary_focal_loss {} } }");
  const auto both = TasksOf(
      "task_towers { label_name: 'click' sample_weight_name: 'w0' losses { binary_cross_entropy {} weight: 2 } "
      "losses { binary_focal_loss {} weight: 0.25 } }");
  const std::vector<float> logits = {0.5f, -1, 2}, labels = {1, 0, kMissing}, weights = {1, 3, 0};
  const LossBatch batch{
      .logits = logits.data(), .labels = labels.data(), .weights = weights.data(), .rows = 3, .scale = 0.5f};
  std::vector<float> scratch, d_one(3), d_other(3), d_both(3);
  const double sum = both[0].Compute(batch, {}, scratch, d_both.data());
  EXPECT_NEAR(sum,
              2 * one[0].Compute(batch, {}, scratch, d_one.data()) +
                  0.25 * other[0].Compute(batch, {}, scratch, d_other.data()),
              1e-12);
  for (int r = 0; r < 3; ++r) EXPECT_NEAR(d_both[r], 2 * d_one[r] + 0.25 * d_other[r], 1e-7) << r;
  EXPECT_EQ(d_both[2], 0);
  EXPECT_NE(d_both[0], 0);
  EXPECT_EQ(both[0].Compute(batch, {}, scratch, nullptr), sum);
}

TEST(TaskTest, SessionsComeFromTheGroupColumn) {
  const auto tasks = TasksOf(
      "task_towers { label_name: 'click' num_class: 2 sample_weight_name: 'w0' losses { jrc_loss { session_name: "
      "'session' } } }");
  EXPECT_TRUE(tasks[0].NeedsWholeBatch());
  EXPECT_EQ(tasks[0].losses[0].sessions, 0);
  EXPECT_EQ(tasks[0].num_logits(), 2);
  EXPECT_EQ(tasks[0].num_predictions(), 1);
  const std::vector<float> logits = {0.3f, 0.9f, -0.2f, 0.1f}, labels = {1, 0}, weights = {1, 1};
  const std::vector<int32_t> together = {7, 7}, apart = {7, 8};
  std::vector<float> scratch;
  const LossBatch batch{
      .logits = logits.data(), .logit_stride = 2, .labels = labels.data(), .weights = weights.data(), .rows = 2};
  const int32_t* one[] = {together.data()};
  const int32_t* two[] = {apart.data()};
  EXPECT_GT(tasks[0].Compute(batch, one, scratch, nullptr), tasks[0].Compute(batch, two, scratch, nullptr))
      << "in one session the rows compete";
}

TEST(TaskTest, StatisticsReachTheLoss) {
  const features::Schema schema = TestSchema();
  const LabelStatistics amount = StatisticsOf(schema.labels(3));
  EXPECT_EQ(amount.mean, 5);
  EXPECT_EQ(amount.positive_share, 0.5);
  EXPECT_EQ(amount.log_deviation, 0.5);
  EXPECT_THAT(StatisticsOf(schema.labels(2)).class_shares, ElementsAre(0.5, 0.3, 0.2));
  const auto tasks =
      TasksOf("task_towers { label_name: 'amount' sample_weight_name: 'w0' losses { l2_loss { standardise: true } } }");
  const float logit = 1.5f;
  float prediction = 0;
  tasks[0].Link(&logit, 1, 1, &prediction);
  EXPECT_FLOAT_EQ(prediction, 5 + 1.5f * 2);
}

TEST(TaskTest, TheSecondTaskOfEscm2IsWeighedByGlobalW) {
  const auto tasks = TasksOf(
      "expert_mlp { hidden_units: 4 } global_w: 0.25 task_towers { label_name: 'click' sample_weight_name: 'w0' } "
      "task_towers { label_name: 'purchase' sample_weight_name: 'w0' weight: 2 }",
      TestSchema(), "escm2");
  EXPECT_EQ(tasks[0].weight, 1);
  EXPECT_EQ(tasks[1].weight, 0.5);
}

}  // namespace
}  // namespace manygate
