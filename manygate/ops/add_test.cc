// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/add.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/ops/activate.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

using testing::ElementsAre;

TEST(Add, OfThreeValues) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 6);
  const Value y = Add(graph,
                      {SliceColumns(graph, "a", x, 0, {1, 2}), SliceColumns(graph, "b", x, 2, {1, 2}),
                       SliceColumns(graph, "c", x, 4, {1, 2})},
                      "sum");
  graph.AddOutput("y", y);
  EXPECT_EQ(graph.shape(y), (Shape{1, 2}));
  GraphRunner runner(graph);
  EXPECT_THAT(runner.Predict(NumberBatch(6, {1, 2, 10, 20, 100, 200, 0, -1, 0.5f, 1, -0.25f, 7}).Rows())[0],
              ElementsAre(111, 222, 0.25f, 7));
}

TEST(Add, OfOneValueIsThatValue) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 2);
  EXPECT_EQ(Add(graph, {x}, "sum"), x);
  EXPECT_EQ(graph.nodes.size(), 1u);
}

TEST(Add, GradientsWhereTheSumOverwritesItsFirstValueAndWhereItDoesNot) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value first = Dense(graph, x, {1, 4}, "first"), second = Dense(graph, x, {1, 4}, "second");
  const Value once = Add(graph, {first, second}, "once");             // first: no other reader
  const Value kept = Activate(graph, second, Activation::kTanh, "t");  // its backward reads its output
  const Value sum = Add(graph, {kept, once, once}, "sum");            // the same value twice
  graph.AddOutput("y", Dense(graph, sum, {1, 2}, "last"));
  graph.AddOutput("once", once);
  GraphRunner runner(graph, {.slice_rows = 4});
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
}

TEST(Add, OfAnInputAndALayerTeachesTheLayer) {
  for (const bool input_first : {false, true}) {
    Graph graph;
    const Value x = Numbers(graph, "x", 0, 3), other = Numbers(graph, "other", 3, 3);  // `other` has no gradient
    const Value layer = Dense(graph, x, {1, 3}, "layer");
    graph.AddOutput("y", input_first ? Add(graph, {other, layer}, "sum") : Add(graph, {layer, other}, "sum"));
    GraphRunner runner(graph);
    CheckGradients(graph, runner, MakeTestBatch(7, {}, 6, 1).Rows());
  }
}

TEST(AddDeathTest, ShapesMustBeEqual) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 6);
  EXPECT_DEATH(Add(graph, {x, SliceColumns(graph, "a", x, 0, {2, 3})}, "sum"), "sum of \\[1, 6\\] and \\[2, 3\\]");
}

}  // namespace
}  // namespace manygate
