// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/sequence_dense.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/norm.h"

namespace manygate {
namespace {

using testing::ElementsAre;

TEST(SharedDense, OneProductForEveryPosition) {
  Graph graph;
  const Value x = SliceColumns(graph, "positions", Numbers(graph, "x", 0, 4), 0, {2, 2});
  const Value y = SharedDense(graph, x, 3, "y");
  EXPECT_EQ(graph.shape(y), (Shape{2, 3}));
  EXPECT_EQ(graph.node(y).op->Describe(), "dense to 3 at each position");
  EXPECT_THAT(graph.parameters[0].shape, ElementsAre(2, 3));
  EXPECT_THAT(graph.parameters[1].shape, ElementsAre(3));
  EXPECT_EQ(graph.parameters[0].name, "y.weight");
  EXPECT_EQ(graph.parameters[1].name, "y.bias");
  EXPECT_FALSE(graph.parameters[1].decay);
  EXPECT_EQ(graph.parameters[0].initializer.kind, Initializer::Kind::kUniform);
  graph.AddOutput("y", y);
  graph.AddOutput("z", SharedDense(graph, x, 1, "z", false));
  GraphRunner runner(graph);
  runner.Write("y.weight", {1, 2, 3, 10, 20, 30});
  runner.Write("y.bias", {0.5f, 0, -0.5f});
  runner.Write("z.weight", {1, -1});

  const auto out = runner.Predict(NumberBatch(4, {1, 1, 2, 0, 0, 3, -1, 1}).Rows());
  EXPECT_THAT(out[0], ElementsAre(11.5f, 22, 32.5f, 2.5f, 4, 5.5f, 30.5f, 60, 89.5f, 9.5f, 18, 26.5f));
  EXPECT_THAT(out[1], ElementsAre(0, 2, -3, -2));
}

// Positions · width: 8 · 4 = 32 lies in memory without gaps, 3 · 5 = 15 and 3 · 1 do not; x has a second reader.
TEST(SharedDense, GradientsWithAndWithoutGapsBetweenRows) {
  for (const int64_t positions : {8, 3}) {
    const int64_t in = positions == 8 ? 4 : 5;
    Graph graph;
    const Value x = Dense(graph, Numbers(graph, "x", 0, 2), {positions, in}, "x");
    const Value wide = SharedDense(graph, x, 4, "wide");
    graph.AddOutput("y", SharedDense(graph, wide, 1, "y"));
    graph.AddOutput("z", Dense(graph, SharedDense(graph, x, 2, "narrow", false), {1, 1}, "z"));
    for (const int64_t slice_rows : {256, 3}) {
      GraphRunner runner(graph, {.threads = 2, .slice_rows = slice_rows});
      CheckGradients(graph, runner, MakeTestBatch(7, {}, 2, 1).Rows());
    }
  }
}

// Each position by itself: layer normalisation with one weight for all of them.
TEST(SharedDense, GradientsBehindASharedLayerNorm) {
  Graph graph;
  const Value x = SliceColumns(graph, "positions", Numbers(graph, "x", 0, 6), 0, {3, 2});
  const Value normal = LayerNorm(graph, SharedDense(graph, x, 4, "first"), "norm", true);
  EXPECT_THAT(graph.parameters.back().shape, ElementsAre(4));
  graph.AddOutput("y", SharedDense(graph, normal, 2, "last"));
  GraphRunner runner(graph, {.slice_rows = 4});
  runner.Write("norm.weight", {1, 2, 0.5f, -1});
  CheckGradients(graph, runner, MakeTestBatch(9, {}, 6, 1).Rows(), 4e-3);
}

TEST(SharedDense, SlicesAndThreadsDoNotShow) {
  Graph graph;
  const Value x = SliceColumns(graph, "positions", Numbers(graph, "x", 0, 6), 0, {3, 2});
  graph.AddOutput("y", SharedDense(graph, SharedDense(graph, x, 5, "first"), 1, "last"));
  const TestBatch batch = MakeTestBatch(50, {}, 6, 1);
  GraphRunner one(graph, {.threads = 1, .slice_rows = 7}), three(graph, {.threads = 3, .slice_rows = 7});
  GraphRunner whole(graph);
  const RunResult want = one.Train(batch.Rows()), got = three.Train(batch.Rows());
  for (size_t i = 0; i < want.gradients.size(); ++i) EXPECT_TRUE(SameBits(got.gradients[i], want.gradients[i])) << i;
  EXPECT_TRUE(SameBits(whole.Train(batch.Rows()).logits[0], want.logits[0])) << "a row's numbers are its own";
}

}  // namespace
}  // namespace manygate
