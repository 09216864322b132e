// SPDX-License-Identifier: Apache-2.0
#include "manygate/models/dense_embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

void ExpectNormal(const Parameter& parameter) {
  EXPECT_EQ(parameter.initializer.kind, Initializer::Kind::kNormal) << parameter.name;
  EXPECT_EQ(parameter.initializer.a, 0);
  EXPECT_EQ(parameter.initializer.b, 1);
}

TEST(MlpEmbedding, EachNumberTimesItsOwnRow) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 2);
  const Value both = MlpEmbedding(graph, x, 3, "both");
  EXPECT_EQ(graph.shape(both), (Shape{1, 6}));
  const Value one = MlpEmbedding(graph, SliceColumns(graph, "second", x, 1, {1, 1}), 2, "one");
  EXPECT_EQ(graph.shape(one), (Shape{1, 2}));
  ASSERT_EQ(graph.parameters.size(), 2u);
  EXPECT_THAT(graph.parameters[0].shape, ElementsAre(2, 1, 3));
  EXPECT_THAT(graph.parameters[1].shape, ElementsAre(1, 2));
  for (const Parameter& parameter : graph.parameters) ExpectNormal(parameter);
  graph.AddOutput("both", both);
  graph.AddOutput("one", one);
  GraphRunner runner(graph);
  runner.Write("both.weight", {1, 2, 3, 10, 20, 30});
  runner.Write("one.weight", {5, -1});
  const auto y = runner.Predict(NumberBatch(2, {2, -1, 0, 0.5f}).Rows());
  EXPECT_THAT(y[0], ElementsAre(2, 4, 6, -10, -20, -30, 0, 0, 0, 5, 10, 15));
  EXPECT_THAT(y[1], ElementsAre(-5, 1, 2.5f, -0.5f));
}

TEST(AutoDisEmbedding, MixesItsMetaEmbeddings) {
  Graph graph;
  const AutoDis options = {.num_channels = 2, .temperature = 0.5f, .keep_prob = 0.75f};
  graph.AddOutput("y", AutoDisEmbedding(graph, Numbers(graph, "x", 0, 1), 3, options, "price"));
  std::vector<std::string> names;
  for (const Parameter& parameter : graph.parameters) {
    names.push_back(parameter.name);
    ExpectNormal(parameter);
  }
  EXPECT_THAT(names, ElementsAre("price.input.weight", "price.channels.weight", "price.meta.weight"));
  GraphRunner runner(graph);
  runner.Write("price.input.weight", {1, -1});
  runner.Write("price.channels.weight", {0.25f, 0, 0.5f, 0});
  runner.Write("price.meta.weight", {1, 2, 4, 10, 20, 40});
  // x = 1: h = (1, -0.01), z = (0.25 − 0.005, 0) + 0.75 h = (0.995, −0.0075), z / 0.5 = (1.99, −0.015).
  const float share = 1 / (1 + std::exp(-0.015f - 1.99f)), rest = 1 - share;
  const auto y = runner.Predict(NumberBatch(1, {1, 0}).Rows())[0];
  EXPECT_THAT(y, ElementsAre(FloatEq(share + 10 * rest), FloatEq(2 * share + 20 * rest), FloatEq(4 * share + 40 * rest),
                             5.5f, 11, 22));
}

TEST(DenseEmbedding, Gradients) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value single = SliceColumns(graph, "single", x, 2, {1, 1});
  graph.AddOutput("a", Dense(graph, MlpEmbedding(graph, x, 2, "all"), {1, 2}, "a"));
  graph.AddOutput("b", MlpEmbedding(graph, single, 2, "one"));
  const AutoDis options = {.num_channels = 3, .temperature = 2, .keep_prob = 0.8f};
  graph.AddOutput("c", AutoDisEmbedding(graph, single, 2, options, "autodis"));
  GraphRunner runner(graph, {.slice_rows = 4});
  CheckGradients(graph, runner, MakeTestBatch(9, {}, 3, 1).Rows(), 2e-3, 3e-3f);
}

TEST(AutoDisEmbeddingDeathTest, OneNumber) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  EXPECT_DEATH(AutoDisEmbedding(graph, x, 2, {}, "price"), "price: 3 numbers");
}

}  // namespace
}  // namespace manygate
