// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/probability_product.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

// The logits of the products of pairs of logits.
std::vector<float> Products(std::vector<float> pairs) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 2);
  const Value a = SliceColumns(graph, "a", x, 0, {1, 1}), b = SliceColumns(graph, "b", x, 1, {1, 1});
  graph.AddOutput("z", ProbabilityProduct(graph, a, b, "product"));
  GraphRunner runner(graph);
  return runner.Predict(NumberBatch(2, std::move(pairs)).Rows())[0];
}

TEST(ProbabilityProduct, OfKnownProbabilities) {
  const float log3 = std::log(3.f);
  // 1/2 · 1/2 = 1/4; 1/2 · 3/4 = 3/8; 1/4 · 1/4 = 1/16
  const std::vector<float> z = Products({0, 0, 0, log3, -log3, -log3});
  EXPECT_FLOAT_EQ(z[0], -log3);
  EXPECT_FLOAT_EQ(z[1], std::log(0.6f));
  EXPECT_FLOAT_EQ(z[2], -std::log(15.f));
}

// Where the probabilities themselves are 0 or 1 in float.
TEST(ProbabilityProduct, OfExtremeLogits) {
  const std::vector<float> z = Products({200, 200, -200, -200, 200, -3, -500, 100, 1e30f, 5, -1e30f, 5, 88, 90});
  EXPECT_FLOAT_EQ(z[0], 200 - std::log(2.f));
  EXPECT_FLOAT_EQ(z[1], -400);
  EXPECT_FLOAT_EQ(z[2], -3);
  EXPECT_FLOAT_EQ(z[3], -500);
  EXPECT_FLOAT_EQ(z[4], 5);
  EXPECT_FLOAT_EQ(z[5], -1e30f);
  EXPECT_FLOAT_EQ(z[6], 88 - std::log1p(std::exp(-2.f)));
}

TEST(ProbabilityProduct, IsTheProductAndNeverAboveEither) {
  std::vector<float> pairs;
  for (float a = -30; a <= 30; a += 1.25f)
    for (float b = -30; b <= 30; b += 1.25f) pairs.insert(pairs.end(), {a, b});
  const std::vector<float> z = Products(pairs);
  for (size_t i = 0; i < z.size(); ++i) {
    const double a = pairs[2 * i], b = pairs[2 * i + 1];
    const double product = 1 / ((1 + std::exp(-a)) * (1 + std::exp(-b)));
    // A logit is known to a float's last digit.
    EXPECT_NEAR(1 / (1 + std::exp(-double{z[i]})), product, (4e-7 + 2e-7 * std::abs(z[i])) * product) << a << " " << b;
    EXPECT_LE(z[i], std::min(pairs[2 * i], pairs[2 * i + 1])) << a << " " << b;
  }
}

TEST(ProbabilityProduct, GradientsOfAFunnelOfThree) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value a = Dense(graph, x, {1, 1}, "a"), b = Dense(graph, x, {1, 1}, "b"), c = Dense(graph, x, {1, 1}, "c");
  const Value ab = ProbabilityProduct(graph, a, b, "ab");
  graph.AddOutput("a", a);
  graph.AddOutput("ab", ab);
  graph.AddOutput("abc", ProbabilityProduct(graph, ab, c, "abc"));
  GraphRunner runner(graph, {.slice_rows = 4});
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
}

// ∂z/∂a and ∂z/∂b: (1/2, 1/2) at two equal large logits, (1, 1) at two equal small ones, (1, 0) where a alone decides.
TEST(ProbabilityProduct, GradientsOfExtremeLogits) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 1);
  graph.AddOutput("z",
                  ProbabilityProduct(graph, Dense(graph, x, {1, 1}, "a"), Dense(graph, x, {1, 1}, "b"), "product"));
  GraphRunner runner(graph);
  const TestBatch one = NumberBatch(1, {0});
  const auto slopes = [&](float a, float b) {
    runner.Write("a.bias", {a});
    runner.Write("b.bias", {b});
    const RunResult result = runner.Train(one.Rows());
    // The loss is d_z² / 2 with d_z = z − target; the target is at most 1.
    const double d_z = std::copysign(std::sqrt(2 * result.loss), result.logits[0][0]);
    return std::pair(result.gradients[runner.Find("a.bias")][0] / d_z,
                     result.gradients[runner.Find("b.bias")][0] / d_z);
  };
  const auto near = [](double a, double b) {
    return testing::Pair(testing::DoubleNear(a, 1e-5), testing::DoubleNear(b, 1e-5));
  };
  EXPECT_THAT(slopes(200, 200), near(0.5, 0.5));
  EXPECT_THAT(slopes(-200, -200), near(1, 1));
  EXPECT_THAT(slopes(-300, 300), near(1, 0));
  EXPECT_THAT(slopes(300, -300), near(0, 1));
}

TEST(ProbabilityProductDeathTest, OneLogitEach) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 2);
  EXPECT_DEATH(ProbabilityProduct(graph, x, x, "product"), "product: 2 and 2 logits, not 1 and 1");
}

}  // namespace
}  // namespace manygate
