// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/mix_banks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/mix.h"

namespace manygate {
namespace {

using testing::ElementsAre;

TEST(MixBanks, WeighsTheExpertsOfAllBanksInOrder) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 9);
  const Value two = SliceColumns(graph, "two", x, 0, {2, 2}), one = SliceColumns(graph, "one", x, 4, {1, 2});
  const Value gates = SliceColumns(graph, "gates", x, 6, {1, 3});
  const Value y = MixBanks(graph, {two, one}, gates, "mix");
  graph.AddOutput("y", y);
  EXPECT_EQ(graph.shape(y), (Shape{1, 2}));
  GraphRunner runner(graph);
  // 0.5·(1, 2) + 0.25·(10, 20) + 2·(100, 200)
  EXPECT_THAT(runner.Predict(NumberBatch(9, {1, 2, 10, 20, 100, 200, 0.5f, 0.25f, 2}).Rows())[0],
              ElementsAre(203, 406));
}

TEST(MixBanks, OfOneBankIsMix) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 6);
  MixBanks(graph, {SliceColumns(graph, "e", x, 0, {2, 2})}, SliceColumns(graph, "g", x, 4, {1, 2}), "mix");
  EXPECT_EQ(graph.nodes.back().op->Describe(), "mix experts by gate");
}

// Two tasks with experts of their own and shared ones, as in CGC: gradients of a bank that two mixtures read, of a gate
// that two mixtures read, and of banks of different sizes.
TEST(MixBanks, Gradients) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value a = Dense(graph, x, {2, 5}, "a"), b = Dense(graph, x, {1, 5}, "b"), shared = Dense(graph, x, {3, 5}, "s");
  const Value gate_a = Softmax(graph, Dense(graph, x, {1, 5}, "gate a"), "softmax a");
  const Value gate_b = Softmax(graph, Dense(graph, x, {1, 4}, "gate b"), "softmax b");
  graph.AddOutput("a", MixBanks(graph, {a, shared}, gate_a, "mix a"));
  graph.AddOutput("b", MixBanks(graph, {b, shared}, gate_b, "mix b"));
  graph.AddOutput("c", MixBanks(graph, {shared, a}, gate_a, "mix c"));
  GraphRunner runner(graph, {.slice_rows = 4});
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
}

TEST(MixBanksDeathTest, SizesMustFit) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 12);
  const Value two = SliceColumns(graph, "two", x, 0, {2, 2}), wide = SliceColumns(graph, "wide", x, 4, {2, 3});
  EXPECT_DEATH(MixBanks(graph, {two, two}, SliceColumns(graph, "g", x, 0, {1, 3}), "mix"),
               "mix: 4 experts, 3 gate weights");
  EXPECT_DEATH(MixBanks(graph, {two, wide}, SliceColumns(graph, "g", x, 0, {1, 4}), "mix"),
               "mix mixes experts of width 2 and 3");
  EXPECT_DEATH(MixBanks(graph, {}, two, "mix"), "mix mixes no experts");
}

}  // namespace
}  // namespace manygate
