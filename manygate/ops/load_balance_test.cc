// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/load_balance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/mix.h"

namespace manygate {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;

std::vector<float> BalanceOf(int64_t experts, std::vector<float> weights, int64_t slice_rows = 256) {
  Graph graph;
  const Value balance = LoadBalance(graph, Numbers(graph, "w", 0, experts), "balance");
  EXPECT_EQ(graph.shape(balance), (Shape{1, 1}));
  graph.AddOutput("balance", balance);
  GraphRunner runner(graph, {.slice_rows = slice_rows});
  return runner.Predict(NumberBatch(experts, std::move(weights)).Rows())[0];
}

TEST(LoadBalance, IsTheSquaredCoefficientOfVariation) {
  // Sums 1.2, 0.6, 1.2 over the rows: mean 1, variance (0.04 + 0.16 + 0.04) / 3 = 0.08.
  EXPECT_THAT(BalanceOf(3, {0.7f, 0.2f, 0.1f, 0.3f, 0.1f, 0.6f, 0.2f, 0.3f, 0.5f}), Each(FloatNear(0.08f, 1e-6f)));
  // Each row has an expert of its own, so all are used alike.
  EXPECT_THAT(BalanceOf(2, {1, 0, 0, 1}), ElementsAre(0, 0));
  // One expert of four has everything: E − 1.
  EXPECT_THAT(BalanceOf(4, {0, 1, 0, 0, 0, 1, 0, 0}), ElementsAre(3, 3));
  EXPECT_THAT(BalanceOf(2, {0, 0, 0, 0}), ElementsAre(0, 0));
  EXPECT_THAT(BalanceOf(1, {1, 1}), ElementsAre(0, 0));
}

TEST(LoadBalance, CountsOverASlice) {
  // Slices of rows 1 and 2 (sums 2, 0: 1), 3 and 4 (1, 1: 0), 5 (0.75, 0.25: 0.25).
  EXPECT_THAT(BalanceOf(2, {1, 0, 1, 0, 1, 0, 0, 1, 0.75f, 0.25f}, 2),
              ElementsAre(FloatEq(1), FloatEq(1), 0, 0, FloatEq(0.25f)));
}

// The numeric check knows no slices: it works as well for a number that many rows share.
TEST(LoadBalance, Gradients) {
  for (const int64_t slice_rows : {256, 5}) {
    Graph graph;
    const Value x = Numbers(graph, "x", 0, 3);
    const Value gate = Softmax(graph, Dense(graph, x, {1, 4}, "gate"), "softmax");
    graph.AddOutput("balance", LoadBalance(graph, gate, "balance"));
    graph.AddOutput("mix", Mix(graph, Dense(graph, x, {4, 2}, "experts"), gate, "mix"));
    GraphRunner runner(graph, {.slice_rows = slice_rows});
    runner.Write("gate.bias", {1.5f, -0.5f, 0.2f, 0});  // far from balance
    CheckGradients(graph, runner, MakeTestBatch(12, {}, 3, 1).Rows());
  }
}

// Numbers that do not sum to 1, so that Σ I depends on them too.
TEST(LoadBalance, GradientsOfWeightsOfAnySum) {
  Graph graph;
  const Value weights = Dense(graph, Numbers(graph, "x", 0, 2), {1, 3}, "weights");
  graph.AddOutput("balance", LoadBalance(graph, weights, "balance"));
  GraphRunner runner(graph);
  runner.Write("weights.bias", {2, 1, 3});
  CheckGradients(graph, runner, MakeTestBatch(12, {}, 2, 1).Rows());
}

}  // namespace
}  // namespace manygate
