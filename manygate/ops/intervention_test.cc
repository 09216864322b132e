// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/intervention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

using testing::Each;
using testing::ElementsAre;

TEST(OrthonormalRows, ByHand) {
  // (3, 4, 0) / 5; of (3, 4, 12) the part along it, 5, is taken off: (0, 0, 12) / 12.
  const float w[] = {3, 4, 0, 3, 4, 12};
  std::vector<float> lower(4), q(6);
  OrthonormalRows(2, 3, w, lower.data(), q.data());
  EXPECT_THAT(lower, ElementsAre(5, 0, 5, 12));
  EXPECT_THAT(q, testing::Pointwise(testing::FloatNear(1e-6f), {0.6f, 0.8f, 0.f, 0.f, 0.f, 1.f}));
}

TEST(OrthonormalRows, ARowThatDependsOnOthersIsZero) {
  const float w[] = {1, 1, 2, 2};
  std::vector<float> lower(4), q(4), d_q = {1, 2, 3, 4}, d_w(4);
  OrthonormalRows(2, 2, w, lower.data(), q.data());
  EXPECT_THAT(std::vector<float>(q.begin() + 2, q.end()), Each(0.f));
  OrthonormalRowsGradient(2, 2, lower.data(), q.data(), d_q.data(), d_w.data());
  EXPECT_THAT(std::vector<float>(d_w.begin() + 2, d_w.end()), Each(0.f));
  for (const float d : d_w) EXPECT_TRUE(std::isfinite(d));
}

TEST(OrthonormalRows, GradientOfFiniteDifferences) {
  const int64_t rows = 3, columns = 5;
  std::vector<float> w(rows * columns), d_q(rows * columns), d_w(rows * columns), lower(rows * rows), q(rows * columns);
  for (size_t i = 0; i < w.size(); ++i) {
    w[i] = static_cast<float>(std::sin(1.0 + 1.7 * static_cast<double>(i * i)));
    d_q[i] = static_cast<float>(std::cos(0.3 + 2.3 * static_cast<double>(i)));
  }
  const auto loss = [&] {
    std::vector<float> l(lower.size()), of_w(q.size());
    OrthonormalRows(rows, columns, w.data(), l.data(), of_w.data());
    double sum = 0;
    for (size_t i = 0; i < of_w.size(); ++i) sum += double{of_w[i]} * d_q[i];
    return sum;
  };
  OrthonormalRows(rows, columns, w.data(), lower.data(), q.data());
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t k = 0; k < rows; ++k) {
      double product = 0;
      for (int64_t j = 0; j < columns; ++j) product += double{q[i * columns + j]} * q[k * columns + j];
      EXPECT_NEAR(product, i == k ? 1 : 0, 1e-6);
    }
  }
  OrthonormalRowsGradient(rows, columns, lower.data(), q.data(), d_q.data(), d_w.data());
  for (size_t i = 0; i < w.size(); ++i) {
    const float old = w[i];
    w[i] = old + 1e-3f;
    const double above = loss();
    w[i] = old - 1e-3f;
    const double below = loss();
    w[i] = old;
    EXPECT_NEAR(d_w[i], (above - below) / 2e-3, 1e-3) << i;
  }
}

// P = (0.6, 0.8), Q = (0, 1, 0): base + (0.6 b1 + 0.8 b2 - s2) · (0.6, 0.8).
TEST(Intervene, ByHand) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 5);
  const Value base = SliceColumns(graph, "base", x, 0, {1, 2}), source = SliceColumns(graph, "source", x, 2, {1, 3});
  graph.AddOutput("y", Intervene(graph, base, source, 1, "move"));
  EXPECT_EQ(graph.parameters[0].name, "move.base");
  EXPECT_THAT(graph.parameters[1].shape, ElementsAre(1, 3));
  GraphRunner runner(graph);
  runner.Write("move.base", {3, 4});
  runner.Write("move.source", {0, 7, 0});
  const std::vector<float> y = runner.Predict(NumberBatch(1, {1, 2, 9, 4, 9}).Rows())[0];
  EXPECT_NEAR(y[0], 1 + (2.2 - 4) * 0.6, 1e-6);
  EXPECT_NEAR(y[1], 2 + (2.2 - 4) * 0.8, 1e-6);
}

TEST(Intervene, Gradients) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value base = Dense(graph, x, {1, 5}, "base"), source = Dense(graph, x, {1, 4}, "source");
  graph.AddOutput("y", Intervene(graph, base, source, 3, "move"));
  graph.AddOutput("base", base);  // read twice
  graph.AddOutput("source", source);
  GraphRunner runner(graph, {.slice_rows = 4});
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
}

TEST(Intervene, GradientsOfInputsThatNobodyElseReads) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  graph.AddOutput("y", Intervene(graph, Dense(graph, x, {1, 3}, "base"), Dense(graph, x, {1, 4}, "source"), 2, "move"));
  GraphRunner runner(graph);
  CheckGradients(graph, runner, MakeTestBatch(7, {}, 3, 1).Rows());
}

TEST(InterveneDeathTest, RankIsAtMostTheWidths) {
  Graph graph;
  EXPECT_DEATH(Intervene(graph, Numbers(graph, "a", 0, 2), Numbers(graph, "b", 2, 5), 3, "move"),
               "move: rank 3 between \\[1, 2\\] and \\[1, 5\\]");
}

}  // namespace
}  // namespace manygate
