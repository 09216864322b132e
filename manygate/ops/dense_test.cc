// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/dense.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/ops/concat.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

using testing::ElementsAre;

TEST(Dense, MultipliesAndAddsTheBias) {
  Graph graph;
  graph.AddOutput("y", Dense(graph, Numbers(graph, "x", 0, 2), {1, 3}, "d"));
  GraphRunner runner(graph);
  runner.Write("d.weight", {1, 0, 2, 0, 1, -1});
  runner.Write("d.bias", {0.5f, 0, 1});

  EXPECT_THAT(runner.Predict(NumberBatch(2, {1, 2, 3, -1}).Rows())[0], ElementsAre(1.5f, 2, 1, 3.5f, -1, 8));
}

TEST(Dense, ParametersHaveTheShapesAndStartOfALinearLayer) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 16);
  Dense(graph, x, {1, 500}, "one");
  Dense(graph, x, {4, 3}, "several");
  Dense(graph, x, {1, 2}, "without", false);
  ASSERT_EQ(graph.parameters.size(), 5u);
  EXPECT_THAT(graph.parameters[0].shape, ElementsAre(16, 500));
  EXPECT_THAT(graph.parameters[1].shape, ElementsAre(500));
  EXPECT_TRUE(graph.parameters[0].decay);
  EXPECT_FALSE(graph.parameters[1].decay);
  EXPECT_EQ(graph.parameters[2].name, "several.weight");
  EXPECT_THAT(graph.parameters[2].shape, ElementsAre(16, 4, 3));
  EXPECT_THAT(graph.parameters[3].shape, ElementsAre(4, 3));
  EXPECT_EQ(graph.parameters[4].name, "without.weight");

  // Uniform in ±1/√16, both ends nearly reached.
  GraphRunner runner(graph);
  for (const char* name : {"one.weight", "one.bias"}) {
    const auto values = runner.Read(name);
    EXPECT_NEAR(*std::max_element(values.begin(), values.end()), 0.25, 0.005) << name;
    EXPECT_NEAR(*std::min_element(values.begin(), values.end()), -0.25, 0.005) << name;
  }
}

TEST(Dense, GradientsOfTwoReadersAddUp) {
  // "first" is read twice, so that its gradient is written by one reader and added to by the other.
  Graph graph;
  const Value first = Dense(graph, Numbers(graph, "x", 0, 3), {1, 4}, "first");
  graph.AddOutput("a", Dense(graph, first, {1, 2}, "a"));
  graph.AddOutput("b", Dense(graph, first, {1, 1}, "b", false));
  GraphRunner runner(graph, {.slice_rows = 4});
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
}

TEST(DenseBank, EachExpertHasItsOwnWeights) {
  Graph graph;
  const Value x = SliceColumns(graph, "experts", Numbers(graph, "x", 0, 4), 0, {2, 2});
  const Value y = DenseBank(graph, x, 1, "bank");
  graph.AddOutput("y", y);
  EXPECT_EQ(graph.shape(y), (Shape{2, 1}));
  GraphRunner runner(graph);
  runner.Write("bank.weight", {1, 2, 10, 20});
  runner.Write("bank.bias", {100, 200});

  // 1·1 + 2·2 + 100, 3·10 + 4·20 + 200; then 0, -1, 2, 0.
  EXPECT_THAT(runner.Predict(NumberBatch(4, {1, 2, 3, 4, 0, -1, 2, 0}).Rows())[0], ElementsAre(105, 310, 98, 220));
}

TEST(DenseBank, Gradients) {
  for (const bool bias : {true, false}) {
    Graph graph;
    const Value experts = Dense(graph, Numbers(graph, "x", 0, 3), {3, 4}, "experts");
    graph.AddOutput("a", DenseBank(graph, experts, 2, "a", bias));
    graph.AddOutput("b", DenseBank(graph, experts, 5, "b"));
    GraphRunner runner(graph, {.slice_rows = 4});
    CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
  }
}

}  // namespace
}  // namespace manygate
