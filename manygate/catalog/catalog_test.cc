// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "manygate/catalog/catalog_testing.h"
#include "manygate/features/schema.h"
#include "manygate/ops/graph_runner_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> NodeNames(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  return names;
}

TEST(BuildGraph, WiresInputsInTheOrderOfTheGroupAndJoinsNeighbouringNumbers) {
  const Graph graph = BuildGraph(TestPipeline("simple_multi_task { TOWERS }"), TestSchema(), {.rewrite = false});
  // height follows wealth in the encoded row, but not in the group.
  const std::vector<std::string> names = NodeNames(graph);
  ASSERT_GE(names.size(), 6u);
  EXPECT_THAT(std::vector(names.begin(), names.begin() + 6),
              ElementsAre("numbers", "job", "state", "kind", "height", "input"));
  EXPECT_EQ(graph.node(0).op->Describe(), "numbers 0..2");
  EXPECT_EQ(graph.node(4).op->Describe(), "numbers 3..3");
  EXPECT_EQ(graph.shape(5), (Shape{1, 3 + 5 + 4 + 8 + 1}));
}

TEST(BuildGraph, NumbersThatDoNotFollowEachOtherStayApart) {
  config::Pipeline pipeline = TestPipeline("simple_multi_task { TOWERS }");
  auto* names = pipeline.mutable_model_config()->mutable_feature_groups(0)->mutable_feature_names();
  names->Clear();
  for (const char* name : {"height", "age", "wealth", "job"}) *names->Add() = name;
  const Graph graph = BuildGraph(pipeline, TestSchema(), {.rewrite = false});
  EXPECT_EQ(graph.node(0).name, "height");
  EXPECT_EQ(graph.node(1).op->Describe(), "numbers 0..2");
  EXPECT_EQ(graph.node(2).name, "job");
}

int32_t DefaultOfJob(const features::Schema& schema) {
  const Graph graph = BuildGraph(TestPipeline(), schema, {.rewrite = false});
  for (const Node& node : graph.nodes)
    if (node.name == "job") return dynamic_cast<const OneHotOp&>(*node.op).column().default_id;
  return -99;
}

TEST(BuildGraph, ADefaultIdIsHeldByThirtyPercentOfTheRows) {
  features::Schema schema = TestSchema();
  auto* job = schema.mutable_features(2);
  EXPECT_EQ(DefaultOfJob(schema), 1);
  job->set_training_count(1, 30);
  EXPECT_EQ(DefaultOfJob(schema), 1);
  job->set_training_count(1, 29);
  EXPECT_EQ(DefaultOfJob(schema), -1);
  job->set_missing_count(31);  // the last of 5 ids
  EXPECT_EQ(DefaultOfJob(schema), 4);
  job->set_default_value("a");  // stands for missing, which then has no id of its own
  job->set_vocabulary_size(4);
  EXPECT_EQ(DefaultOfJob(schema), -1);
}

TEST(BuildGraph, RewritingKeepsThePredictions) {
  for (const char* model : {"simple_multi_task { TOWERS }", "shared_bottom { bottom_mlp { hidden_units: 9 } TOWERS }",
                            "omoe { expert_mlp { hidden_units: [6, 4] } TOWERS }",
                            "mmoe { expert_mlp { hidden_units: [6, 4] } gate_mlp { hidden_units: 5 } TOWERS }"}) {
    SCOPED_TRACE(model);
    const config::Pipeline pipeline = TestPipeline(model);
    const Graph plain = BuildGraph(pipeline, TestSchema(), {.rewrite = false});
    const Graph rewritten = BuildGraph(pipeline, TestSchema());
    EXPECT_THAT(rewritten.Describe(), HasSubstr("sum of weight rows: 2 one-hot columns"));
    GraphRunner a(plain), b(rewritten);
    const TestBatch batch = MakeTestBatch(300, {5, 4, 8}, 4, 1);
    const auto want = a.Predict(batch.Rows()), got = b.Predict(batch.Rows());
    for (size_t t = 0; t < want.size(); ++t)
      for (size_t r = 0; r < want[t].size(); ++r) EXPECT_NEAR(got[t][r], want[t][r], 1e-6 * (1 + std::abs(want[t][r])));
  }
}

TEST(BuildGraph, PredictionKeepsOnlyTheTemperatureOfGating) {
  config::Pipeline pipeline = TestPipeline();
  config::Gating& gating = *pipeline.mutable_model_config()->mutable_gating();
  gating.set_dropout_ratio(0.25f);
  gating.set_temperature(0.5f);
  gating.set_load_balance_weight(0.1f);
  const Graph train = BuildGraph(pipeline, TestSchema());
  EXPECT_THAT(train.Describe(), HasSubstr("softmax, temperature 0.5"));
  EXPECT_THAT(train.Describe(), HasSubstr("dropout of experts 0.25"));
  EXPECT_EQ(train.outputs.size(), 4u);
  const Graph predict = BuildGraph(pipeline, TestSchema(), {.purpose = Purpose::kPredict});
  EXPECT_THAT(predict.Describe(), HasSubstr("softmax, temperature 0.5"));
  EXPECT_THAT(predict.Describe(), testing::Not(HasSubstr("dropout")));
  EXPECT_THAT(predict.Describe(), testing::Not(HasSubstr("load balance")));
  EXPECT_EQ(predict.outputs.size(), 2u);
}

