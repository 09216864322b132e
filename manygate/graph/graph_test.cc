// SPDX-License-Identifier: Apache-2.0
#include "manygate/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/ops/dense.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/norm.h"

namespace manygate {
namespace {

using testing::ElementsAre;

TEST(Graph, CountsReadersAndParameters) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value hidden = BatchNorm(graph, Dense(graph, x, {2, 4}, "d"), "norm");
  const Value y = Dense(graph, hidden, {1, 1}, "y");
  graph.AddOutput("a", y);
  graph.AddOutput("b", hidden);
  EXPECT_THAT(graph.NumReaders(), ElementsAre(1, 1, 2, 1));
  EXPECT_EQ(graph.shape(hidden), (Shape{2, 4}));
  // 24 + 8, norm 8 + 8 without its statistics, 8 + 1.
  EXPECT_EQ(graph.NumParameters(), 57);
}

TEST(Graph, DescribesALinePerNode) {
  Graph graph;
  Dense(graph, Numbers(graph, "x", 2, 3), {2, 4}, "experts");
  EXPECT_EQ(graph.Describe(),
            "x                                        [B, 3]           numbers 2..4\n"
            "experts                                  [B, 2, 4]        dense to 8\n");
}

TEST(GraphDeathTest, NamesAreUniqueAndInputsExist) {
  Graph graph;
  graph.AddParameter({"w", {1}, {}});
  EXPECT_DEATH(graph.AddParameter({"w", {2}, {}}), "two parameters are named w");
  EXPECT_DEATH(graph.AddNode("n", nullptr, {3}), "node n reads value 3 of 0");
}

}  // namespace
}  // namespace manygate
