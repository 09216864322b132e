// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/funnel_penalty.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

float Logit(double p) { return static_cast<float>(std::log(p / (1 - p))); }

TEST(FunnelPenalty, IsTheSumOfTheRises) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 4);
  std::vector<Value> logits;
  for (int t = 0; t < 4; ++t) logits.push_back(SliceColumns(graph, "step", x, t, {1, 1}));
  graph.AddOutput("penalty", FunnelPenalty(graph, logits, "penalty"));
  GraphRunner runner(graph);
  const TestBatch batch = NumberBatch(4, {Logit(0.2), Logit(0.5), Logit(0.4), Logit(0.9),  // 0.3 + 0.5
                                          Logit(0.9), Logit(0.5), Logit(0.5), Logit(0.1),  // never
                                          -900, 900, -900, 900});                          // 1 + 1
  const std::vector<float> penalty = runner.Predict(batch.Rows())[0];
  EXPECT_NEAR(penalty[0], 0.8, 1e-6);
  EXPECT_EQ(penalty[1], 0);
  EXPECT_EQ(penalty[2], 2);
}

TEST(FunnelPenalty, Gradients) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  std::vector<Value> logits;
  for (const char* name : {"a", "b", "c"}) logits.push_back(Dense(graph, x, {1, 1}, name));
  graph.AddOutput("penalty", FunnelPenalty(graph, logits, "penalty"));
  graph.AddOutput("b", logits[1]);
  GraphRunner runner(graph, {.slice_rows = 16});
  CheckGradients(graph, runner, MakeTestBatch(40, {}, 3, 1).Rows(), 4e-3, 1e-3f);
}

TEST(FunnelPenalty, AFallingFunnelLearnsNothing) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 1);
  graph.AddOutput("penalty",
                  FunnelPenalty(graph, {Dense(graph, x, {1, 1}, "a"), Dense(graph, x, {1, 1}, "b")}, "penalty"));
  GraphRunner runner(graph);
  runner.Write("a.bias", {5});
  runner.Write("b.bias", {-5});
  const RunResult falling = runner.Train(MakeTestBatch(9, {}, 1, 1).Rows());
  for (const auto& gradient : falling.gradients) EXPECT_THAT(gradient, testing::Each(0));
  runner.Write("b.bias", {6});
  const RunResult rising = runner.Train(MakeTestBatch(9, {}, 1, 1).Rows());
  for (const auto& gradient : rising.gradients) EXPECT_THAT(gradient, testing::Each(testing::Ne(0)));
}

TEST(FunnelPenaltyDeathTest, TwoStepsOfOneLogit) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 2);
  EXPECT_DEATH(FunnelPenalty(graph, {x}, "penalty"), "penalty: a funnel of 1");
  EXPECT_DEATH(FunnelPenalty(graph, {x, x}, "penalty"), "penalty: 2 logits, not 1");
}

}  // namespace
}  // namespace manygate
