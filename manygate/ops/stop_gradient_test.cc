// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/stop_gradient.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/ops/activate.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/graph_runner_testing.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/merge_products.h"

namespace manygate {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Gt;
using testing::SizeIs;

TEST(StopGradient, IsItsInput) {
  Graph graph;
  graph.AddOutput("y", StopGradient(graph, Numbers(graph, "x", 0, 2), "stop"));
  GraphRunner runner(graph);
  EXPECT_THAT(runner.Predict(NumberBatch(2, {1, -2, 3, 4}).Rows())[0], ElementsAre(1, -2, 3, 4));
}

// x - first - tanh - stop - last. The layers below have no other reader; the arena is full of what the run before left.
TEST(StopGradient, LayersOnlyItReadsGetGradientsOfZero) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value first = Activate(graph, Dense(graph, x, {1, 5}, "first"), Activation::kTanh, "tanh");
  graph.AddOutput("stopped", Dense(graph, StopGradient(graph, first, "stop"), {1, 2}, "last"));
  graph.AddOutput("other", Dense(graph, Dense(graph, x, {1, 7}, "other"), {1, 7}, "other.last"));
  for (const bool merged : {false, true}) {
    if (merged) MergeParallelProducts(graph);
    GraphRunner runner(graph, {.slice_rows = 3});
    RunResult result;
    for (int run = 0; run < 2; ++run) result = runner.Train(MakeTestBatch(7, {}, 3, 1).Rows());
    EXPECT_THAT(result.gradients[runner.Find("first.weight")], Each(0.f));
    EXPECT_THAT(result.gradients[runner.Find("first.bias")], Each(0.f));
    EXPECT_NE(result.gradients[runner.Find("last.weight")], std::vector<float>(10, 0.f));
  }
}

TEST(StopGradient, OtherReadersOfItsInputGoOnTeachingIt) {
  const auto gradients = [](bool stopped_reader) {
    Graph graph;
    const Value first = Dense(graph, Numbers(graph, "x", 0, 3), {1, 4}, "first");
    if (stopped_reader) {
      graph.AddOutput("stopped", Dense(graph, StopGradient(graph, first, "stop"), {1, 1}, "stopped"));
    } else {
      graph.AddOutput("stopped", Dense(graph, Numbers(graph, "z", 0, 3), {1, 1}, "stopped"));
    }
    graph.AddOutput("taught", Dense(graph, first, {1, 2}, "taught"));
    GraphRunner runner(graph);
    return runner.Train(MakeTestBatch(7, {}, 3, 1).Rows()).gradients[runner.Find("first.weight")];
  };
  // The second output is the same in both; the first one must not have reached the layer.
  const std::vector<float> with = gradients(true), without = gradients(false);
  EXPECT_THAT(with, SizeIs(12));
  EXPECT_TRUE(SameBits(with, without));
}

TEST(StopGradient, ReadersBelowOneAnother) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value first = Dense(graph, x, {1, 4}, "first");
  const Value stopped = StopGradient(graph, StopGradient(graph, first, "stop"), "stop again");
  graph.AddOutput("y", stopped);
  GraphRunner runner(graph);
  const RunResult result = runner.Train(MakeTestBatch(7, {}, 3, 1).Rows());
  EXPECT_THAT(result.loss, Gt(0));
  EXPECT_THAT(result.gradients[0], Each(0.f));
}

}  // namespace
}  // namespace manygate
