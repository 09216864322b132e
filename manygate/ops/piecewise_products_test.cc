// SPDX-License-Identifier: Apache-2.0
// The pass over piecewise-linear inputs, and through it the operations that it starts from (piecewise.h) and makes
// (piecewise_dense.h).
#include "manygate/ops/piecewise_products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "manygate/ops/activate.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/lookup_products.h"
#include "manygate/ops/merge_products.h"
#include "manygate/ops/piecewise.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// ids: piece below 5, value below 3, piece below 20; numbers: fraction, two numbers, fraction.
TestBatch MakeBatch(int64_t rows) {
  TestBatch batch = MakeTestBatch(rows, {5, 3, 20}, 4, 9);
  for (int64_t r = 0; r < rows; ++r) {
    for (const int64_t fraction : {0, 3}) {
      float& f = batch.numbers[r * 4 + fraction];
      f = r % 3 == 0 ? static_cast<float>(r % 2) : std::abs(f);  // 0 and 1 are frequent
    }
  }
  return batch;
}

// Two products over pieces, a one-hot and numbers, and a map of pieces alone.
struct Choice {
  bool sum = false;     // SumInsteadOfPieces
  bool others = false;  // the other passes before and after it
  bool bias = true;
};

Graph MakeGraph(const Choice& choice) {
  Graph graph;
  const Value a = Pieces(graph, "a", 0, 0, 5), c = Pieces(graph, "c", 2, 3, 20);
  const Value mapped = Dense(graph, c, {1, 4}, "map");
  const Value x = Concat(graph, "input", {a, OneHot(graph, "b", 1, 3), mapped, Numbers(graph, "numbers", 1, 2), c});
  const Value hidden = Activate(graph, Dense(graph, x, {2, 9}, "first", choice.bias), Activation::kTanh, "tanh");
  const Value second = Dense(graph, x, {1, 3}, "second", choice.bias);
  graph.AddOutput("y", Dense(graph, hidden, {1, 2}, "last"));
  graph.AddOutput("z", second);
  if (choice.others) MergeParallelProducts(graph);
  if (choice.sum) SumInsteadOfPieces(graph);
  if (choice.others) LookUpInsteadOfMultiply(graph);
  return graph;
}

void ExpectTheSameModel(const Graph& before, const Graph& after, const TestBatch& batch, int64_t slice_rows) {
  GraphRunner a(before, {.slice_rows = slice_rows}), b(after, {.slice_rows = slice_rows});
  const auto want = a.Predict(batch.Rows()), got = b.Predict(batch.Rows());
  for (size_t t = 0; t < want.size(); ++t)
    for (size_t r = 0; r < want[t].size(); ++r) EXPECT_NEAR(got[t][r], want[t][r], 2e-6) << r;
  const RunResult multiplied = a.Train(batch.Rows()), summed = b.Train(batch.Rows());
  EXPECT_NEAR(multiplied.loss, summed.loss, 1e-5 * multiplied.loss);
  ASSERT_EQ(before.parameters.size(), after.parameters.size());
  for (size_t i = 0; i < before.parameters.size(); ++i) {
    ASSERT_EQ(before.parameters[i].name, after.parameters[i].name);
    EXPECT_EQ(a.store().Read(static_cast<int>(i)), b.store().Read(static_cast<int>(i)));
    for (size_t j = 0; j < multiplied.gradients[i].size(); ++j) {
      const float g = multiplied.gradients[i][j];
      EXPECT_NEAR(summed.gradients[i][j], g, 2e-5 * (1 + std::abs(g))) << before.parameters[i].name << " [" << j << "]";
    }
  }
}

TEST(Pieces, WritesOnesAndTheFraction) {
  Graph graph;
  graph.AddOutput("x", Pieces(graph, "a", 1, 2, 3));
  EXPECT_EQ(graph.node(0).op->Describe(), "3 linear pieces, written out");
  GraphRunner runner(graph);
  const TestBatch batch = {3, 2, 3, {9, 0, 9, 1, 9, 2}, {7, 7, 0.25f, 7, 7, 0.5f, 7, 7, 1}};
  EXPECT_THAT(runner.Predict(batch.Rows())[0], ElementsAre(0.25f, 0, 0, 1, 0.5f, 0, 1, 1, 1));
}

TEST(PiecewiseProducts, AGraphStaysTheSame) {
  for (const bool bias : {true, false}) {
    const Graph before = MakeGraph({.bias = bias});
    EXPECT_THAT(before.Describe(), HasSubstr("written out"));
    for (const bool others : {false, true}) {
      const Graph after = MakeGraph({.sum = true, .others = others, .bias = bias});
      EXPECT_THAT(after.Describe(), HasSubstr("sum of weight rows: 2 piecewise-linear columns"));
      EXPECT_THAT(after.Describe(), HasSubstr("sum of weight rows: 1 piecewise-linear column"));
      EXPECT_THAT(after.Describe(), Not(HasSubstr("pieces, written out")));
      if (others) {
        EXPECT_THAT(after.Describe(), HasSubstr("1 one-hot column"));
        EXPECT_THAT(after.Describe(), Not(HasSubstr("written out")));
      }
      for (const int64_t rows : {1, 5, 200}) ExpectTheSameModel(before, after, MakeBatch(rows), 64);
      ExpectTheSameModel(before, after, MakeBatch(200), 256);
    }
  }
}