TEST(BuildGraph, ParametersStartFromConfigurationAndLabels) {
  const Graph graph = BuildGraph(TestPipeline(), TestSchema());
  GraphRunner runner(graph);
  EXPECT_THAT(runner.Read("towers.income.output.bias"), ElementsAre(testing::FloatEq(std::log(0.2f / 0.8f))));
  EXPECT_THAT(runner.Read("towers.hours.output.bias"), ElementsAre(37.5f));
  EXPECT_THAT(runner.Read("embeddings.state.weight"), testing::Each(testing::AllOf(testing::Ge(2), testing::Lt(3))));
}

TEST(BuildGraph, EmbeddingsWithoutInitialValuesAreUniformByTheRootOfTheirRows) {
  features::Schema schema = TestSchema();
  schema.mutable_features(3)->clear_init_fn();
  const Graph graph = BuildGraph(TestPipeline(), schema);
  GraphRunner runner(graph);
  EXPECT_THAT(runner.Read("embeddings.state.weight"),
              testing::Each(testing::AllOf(testing::Ge(-0.5f), testing::Lt(0.5f))));  // 1/√4
}

TEST(BuildGraph, FeaturesOfOneEmbeddingNameShareATable) {
  features::Schema schema = TestSchema();
  schema.mutable_features(3)->set_embedding_name("places");
  auto* kind = schema.mutable_features(4);
  *kind = schema.features(3);
  kind->set_name("kind");
  kind->set_id_slot(2);
  const Graph graph = BuildGraph(TestPipeline(), schema, {.rewrite = false});
  ASSERT_EQ(graph.tables.size(), 1u);
  EXPECT_EQ(graph.tables[0].name, "places");
  int lookups = 0;
  for (const Node& node : graph.nodes) lookups += !node.tables.empty();
  EXPECT_EQ(lookups, 2);
}

TEST(BuildGraph, SeveralValuesAreCountedOrPooled) {
  features::Schema schema = TestSchema();
  auto* job = schema.mutable_features(2);
  auto* state = schema.mutable_features(3);
  job->set_separator("|");
  job->set_num_values(3);
  state->set_id_slot(3);
  state->set_separator("|");
  state->set_num_values(2);
  state->set_pooling(features::FeatureSchema::MEAN);
  schema.mutable_features(4)->set_id_slot(5);
  schema.set_num_id_slots(6);
  ASSERT_TRUE(features::ValidateSchema(schema).ok()) << features::ValidateSchema(schema).message();
  EXPECT_EQ(DefaultOfJob(schema), -1) << "70 of 100 rows have it, but beside others";
  const Graph graph = BuildGraph(TestPipeline(), schema, {.rewrite = false});
  std::map<std::string, std::string> nodes;
  for (const Node& node : graph.nodes) nodes[node.name] = node.op->Describe();
  EXPECT_EQ(nodes.at("job"), "counts of 5 values, written out");
  EXPECT_EQ(nodes.at("state"), "mean of up to 2 embeddings of 4 values");
  EXPECT_EQ(nodes.at("kind"), "one-hot of 8 values, written out");
  for (const Node& node : graph.nodes)
    if (node.name == "kind") EXPECT_EQ(dynamic_cast<const OneHotOp&>(*node.op).column().slot, 5);
}

TEST(Catalog, MakesWhatTheConfigurationNames) {
  const config::Pipeline pipeline = TestPipeline();
  const auto& towers = pipeline.model_config().mmoe().task_towers();
  EXPECT_STREQ(MakeLoss(towers[0].losses(0), towers[0], {})->name(), "binary_cross_entropy");
  EXPECT_STREQ(MakeLoss(towers[1].losses(0), towers[1], {})->name(), "l2_loss");

  config::Optimizer optimizer;
  optimizer.mutable_sgd_optimizer();
  const int sgd = MakeOptimizer(optimizer, RowDecay::kEveryStep)->StatePerValue();
  optimizer.mutable_adagrad_optimizer()->set_initial_accumulator_value(0.25f);
  EXPECT_EQ(MakeOptimizer(optimizer, RowDecay::kEveryStep)->StatePerValue(), 1);
  EXPECT_EQ(MakeOptimizer(optimizer, RowDecay::kEveryStep)->InitialState(), 0.25f);
  optimizer.mutable_adam_optimizer();
  EXPECT_EQ(MakeOptimizer(optimizer, RowDecay::kEveryStep)->StatePerValue(), 2);
  EXPECT_LT(sgd, 2);
  // A step with weight decay only: w · (1 − lr · decay).
  optimizer.mutable_adamw_optimizer()->set_weight_decay(0.5f);
  auto adamw = MakeOptimizer(optimizer, RowDecay::kEveryStep);
  float w = 1, g = 0, mean = 0, variance = 0;
  float* states[] = {&mean, &variance};
  adamw->BeginStep(0.1);
  adamw->UpdateDense(1, &w, &g, states, true);
  EXPECT_FLOAT_EQ(w, 0.95f);
}

TEST(Catalog, MakesTheMetricsOfEachTower) {
  const config::Pipeline pipeline = TestPipeline();
  const std::vector<TaskMetrics> tasks = MakeTaskMetrics(pipeline.model_config());
  ASSERT_EQ(tasks.size(), 2u);
  const auto names = [](const config::TaskTower& tower) {
    std::vector<std::string> all;
    for (const auto& metric : tower.metrics()) all.push_back(MakeMetric(metric)->name());
    return all;
  };
  const auto& towers = pipeline.model_config().mmoe().task_towers();
  EXPECT_THAT(names(towers[0]), ElementsAre("auc", "log_loss", "accuracy", "calibration"));
  EXPECT_THAT(names(towers[1]), ElementsAre("root_mean_squared_error", "mean_absolute_error", "r2"));
}

}  // namespace
}  // namespace manygate
