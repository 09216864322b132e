// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/smooth_step.h"

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
using testing::FloatNear;

std::vector<float> Selected(int64_t selectors, int64_t bits, int64_t num_expert, float gamma, std::vector<float> codes) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, selectors * bits);
  const Value shaped = SliceColumns(graph, "codes", x, 0, {selectors, bits});
  const Value y = SelectExperts(graph, shaped, num_expert, gamma, "select");
  EXPECT_EQ(graph.shape(y), (Shape{selectors, num_expert}));
  graph.AddOutput("y", y);
  GraphRunner runner(graph);
  return runner.Predict(NumberBatch(selectors * bits, std::move(codes)).Rows())[0];
}

TEST(NumCodeBits, IsTheLogarithmRoundedUp) {
  EXPECT_EQ(NumCodeBits(1), 0);
  EXPECT_EQ(NumCodeBits(2), 1);
  EXPECT_EQ(NumCodeBits(3), 2);
  EXPECT_EQ(NumCodeBits(4), 2);
  EXPECT_EQ(NumCodeBits(5), 3);
  EXPECT_EQ(NumCodeBits(8), 3);
  EXPECT_EQ(NumCodeBits(9), 4);
}

TEST(SelectExperts, OneBitIsTheSmoothStepAndItsRest) {
  // γ = 2: S(t) = -t³/4 + 3t/4 + 1/2 on [-1, 1].
  EXPECT_THAT(Selected(1, 1, 2, 2, {-5, -1, -0.5f, 0, 0.5f, 1, 1.5f}),
              ElementsAre(1, 0, 1, 0, FloatEq(0.84375f), FloatEq(0.15625f), 0.5f, 0.5f, FloatEq(0.15625f),
                          FloatEq(0.84375f), 0, 1, 0, 1));
}

TEST(SelectExperts, SettledCodesAreTheBinaryNumberOfTheExpert) {
  // Two selectors: 10 -> expert 2, 01 -> expert 1.
  EXPECT_THAT(Selected(2, 2, 4, 1, {1, -1, -1, 1}), ElementsAre(0, 0, 1, 0, 0, 1, 0, 0));
}

TEST(SelectExperts, UndecidedCodesShareOutEqually) {
  EXPECT_THAT(Selected(1, 2, 4, 1, {0, 0}), ElementsAre(0.25f, 0.25f, 0.25f, 0.25f));
}

TEST(SelectExperts, CodesBeyondTheExpertsSelectNothing) {
  // Three experts: 11 is none; with both bits at one half a quarter is missing.
  EXPECT_THAT(Selected(1, 2, 3, 1, {1, 1, 0, 0}), ElementsAre(0, 0, 0, 0.25f, 0.25f, 0.25f));
}

// Through a layer whose outputs lie on both sides of the steps' ends.
TEST(SelectExperts, Gradients) {
  for (const int64_t num_expert : {4, 5}) {
    Graph graph;
    const Value codes = Dense(graph, Numbers(graph, "x", 0, 3), {2, NumCodeBits(num_expert)}, "codes");
    graph.AddOutput("y", SelectExperts(graph, codes, num_expert, 1.5f, "select"));
    graph.AddOutput("codes", codes);  // a second reader
    GraphRunner runner(graph, {.slice_rows = 4});
    CheckGradients(graph, runner, MakeTestBatch(20, {}, 3, 1).Rows());
  }
}

float OneRow(Value (*term)(Graph&, Value, std::string), std::vector<float> selectors, Shape shape) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, shape.size());
  const Value y = term(graph, SliceColumns(graph, "selectors", x, 0, shape), "term");
  EXPECT_EQ(graph.shape(y), (Shape{1, 1}));
  graph.AddOutput("y", y);
  GraphRunner runner(graph);
  return runner.Predict(NumberBatch(shape.size(), std::move(selectors)).Rows())[0][0];
}

TEST(SelectorEntropy, IsZeroForAChoiceAndLogEForNone) {
  EXPECT_THAT(OneRow(SelectorEntropy, {0, 1, 0, 0}, {1, 4}), FloatNear(0, 2e-6f));
  EXPECT_THAT(OneRow(SelectorEntropy, {0.25f, 0.25f, 0.25f, 0.25f}, {1, 4}), FloatNear(std::log(4.f), 1e-5f));
  EXPECT_THAT(OneRow(SelectorEntropy, {0.5f, 0.5f, 0.5f, 0.5f}, {2, 2}), FloatNear(2 * std::log(2.f), 1e-5f));
}

TEST(SelectorsOutOfReach, IsZeroWhereAllWeightIsOnExperts) {
  EXPECT_THAT(OneRow(SelectorsOutOfReach, {0, 1, 0}, {1, 3}), FloatEq(0));
  EXPECT_THAT(OneRow(SelectorsOutOfReach, {0.25f, 0.25f, 0, 0, 0.2f, 0}, {2, 3}), FloatEq(1 + 4));
  EXPECT_THAT(OneRow(SelectorsOutOfReach, {0, 0, 0}, {1, 3}), FloatEq(39));  // 20 - 1 + 0.05 · 400: the tangent at 0.05
}

TEST(SelectorTerms, Gradients) {
  Graph graph;
  const Value codes = Dense(graph, Numbers(graph, "x", 0, 3), {2, 2}, "codes");
  const Value selectors = SelectExperts(graph, codes, 3, 4, "select");  // so wide a step that no code is settled
  graph.AddOutput("entropy", SelectorEntropy(graph, selectors, "entropy"));
  graph.AddOutput("reach", SelectorsOutOfReach(graph, selectors, "reach"));
  GraphRunner runner(graph, {.slice_rows = 4});
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
}

TEST(SelectExpertsDeathTest, CodesMustFitTheExperts) {
  Graph graph;
  const Value codes = Numbers(graph, "x", 0, 2);
  EXPECT_DEATH(SelectExperts(graph, codes, 5, 1, "s"), "s: 5 experts by codes of 2 bits");
  EXPECT_DEATH(SelectExperts(graph, codes, 1, 1, "s"), "s: 1 experts by codes of 2 bits");
}

}  // namespace
}  // namespace manygate
