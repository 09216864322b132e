// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/attention_transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

Value TransferOfNumbers(Graph& graph, int64_t width) {
  const Value x = Numbers(graph, "x", 0, 2 * width);
  const Value information = SliceColumns(graph, "information", x, 0, {1, width});
  return AttentionTransfer(graph, information, SliceColumns(graph, "own", x, width, {1, width}), "transfer");
}

TEST(AttentionTransfer, OfNumbers) {
  Graph graph;
  graph.AddOutput("y", TransferOfNumbers(graph, 1));
  GraphRunner runner(graph);
  runner.Write("transfer.h1.weight", {1});
  runner.Write("transfer.h2.weight", {0.5});
  runner.Write("transfer.h3.weight", {3});
  // Information 1, own 2: scores 0.5 and 2, weights 1 / (1 + e^1.5) = 0.1824255 and the rest; values 3 and 6.
  // Scores that exp does not take: 0.5e6 against 0.
  const std::vector<float> y = runner.Predict(NumberBatch(2, {1, 2, 1000, 0, 0, 1000}).Rows())[0];
  EXPECT_NEAR(y[0], 5.4527235, 1e-5);
  EXPECT_FLOAT_EQ(y[1], 3000);
  EXPECT_FLOAT_EQ(y[2], 3000);
}

TEST(AttentionTransfer, IsItsEquation) {
  constexpr int64_t kWidth = 3;
  Graph graph;
  graph.AddOutput("y", TransferOfNumbers(graph, kWidth));
  ASSERT_EQ(graph.parameters.size(), 3u);
  EXPECT_EQ(graph.parameters[1].name, "transfer.h2.weight");
  EXPECT_THAT(graph.parameters[1].shape, testing::ElementsAre(kWidth, kWidth));
  GraphRunner runner(graph, {.slice_rows = 4});
  const TestBatch batch = MakeTestBatch(9, {}, 2 * kWidth, 1);
  const std::vector<float> y = runner.Predict(batch.Rows())[0];
  for (int64_t r = 0; r < batch.rows; ++r) {
    const auto project = [&](int64_t u, const std::string& name) {
      const std::vector<float> w = runner.Read("transfer." + name + ".weight");
      std::vector<double> out(kWidth);
      for (int64_t i = 0; i < kWidth; ++i)
        for (int64_t k = 0; k < kWidth; ++k) out[i] += batch.numbers[(r * 2 + u) * kWidth + k] * w[k * kWidth + i];
      return out;
    };
    double scores[2] = {0, 0};
    for (int64_t u = 0; u < 2; ++u) {
      const std::vector<double> h1 = project(u, "h1"), h2 = project(u, "h2");
      for (int64_t i = 0; i < kWidth; ++i) scores[u] += h1[i] * h2[i] / std::sqrt(double{kWidth});
    }
    const double first = std::exp(scores[0]) / (std::exp(scores[0]) + std::exp(scores[1]));
    for (int64_t i = 0; i < kWidth; ++i) {
      const double want = first * project(0, "h3")[i] + (1 - first) * project(1, "h3")[i];
      EXPECT_NEAR(y[r * kWidth + i], want, 1e-6);
    }
  }
}

TEST(AttentionTransfer, Gradients) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value information = Dense(graph, x, {1, 4}, "information"), own = Dense(graph, x, {1, 4}, "own");
  graph.AddOutput("y", AttentionTransfer(graph, information, own, "transfer"));
  graph.AddOutput("information", information);  // read twice
  GraphRunner runner(graph, {.slice_rows = 4});
  // Far from 0, so that the scores matter.
  for (const char* name : {"transfer.h1.weight", "transfer.h2.weight", "transfer.h3.weight"}) {
    std::vector<float> weights = runner.Read(name);
    for (float& w : weights) w *= 3;
    runner.Write(name, weights);
  }
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
}

TEST(AttentionTransferDeathTest, EquallyWide) {
  Graph graph;
  EXPECT_DEATH(AttentionTransfer(graph, Numbers(graph, "a", 0, 2), Numbers(graph, "b", 2, 3), "transfer"),
               "transfer: 2 wide information, 1 x 3 wide own");
}

}  // namespace
}  // namespace manygate
