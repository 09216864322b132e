// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/multiply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

using testing::ElementsAre;

TEST(Multiply, ValueByValue) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 4);
  const Value y =
      Multiply(graph, SliceColumns(graph, "a", x, 0, {2, 1}), SliceColumns(graph, "b", x, 2, {2, 1}), "product");
  graph.AddOutput("y", y);
  EXPECT_EQ(graph.shape(y), (Shape{2, 1}));
  GraphRunner runner(graph);
  EXPECT_THAT(runner.Predict(NumberBatch(4, {2, 3, 10, -1, 0.5f, 0, 8, 4}).Rows())[0], ElementsAre(20, -3, 4, 0));
}

TEST(Multiply, GradientsAlsoOfASquareAndOfAProductWithAnInput) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value a = Dense(graph, x, {1, 3}, "a"), b = Dense(graph, x, {1, 3}, "b");
  graph.AddOutput("product", Multiply(graph, a, b, "product"));
  graph.AddOutput("square", Multiply(graph, a, a, "square"));
  graph.AddOutput("input", Multiply(graph, x, b, "input"));
  GraphRunner runner(graph, {.slice_rows = 4});
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
}

TEST(MultiplyDeathTest, ShapesMustBeEqual) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 6);
  EXPECT_DEATH(Multiply(graph, x, SliceColumns(graph, "a", x, 0, {1, 3}), "p"), "product of \\[1, 6\\] and \\[1, 3\\]");
}

TEST(Scale, TimesAConstant) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  graph.AddOutput("y", Scale(graph, x, -0.5f, "half"));
  GraphRunner runner(graph);
  EXPECT_THAT(runner.Predict(NumberBatch(3, {2, -3, 0.25f}).Rows())[0], ElementsAre(-1, 1.5f, -0.125f));
}

TEST(Scale, ByOneIsTheValueItself) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  EXPECT_EQ(Scale(graph, x, 1, "same"), x);
}

TEST(Scale, GradientsInPlaceAndOfAValueReadTwice) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  graph.AddOutput("in place", Scale(graph, Dense(graph, x, {1, 2}, "a"), 3, "triple"));
  const Value b = Dense(graph, x, {1, 2}, "b");
  graph.AddOutput("b", b);
  graph.AddOutput("twice", Scale(graph, b, -2, "minus two"));
  GraphRunner runner(graph);
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
}

}  // namespace
}  // namespace manygate