TEST(PiecewiseProducts, SameBitsForAnyNumberOfThreads) {
  const Graph graph = MakeGraph({.sum = true, .others = true});
  const TestBatch batch = MakeBatch(200);
  GraphRunner one(graph, {.threads = 1, .slice_rows = 32});
  const RunResult want = one.Train(batch.Rows());
  const auto predicted = one.Predict(batch.Rows());
  for (const int threads : {2, 4}) {
    GraphRunner runner(graph, {.threads = threads, .slice_rows = 32});
    const RunResult got = runner.Train(batch.Rows());
    EXPECT_EQ(got.loss, want.loss);
    for (size_t i = 0; i < want.gradients.size(); ++i) EXPECT_TRUE(SameBits(got.gradients[i], want.gradients[i])) << i;
    for (size_t t = 0; t < predicted.size(); ++t) EXPECT_TRUE(SameBits(runner.Predict(batch.Rows())[t], predicted[t]));
  }
}

TEST(PiecewiseProducts, ARowByItselfHasTheSameBits) {
  const Graph graph = MakeGraph({.sum = true, .others = true});
  const TestBatch batch = MakeBatch(20);
  GraphRunner runner(graph);
  const auto all = runner.Predict(batch.Rows());
  for (int64_t r = 0; r < 20; ++r) {
    const auto row = runner.Predict(batch.Rows(r, 1));
    EXPECT_TRUE(SameBits(row[1], {all[1].begin() + r * 3, all[1].begin() + (r + 1) * 3})) << r;
  }
}

TEST(PiecewiseProducts, PiecesAlone) {
  for (const bool bias : {true, false}) {
    Graph graph;
    graph.AddOutput("y", Dense(graph, Pieces(graph, "a", 0, 0, 3), {1, 2}, "y", bias));
    SumInsteadOfPieces(graph);
    ASSERT_EQ(graph.nodes.size(), 1u);
    EXPECT_EQ(graph.node(0).name, "y");
    EXPECT_EQ(graph.node(0).op->Describe(), "sum of weight rows: 1 piecewise-linear column");
    GraphRunner runner(graph);
    runner.Write("y.weight", {1, 10, 2, 20, 4, 40});
    if (bias) runner.Write("y.bias", {0.5f, 0.25f});
    const float b0 = bias ? 0.5f : 0.f, b1 = bias ? 0.25f : 0.f;
    const TestBatch batch = {3, 1, 1, {0, 2, 1}, {0, 0.5f, 1}};
    EXPECT_THAT(runner.Predict(batch.Rows())[0], ElementsAre(b0, b1, b0 + 5, b1 + 50, b0 + 3, b1 + 30));
  }
}

TEST(PiecewiseProducts, Gradients) {
  for (const bool others : {false, true}) {
    const Graph graph = MakeGraph({.sum = true, .others = others});
    for (const int64_t slice_rows : {7, 256}) {
      GraphRunner runner(graph, {.threads = 2, .slice_rows = slice_rows});
      CheckGradients(graph, runner, MakeBatch(40).Rows());
    }
  }
}

TEST(PiecewiseProducts, WideProductsKeepFeaturesOfFewPieces) {
  Graph graph;
  const Value x = Concat(graph, "input", {Pieces(graph, "few", 0, 0, 15), Pieces(graph, "many", 1, 1, 16)});
  graph.AddOutput("wide", Dense(graph, x, {1, 65}, "wide"));
  graph.AddOutput("narrow", Dense(graph, x, {1, 64}, "narrow"));
  Graph before;
  const Value y = Concat(before, "input", {Pieces(before, "few", 0, 0, 15), Pieces(before, "many", 1, 1, 16)});
  before.AddOutput("wide", Dense(before, y, {1, 65}, "wide"));
  before.AddOutput("narrow", Dense(before, y, {1, 64}, "narrow"));
  SumInsteadOfPieces(graph);
  EXPECT_THAT(graph.Describe(), HasSubstr("15 linear pieces, written out"));
  EXPECT_THAT(graph.Describe(), Not(HasSubstr("16 linear pieces, written out")));
  EXPECT_THAT(graph.Describe(), HasSubstr("2 piecewise-linear columns"));
  ExpectTheSameModel(before, graph, MakeTestBatch(100, {15, 16}, 2, 4), 64);
}

TEST(PiecewiseProducts, PiecesThatAreReadOtherwiseStay) {
  Graph graph;
  const Value pieces = Pieces(graph, "a", 0, 0, 2);
  graph.AddOutput("summed", Dense(graph, pieces, {1, 1}, "d", false));
  graph.AddOutput("as it is", pieces);
  SumInsteadOfPieces(graph);
  GraphRunner runner(graph);
  runner.Write("d.weight", {3, 5});
  const TestBatch batch = {2, 1, 1, {0, 1}, {0.5f, 0.5f}};
  EXPECT_THAT(runner.Predict(batch.Rows()), ElementsAre(ElementsAre(1.5f, 5.5f), ElementsAre(0.5f, 0, 1, 0.5f)));
}

TEST(PiecewiseProducts, AGraphWithoutPiecesIsLeftAlone) {
  Graph graph;
  graph.AddOutput("y", Dense(graph, Numbers(graph, "x", 0, 2), {1, 1}, "y"));
  const std::string before = graph.Describe();
  SumInsteadOfPieces(graph);
  EXPECT_EQ(graph.Describe(), before);
  EXPECT_TRUE(graph.derived_tables.empty());
}

}  // namespace
}  // namespace manygate
