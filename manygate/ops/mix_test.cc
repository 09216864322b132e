// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/mix.h"

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

TEST(Softmax, OfLogarithmsIsTheirShare) {
  Graph graph;
  graph.AddOutput("y", Softmax(graph, Numbers(graph, "x", 0, 3), "softmax"));
  GraphRunner runner(graph);
  const float log2 = std::log(2.f), log5 = std::log(5.f);

  EXPECT_THAT(
      runner.Predict(NumberBatch(3, {0, log2, log5, 7, 7, 7 + log2}).Rows())[0],
      ElementsAre(FloatEq(0.125f), FloatEq(0.25f), FloatEq(0.625f), FloatEq(0.25f), FloatEq(0.25f), FloatEq(0.5f)));
}

TEST(Softmax, ATemperatureDividesTheLogits) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  graph.AddOutput("cold", Softmax(graph, x, "cold", 0.5f));
  graph.AddOutput("warm", Softmax(graph, x, "warm", 2));
  EXPECT_EQ(graph.node(graph.outputs[0].logits).op->Describe(), "softmax, temperature 0.5");
  GraphRunner runner(graph);

  // Shares 1 : 2 : 4 become their squares and their roots.
  const auto y = runner.Predict(NumberBatch(3, {0, std::log(2.f), std::log(4.f)}).Rows());
  EXPECT_THAT(y[0], ElementsAre(FloatEq(1 / 21.f), FloatEq(4 / 21.f), FloatEq(16 / 21.f)));
  const float sum = 3 + std::sqrt(2.f);
  EXPECT_THAT(y[1], ElementsAre(FloatEq(1 / sum), FloatEq(std::sqrt(2.f) / sum), FloatEq(2 / sum)));
}

TEST(Softmax, GradientsWithATemperature) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value first = Dense(graph, x, {1, 4}, "first");
  graph.AddOutput("a", Dense(graph, Softmax(graph, first, "alone", 0.4f), {1, 2}, "last a"));
  // An input with two writers of its gradient: the softmax adds to the other's.
  const Value second = Dense(graph, x, {1, 4}, "second");
  graph.AddOutput("b", Dense(graph, Softmax(graph, second, "shared", 3), {1, 2}, "last b"));
  graph.AddOutput("c", Dense(graph, second, {1, 2}, "last c"));
  GraphRunner runner(graph, {.slice_rows = 4});
  CheckGradients(graph, runner, MakeTestBatch(9, {}, 3, 1).Rows());
}

TEST(SoftmaxDeathTest, ATemperatureIsAboveZero) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  EXPECT_DEATH(Softmax(graph, x, "softmax", 0), "softmax: temperature 0");
}

TEST(Mix, WeighsExperts) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 6);
  const Value experts = SliceColumns(graph, "experts", x, 0, {2, 2});
  const Value gates = SliceColumns(graph, "gates", x, 4, {1, 2});
  const Value y = Mix(graph, experts, gates, "mix");
  graph.AddOutput("y", y);
  EXPECT_EQ(graph.shape(y), (Shape{1, 2}));
  GraphRunner runner(graph);

  // 0.25·(1, 2) + 0.75·(10, 20); 1·(1, 2) + 0·(10, 20)
  EXPECT_THAT(runner.Predict(NumberBatch(6, {1, 2, 10, 20, 0.25f, 0.75f, 1, 2, 10, 20, 1, 0}).Rows())[0],
              ElementsAre(7.75f, 15.5f, 1, 2));
}

TEST(Mix, GradientsOfExpertsSharedByTwoGates) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value experts = Dense(graph, x, {3, 5}, "experts");
  const Value gates = Softmax(graph, Dense(graph, x, {1, 3}, "gates"), "softmax");
  const Value other = Softmax(graph, Dense(graph, x, {1, 3}, "other"), "other softmax");
  graph.AddOutput("a", Mix(graph, experts, gates, "mix a"));
  graph.AddOutput("b", Mix(graph, experts, other, "mix b"));
  // The same gate over other experts: its gradient has two writers too.
  graph.AddOutput("c", Mix(graph, Dense(graph, x, {3, 2}, "more"), gates, "mix c"));
  GraphRunner runner(graph, {.slice_rows = 4});
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
}

// Experts that are inputs, weights that are inputs; what learns has a second reader.
TEST(Mix, GradientsOfOneOfTheTwo) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 6);
  const Value experts = SliceColumns(graph, "experts", x, 0, {3, 2});
  const Value gates = Dense(graph, x, {1, 3}, "gates");
  const Value other = Dense(graph, x, {1, 3}, "other");
  graph.AddOutput("a", Mix(graph, experts, gates, "mix a"));
  graph.AddOutput("b", Mix(graph, experts, other, "mix b"));
  graph.AddOutput("other", other);
  const Value weights = SliceColumns(graph, "weights", x, 2, {1, 3});
  const Value bank = Dense(graph, x, {3, 2}, "bank"), shared = Dense(graph, x, {3, 3}, "shared");
  graph.AddOutput("c", Mix(graph, bank, weights, "mix c"));
  graph.AddOutput("d", Mix(graph, shared, weights, "mix d"));
  graph.AddOutput("shared", Dense(graph, shared, {1, 2}, "last"));
  GraphRunner runner(graph, {.slice_rows = 4});
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 6, 1).Rows());
}

TEST(Softmax, GradientsOfAnInputThatIsReadTwice) {
  Graph graph;
  const Value first = Dense(graph, Numbers(graph, "x", 0, 3), {1, 4}, "first");
  graph.AddOutput("a", Dense(graph, Softmax(graph, first, "softmax"), {1, 2}, "last"));
  graph.AddOutput("b", Dense(graph, first, {1, 2}, "other"));
  GraphRunner runner(graph);
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
}

TEST(MixDeathTest, AsManyGateWeightsAsExperts) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 6);
  const Value experts = SliceColumns(graph, "experts", x, 0, {2, 2});
  EXPECT_DEATH(Mix(graph, experts, x, "mix"), "2 experts, 6 gate weights");
}

}  // namespace
}  // namespace manygate
