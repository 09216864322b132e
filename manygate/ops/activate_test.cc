// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/activate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

using testing::ElementsAre;

TEST(Activate, AppliesTheFunction) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  graph.AddOutput("relu", Activate(graph, x, Activation::kRelu, "relu"));
  graph.AddOutput("leaky", Activate(graph, x, Activation::kLeakyRelu, "leaky"));
  EXPECT_EQ(Activate(graph, x, Activation::kNone, "none"), x);
  GraphRunner runner(graph);

  const auto y = runner.Predict(NumberBatch(3, {-2, 0, 3}).Rows());
  EXPECT_THAT(y[0], ElementsAre(0, 0, 3));
  EXPECT_THAT(y[1], ElementsAre(-0.02f, 0, 3));
}

TEST(Activate, Gradients) {
  for (const Activation activation : {Activation::kRelu, Activation::kSilu, Activation::kTanh, Activation::kSigmoid,
                                      Activation::kGelu, Activation::kLeakyRelu}) {
    SCOPED_TRACE(ActivationName(activation));
    Graph graph;
    const Value first = Dense(graph, Numbers(graph, "x", 0, 3), {1, 4}, "first");
    const Value alone = Activate(graph, first, activation, "in place");
    // A second layer whose product is read by two, so that neither may write over it.
    const Value second = Dense(graph, alone, {1, 3}, "second");
    const Value a = Activate(graph, second, activation, "a"), b = Activate(graph, second, activation, "b");
    graph.AddOutput("a", Dense(graph, a, {1, 1}, "last a"));
    graph.AddOutput("b", Dense(graph, b, {1, 1}, "last b"));
    GraphRunner runner(graph);
    // Far from the kinks at 0 and from saturation: |x·W| stays below the bias.
    const std::pair<const char*, float> factors[] = {
        {"first.weight", 0.4f}, {"second.weight", 0.4f}, {"last a.weight", 5.f}, {"last b.weight", 3.f}};
    for (const auto& [name, factor] : factors) {
      std::vector<float> weight = runner.Read(name);
      for (float& w : weight) w *= factor;
      runner.Write(name, weight);
    }
    runner.Write("first.bias", {0.8f, -0.8f, 0.8f, 0.8f});
    runner.Write("second.bias", {0.8f, -0.8f, 0.8f});
    CheckGradients(graph, runner, MakeTestBatch(6, {}, 3, 1).Rows());
  }
}

// Ones through a dropout of 0.3.
struct DropoutGraph {
  explicit DropoutGraph(int64_t width = 64) {
    const Value x = Numbers(graph, "x", 0, width);
    graph.AddOutput("a", Dropout(graph, x, 0.3f, "a"));
    graph.AddOutput("b", Dropout(graph, x, 0.3f, "b"));
  }
  Graph graph;
};

TEST(Dropout, HonoursItsRatioAndKeepsTheMean) {
  const DropoutGraph dropout;
  GraphRunner runner(dropout.graph);
  const TestBatch batch = NumberBatch(64, std::vector<float>(64000, 1.f));
  const std::vector<float> y = runner.Train(batch.Rows()).logits[0];
  const float kept = 1.f / (1.f - 0.3f);
  const auto zeros = std::count(y.begin(), y.end(), 0.f);
  EXPECT_EQ(zeros + std::count(y.begin(), y.end(), kept), 64000);
  EXPECT_NEAR(zeros / 64000.0, 0.3, 0.008);  // 4 deviations
  EXPECT_NEAR(std::accumulate(y.begin(), y.end(), 0.0) / 64000, 1.0, 0.011);
}

TEST(Dropout, TheMaskDependsOnSeedStepNodeRowAndColumnAlone) {
  for (const int64_t width : {1, 3, 7, 8, 17}) {
    const DropoutGraph dropout(width);
    const TestBatch batch = NumberBatch(width, std::vector<float>(200 * width, 1.f));
    GraphRunner reference(dropout.graph, {.slice_rows = 256, .seed = 5});
    const auto want = reference.Train(batch.Rows(), 9).logits;
    for (const auto& [threads, slice_rows] : {std::pair{1, 7}, {1, 64}, {3, 16}, {4, 1}}) {
      GraphRunner runner(dropout.graph, {.threads = threads, .slice_rows = slice_rows, .seed = 5});
      const auto got = runner.Train(batch.Rows(), 9).logits;
      EXPECT_TRUE(SameBits(got[0], want[0])) << slice_rows;
      EXPECT_TRUE(SameBits(got[1], want[1])) << slice_rows;
    }
    EXPECT_FALSE(SameBits(want[0], want[1])) << "two nodes";
    EXPECT_FALSE(SameBits(reference.Train(batch.Rows(), 10).logits[0], want[0])) << "two steps";
    GraphRunner other(dropout.graph, {.seed = 6});
    EXPECT_FALSE(SameBits(other.Train(batch.Rows(), 9).logits[0], want[0])) << "two seeds";
    // Rows differ, and so do columns.
    const std::vector<float>& y = want[0];
    EXPECT_NE(std::vector(y.begin(), y.begin() + 100 * width), std::vector(y.begin() + 100 * width, y.end()));
    for (int64_t c = 1; c < width; ++c) {
      int64_t equal = 0;
      for (int64_t r = 0; r < 200; ++r) equal += y[r * width] == y[r * width + c];
      EXPECT_NEAR(equal, 116, 40) << c;  // 0.58 of 200 by chance
    }
  }
}

TEST(Dropout, PredictionLeavesItOut) {
  const DropoutGraph dropout(5);
  GraphRunner runner(dropout.graph);
  const TestBatch batch = MakeTestBatch(20, {}, 5, 1);
  EXPECT_TRUE(SameBits(runner.Predict(batch.Rows())[0], batch.numbers));
}

TEST(Dropout, RatioZeroIsNoNode) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 2);
  EXPECT_EQ(Dropout(graph, x, 0, "none"), x);
}

TEST(Dropout, Gradients) {
  Graph graph;
  const Value first = Dense(graph, Numbers(graph, "x", 0, 3), {1, 6}, "first");
  // In place for one reader; for two, added up.
  const Value tanh = Dropout(graph, Activate(graph, first, Activation::kTanh, "tanh"), 0.4f, "a");
  const Value second = Dense(graph, tanh, {1, 5}, "second");
  graph.AddOutput("b", Dense(graph, Dropout(graph, second, 0.2f, "b"), {1, 2}, "last b"));
  graph.AddOutput("c", Dense(graph, Dropout(graph, second, 0.5f, "c"), {1, 2}, "last c"));
  GraphRunner runner(graph, {.slice_rows = 5});
  CheckGradients(graph, runner, MakeTestBatch(12, {}, 3, 1).Rows());
}

}  // namespace
}  // namespace manygate
