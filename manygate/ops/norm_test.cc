// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/norm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/ops/activate.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::FloatNear;

struct BatchNormGraph {
  BatchNormGraph() { graph.AddOutput("y", BatchNorm(graph, Numbers(graph, "x", 0, 2), "norm")); }
  Graph graph;
};

TEST(BatchNorm, TrainsByTheStatisticsOfTheBatch) {
  const BatchNormGraph norm;
  GraphRunner runner(norm.graph);
  runner.Write("norm.weight", {1, 2});
  runner.Write("norm.bias", {0, 0.5f});
  const TestBatch batch = NumberBatch(2, {1, 10, 3, 30});

  // Means 2 and 20, population variances 1 and 100.
  const float a = 1 / std::sqrt(1 + 1e-5f), b = 20 / std::sqrt(100 + 1e-5f);
  EXPECT_THAT(runner.Train(batch.Rows()).logits[0], ElementsAre(FloatNear(-a, 1e-6f), FloatNear(0.5f - b, 1e-6f),
                                                                FloatNear(a, 1e-6f), FloatNear(0.5f + b, 1e-6f)));
  // A tenth of the way to the means and to the unbiased variances 2 and 200.
  EXPECT_THAT(runner.Read("norm.running_mean"), ElementsAre(FloatNear(0.2f, 1e-6f), FloatNear(2.f, 1e-6f)));
  EXPECT_THAT(runner.Read("norm.running_var"), ElementsAre(FloatNear(1.1f, 1e-6f), FloatNear(20.9f, 1e-5f)));
}

TEST(BatchNorm, PredictsByTheRunningStatistics) {
  const BatchNormGraph norm;
  GraphRunner runner(norm.graph);
  runner.Write("norm.weight", {1, 2});
  runner.Write("norm.bias", {0, 0.5f});
  runner.Write("norm.running_mean", {1, -1});
  runner.Write("norm.running_var", {4, 0.25f});

  // (5 - 1) / 2 = 2; (1 + 1) / 0.5 · 2 + 0.5 = 8.5
  const std::vector<float> y = runner.Predict(NumberBatch(2, {5, 1, 1, -1}).Rows())[0];
  EXPECT_THAT(y, ElementsAre(FloatNear(2, 1e-4f), FloatNear(8.5f, 2e-4f), 0, 0.5f));
  EXPECT_THAT(runner.Read("norm.running_mean"), ElementsAre(1, -1)) << "prediction moves nothing";
}

TEST(BatchNorm, OneRowTrainsByTheRunningStatistics) {
  const BatchNormGraph norm;
  GraphRunner runner(norm.graph);
  runner.Write("norm.running_mean", {1, 1});
  EXPECT_THAT(runner.Train(NumberBatch(2, {3, 1}).Rows()).logits[0], ElementsAre(FloatNear(2, 1e-4f), 0));
  EXPECT_THAT(runner.Read("norm.running_mean"), ElementsAre(1, 1));
}

Graph NormalisedGraph(bool batch_norm) {
  Graph graph;
  const Value experts = Dense(graph, Numbers(graph, "x", 0, 3), {2, 5}, "experts");
  const Value normal = batch_norm ? BatchNorm(graph, experts, "norm") : LayerNorm(graph, experts, "norm");
  graph.AddOutput("a", Dense(graph, Activate(graph, normal, Activation::kTanh, "tanh"), {1, 2}, "last"));
  graph.AddOutput("b", Dense(graph, experts, {1, 2}, "other"));  // a second reader: gradients are added
  return graph;
}

TEST(BatchNorm, ABatchIsOneSlice) {
  const Graph graph = NormalisedGraph(true);
  const TestBatch batch = MakeTestBatch(50, {}, 3, 1);
  GraphRunner small(graph, {.threads = 3, .slice_rows = 4, .max_batch_rows = 64}), large(graph, {.slice_rows = 256});
  EXPECT_EQ(small.executor().NumSlices(50), 1);
  EXPECT_EQ(small.executor().slice_rows(), 64);
  const RunResult got = small.Train(batch.Rows()), want = large.Train(batch.Rows());
  EXPECT_EQ(got.loss, want.loss);
  for (size_t i = 0; i < want.gradients.size(); ++i) EXPECT_TRUE(SameBits(got.gradients[i], want.gradients[i])) << i;
  EXPECT_TRUE(SameBits(small.Read("norm.running_var"), large.Read("norm.running_var")));
}

// experts.bias moves nothing behind a batch normalisation, but the other reader sees it.
TEST(BatchNorm, Gradients) {
  const Graph graph = NormalisedGraph(true);
  GraphRunner runner(graph);
  runner.Write("norm.weight", {1, 2, 0.5f, -1, 1, 1.5f, 1, 0.7f, 1, 1});
  CheckGradients(graph, runner, MakeTestBatch(9, {}, 3, 1).Rows(), 4e-3);
}

TEST(BatchNorm, GradientsOfOneRow) {
  const Graph graph = NormalisedGraph(true);
  GraphRunner runner(graph);
  runner.Write("norm.running_var", {1, 2, 0.5f, 1, 3, 1, 1, 2, 1, 1});
  CheckGradients(graph, runner, MakeTestBatch(1, {}, 3, 1).Rows());
}

TEST(LayerNorm, NormalisesEachGroupOfEachRow) {
  Graph graph;
  const Value x = SliceColumns(graph, "groups", Numbers(graph, "x", 0, 4), 0, {2, 2});
  graph.AddOutput("y", LayerNorm(graph, x, "norm"));
  EXPECT_THAT(graph.parameters[0].shape, ElementsAre(2, 2));
  GraphRunner runner(graph);
  runner.Write("norm.weight", {1, 2, 3, 4});
  runner.Write("norm.bias", {0, 0, 10, 0});

  // Group (1, 3): mean 2, variance 1; group (0, 20): mean 10, variance 100.
  const float a = 1 / std::sqrt(1 + 1e-5f);
  EXPECT_THAT(runner.Predict(NumberBatch(4, {1, 3, 0, 20}).Rows())[0],
              ElementsAre(FloatNear(-a, 1e-6f), FloatNear(2 * a, 1e-6f), FloatNear(7, 1e-5f), FloatNear(4, 1e-5f)));
}

TEST(LayerNorm, OneWeightForAllGroups) {
  Graph graph;
  const Value x = SliceColumns(graph, "groups", Numbers(graph, "x", 0, 4), 0, {2, 2});
  graph.AddOutput("y", LayerNorm(graph, x, "norm", true));
  EXPECT_THAT(graph.parameters[0].shape, ElementsAre(2));
  EXPECT_THAT(graph.parameters[1].shape, ElementsAre(2));
  GraphRunner runner(graph);
  runner.Write("norm.weight", {1, 2});
  runner.Write("norm.bias", {0, 10});
  const float a = 1 / std::sqrt(1 + 1e-5f);
  EXPECT_THAT(
      runner.Predict(NumberBatch(4, {1, 3, 0, 20}).Rows())[0],
      ElementsAre(FloatNear(-a, 1e-6f), FloatNear(10 + 2 * a, 1e-5f), FloatNear(-1, 1e-5f), FloatNear(12, 1e-5f)));
}

TEST(LayerNorm, Gradients) {
  const Graph graph = NormalisedGraph(false);
  GraphRunner runner(graph, {.slice_rows = 4});
  runner.Write("norm.weight", {1, 2, 0.5f, -1, 1, 1.5f, 1, 0.7f, 1, 1});
  CheckGradients(graph, runner, MakeTestBatch(9, {}, 3, 1).Rows(), 4e-3);
}

}  // namespace
}  // namespace manygate
