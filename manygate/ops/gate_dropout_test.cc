// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/gate_dropout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/mix.h"

namespace manygate {
namespace {

Graph DropoutGraph(int64_t experts, float ratio) {
  Graph graph;
  graph.AddOutput("y", GateDropout(graph, Numbers(graph, "w", 0, experts), ratio, "dropout"));
  return graph;
}

// `rows` times the weights 0.125, 0.25, 0.625.
TestBatch SameWeights(int64_t rows) {
  std::vector<float> numbers;
  for (int64_t r = 0; r < rows; ++r) numbers.insert(numbers.end(), {0.125f, 0.25f, 0.625f});
  return NumberBatch(3, std::move(numbers));
}

TEST(GateDropout, DividesTheKeptWeightsByTheirSum) {
  const Graph graph = DropoutGraph(3, 0.3f);
  GraphRunner runner(graph);
  constexpr int64_t kRows = 20000;
  const std::vector<float> y = runner.Train(SameWeights(kRows).Rows()).logits[0];
  // What each subset of kept experts must give, written out; bit e: expert e is kept. 0: all dropped, the row stays.
  const std::array<std::array<float, 3>, 8> want = {{{0.125f, 0.25f, 0.625f},
                                                     {1, 0, 0},
                                                     {0, 1, 0},
                                                     {1 / 3.f, 2 / 3.f, 0},
                                                     {0, 0, 1},
                                                     {1 / 6.f, 0, 5 / 6.f},
                                                     {0, 2 / 7.f, 5 / 7.f},
                                                     {0.125f, 0.25f, 0.625f}}};
  std::array<int64_t, 8> seen = {};
  for (int64_t r = 0; r < kRows; ++r) {
    int kept = 0;
    for (int e = 0; e < 3; ++e) kept |= (y[r * 3 + e] != 0) << e;
    ++seen[kept];
    for (int e = 0; e < 3; ++e) ASSERT_FLOAT_EQ(y[r * 3 + e], want[kept][e]) << "row " << r << ", expert " << e;
  }
  // 0.7³ + 0.3³ look untouched; one of 0.7·0.3² for each single expert, 0.7²·0.3 for each pair. 5 deviations.
  EXPECT_NEAR(seen[7], 0.37 * kRows, 350);
  for (const int one : {1, 2, 4}) EXPECT_NEAR(seen[one], 0.063 * kRows, 175) << one;
  for (const int two : {3, 5, 6}) EXPECT_NEAR(seen[two], 0.147 * kRows, 255) << two;
}

// A ratio this near to 1 is rounded to it: every expert of every row is dropped.
TEST(GateDropout, ARowWithoutExpertsStaysAsItIsAndSoDoesItsGradient) {
  Graph dropped, plain;
  for (Graph* graph : {&dropped, &plain}) {
    const Value x = Numbers(*graph, "x", 0, 3);
    const Value gate = Softmax(*graph, Dense(*graph, x, {1, 4}, "gate"), "softmax");
    const Value y = graph == &dropped ? GateDropout(*graph, gate, 0.999999f, "dropout") : gate;
    graph->AddOutput("y", Dense(*graph, y, {1, 2}, "last"));
    graph->AddOutput("gate", gate);  // a second writer of its gradient
  }
  const TestBatch batch = MakeTestBatch(20, {}, 3, 1);
  GraphRunner a(dropped), b(plain);
  const RunResult got = a.Train(batch.Rows()), want = b.Train(batch.Rows());
  EXPECT_EQ(got.logits, want.logits);
  for (size_t i = 0; i < want.gradients.size(); ++i)
    for (size_t j = 0; j < want.gradients[i].size(); ++j)
      EXPECT_NEAR(got.gradients[i][j], want.gradients[i][j], 1e-5) << plain.parameters[i].name;
}

// The gate has settled on expert 0; where that one is dropped, nothing is left to divide by.
TEST(GateDropout, KeptWeightsOfZeroAreNoWeights) {
  const Graph graph = DropoutGraph(3, 0.5f);
  GraphRunner runner(graph);
  std::vector<float> numbers;
  for (int r = 0; r < 200; ++r) numbers.insert(numbers.end(), {1, 0, 1e-30f});
  const TestBatch batch = NumberBatch(3, std::move(numbers));
  const std::vector<float> y = runner.Train(batch.Rows()).logits[0];
  for (int r = 0; r < 200; ++r) {
    EXPECT_EQ(y[r * 3], 1);
    EXPECT_EQ(y[r * 3 + 1], 0);
    EXPECT_LE(y[r * 3 + 2], 1e-30f);
  }
}

TEST(GateDropout, TheMaskDependsOnSeedStepRowAndExpertAlone) {
  const Graph graph = DropoutGraph(3, 0.4f);
  const TestBatch batch = SameWeights(200);
  GraphRunner reference(graph, {.seed = 5});
  const auto want = reference.Train(batch.Rows(), 9).logits[0];
  for (const auto& [threads, slice_rows] : {std::pair{1, 7}, {3, 16}, {4, 1}}) {
    GraphRunner runner(graph, {.threads = threads, .slice_rows = slice_rows, .seed = 5});
    EXPECT_TRUE(SameBits(runner.Train(batch.Rows(), 9).logits[0], want)) << slice_rows;
  }
  EXPECT_FALSE(SameBits(reference.Train(batch.Rows(), 10).logits[0], want));
  GraphRunner other(graph, {.seed = 6});
  EXPECT_FALSE(SameBits(other.Train(batch.Rows(), 9).logits[0], want));
}

TEST(GateDropout, PredictionLeavesItOut) {
  const Graph graph = DropoutGraph(5, 0.4f);
  GraphRunner runner(graph);
  const TestBatch batch = MakeTestBatch(20, {}, 5, 1);
  EXPECT_TRUE(SameBits(runner.Predict(batch.Rows())[0], batch.numbers));
}

TEST(GateDropout, RatioZeroIsNoNode) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 2);
  EXPECT_EQ(GateDropout(graph, x, 0, "none"), x);
}

TEST(GateDropout, Gradients) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value gate = Softmax(graph, Dense(graph, x, {1, 4}, "gate"), "softmax");
  const Value experts = Dense(graph, x, {4, 5}, "experts");
  // Two dropouts of one gate: its gradient has two writers.
  graph.AddOutput("a", Mix(graph, experts, GateDropout(graph, gate, 0.3f, "first"), "mix a"));
  graph.AddOutput("b", Mix(graph, experts, GateDropout(graph, gate, 0.6f, "second"), "mix b"));
  GraphRunner runner(graph, {.slice_rows = 5});
  CheckGradients(graph, runner, MakeTestBatch(24, {}, 3, 1).Rows());
}

}  // namespace
}  // namespace manygate
