// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/broadcast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/mix.h"

namespace manygate {
namespace {

using testing::ElementsAre;

TEST(Broadcast, IsTheParameterInEveryRow) {
  Graph graph;
  const Value y = Broadcast(graph, "w", {2, 2}, {Initializer::Kind::kConstant, 3});
  graph.AddOutput("y", y);
  EXPECT_EQ(graph.shape(y), (Shape{2, 2}));
  EXPECT_THAT(graph.parameters[0].shape, ElementsAre(2, 2));
  EXPECT_FALSE(graph.parameters[0].decay);
  GraphRunner runner(graph);
  EXPECT_THAT(runner.Predict(NumberBatch(1, {0}).Rows())[0], ElementsAre(3, 3, 3, 3));
  runner.Write("w", {1, 2, 3, 4});
  EXPECT_THAT(runner.Predict(NumberBatch(1, {0, 0}).Rows())[0], ElementsAre(1, 2, 3, 4, 1, 2, 3, 4));
}

TEST(Broadcast, OfOneGroupIsAVector) {
  Graph graph;
  Broadcast(graph, "w", {1, 3}, {});
  EXPECT_THAT(graph.parameters[0].shape, ElementsAre(3));
}

TEST(Broadcast, GradientsAsAGate) {
  Graph graph;
  const Value bank = Broadcast(graph, "bank", {3, 2}, {Initializer::Kind::kUniform, -1, 1});
  const Value gate = Broadcast(graph, "gate", {1, 3}, {Initializer::Kind::kUniform, -1, 1});
  graph.AddOutput("y", Mix(graph, bank, gate, "mix"));
  graph.AddOutput("gate", gate);
  GraphRunner runner(graph, {.slice_rows = 4});
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 6, 1).Rows());
}

}  // namespace
}  // namespace manygate
