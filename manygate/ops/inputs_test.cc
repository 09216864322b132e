// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

TEST(Inputs, NumbersOneHotAndLookupSideBySide) {
  Graph graph;
  const int table = AddEmbedding(graph, "t", 3, 2, {});
  EXPECT_EQ(graph.parameters[0].name, "embeddings.t.weight");
  EXPECT_THAT(graph.parameters[0].shape, ElementsAre(3, 2));
  graph.AddOutput(
      "y", Concat(graph, "all", {Numbers(graph, "x", 1, 2), OneHot(graph, "a", 1, 3), Lookup(graph, "b", 0, table)}));
  GraphRunner runner(graph);
  runner.Write("embeddings.t.weight", {1, 2, 3, 4, 5, 6});
  const TestBatch batch = {2, 2, 3, {2, 0, 1, 2}, {-1, 0.5f, 0.25f, -1, 7, 8}};

  EXPECT_THAT(runner.Predict(batch.Rows())[0], ElementsAre(0.5f, 0.25f, 1, 0, 0, 5, 6, 7, 8, 0, 0, 1, 3, 4));
}

TEST(Inputs, SeveralValuesAreSummedAveragedOrCounted) {
  for (const Pooling pooling : {Pooling::kSum, Pooling::kMean}) {
    Graph graph;
    const int table = AddEmbedding(graph, "t", 4, 2, {});
    graph.AddOutput("y", Concat(graph, "all",
                                {Lookup(graph, "b", {1, 3}, table, -1, pooling), OneHot(graph, "a", {1, 3}, 4),
                                 OneHot(graph, "c", 0, 2)}));
    GraphRunner runner(graph);
    runner.Write("embeddings.t.weight", {1, 10, 2, 20, 4, 40, 8, 80});
    // 3 and 0; 2 twice and 1; 1 alone. 4 is "no more values"; what stands behind it is not read.
    const TestBatch batch = {3, 4, 0, {1, 3, 0, 4, 0, 2, 1, 2, 1, 1, 4, 4}, {}};
    const auto y = runner.Predict(batch.Rows())[0];
    if (pooling == Pooling::kSum) {
      EXPECT_THAT(y, ElementsAre(9, 90, 1, 0, 0, 1, 0, 1, 10, 100, 0, 1, 2, 0, 1, 0, 2, 20, 0, 1, 0, 0, 0, 1));
    } else {
      EXPECT_THAT(y, ElementsAre(4.5f, 45, 1, 0, 0, 1, 0, 1, FloatEq(10 / 3.f), FloatEq(100 / 3.f), 0, 1, 2, 0, 1, 0, 2,
                                 20, 0, 1, 0, 0, 0, 1));
    }
    EXPECT_EQ(graph.node(0).op->Describe(), pooling == Pooling::kSum ? "sum of up to 3 embeddings of 4 values"
                                                                     : "mean of up to 3 embeddings of 4 values");
    EXPECT_EQ(runner.Predict(batch.Rows(2, 1))[0], std::vector<float>(y.begin() + 16, y.end())) << "a row alone";
  }
}

// With one slot there is nothing to average, and no room is kept for it.
TEST(Inputs, TheMeanOfOneValueIsThatValue) {
  Graph graph;
  const int table = AddEmbedding(graph, "t", 3, 2, {});
  graph.AddOutput("y", Lookup(graph, "b", 0, table, -1, Pooling::kMean));
  EXPECT_EQ(graph.node(0).op->Traits({}).workspace_per_row, 2);
  EXPECT_EQ(graph.node(0).op->Describe(), "embedding of 3 values");
}

TEST(Concat, OneValueStaysAsItIs) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 2);
  EXPECT_EQ(Concat(graph, "one", {x}), x);
  EXPECT_EQ(graph.nodes.size(), 1u);
}

TEST(SliceColumns, IsAViewOfItsColumns) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 5);
  const Value y = SliceColumns(graph, "slice", x, 1, {2, 2});
  graph.AddOutput("y", y);
  EXPECT_EQ(graph.node(y).op->Describe(), "columns 1..4, a view");
  GraphRunner runner(graph);
  EXPECT_THAT(runner.Predict(NumberBatch(5, {0, 1, 2, 3, 4, 10, 11, 12, 13, 14}).Rows())[0],
              ElementsAre(1, 2, 3, 4, 11, 12, 13, 14));
}

// Two columns of one table in one row, an embedding of odd width, and a concat that two products read.
TEST(Inputs, Gradients) {
  Graph graph;
  const Initializer initial = {Initializer::Kind::kUniform, -1.f, 1.f};
  const int shared = AddEmbedding(graph, "shared", 3, 3, initial), own = AddEmbedding(graph, "own", 2, 1, initial);
  const Value hidden = Dense(graph, Numbers(graph, "x", 0, 2), {1, 2}, "hidden");
  const Value all = Concat(graph, "all",
                           {OneHot(graph, "a", 0, 3), Lookup(graph, "b", 1, shared), hidden,
                            Lookup(graph, "c", 2, shared), Lookup(graph, "d", 3, own)});
  graph.AddOutput("y", Dense(graph, all, {1, 2}, "y"));
  graph.AddOutput("z", Dense(graph, all, {1, 1}, "z"));
  graph.AddOutput("h", Dense(graph, hidden, {1, 1}, "h"));
  for (const int64_t slice_rows : {256, 5}) {
    GraphRunner runner(graph, {.threads = 2, .slice_rows = slice_rows});
    CheckGradients(graph, runner, MakeTestBatch(16, {3, 3, 3, 2}, 2, 4).Rows());
  }
}

// Sum, mean and counts of several values; two features of one table; values that a row has twice.
TEST(Inputs, GradientsOfSeveralValues) {
  Graph graph;
  const Initializer initial = {Initializer::Kind::kUniform, -1.f, 1.f};
  const int shared = AddEmbedding(graph, "shared", 3, 3, initial), own = AddEmbedding(graph, "own", 5, 2, initial);
  const Value all = Concat(graph, "all",
                           {Lookup(graph, "a", {0, 4}, shared, -1, Pooling::kMean), Numbers(graph, "x", 0, 1),
                            Lookup(graph, "b", {4, 3}, shared), Lookup(graph, "c", {7, 2}, own, -1, Pooling::kMean),
                            OneHot(graph, "d", {7, 2}, 5)});
  graph.AddOutput("y", Dense(graph, all, {1, 2}, "y"));
  for (const int64_t slice_rows : {256, 5}) {
    GraphRunner runner(graph, {.threads = 2, .slice_rows = slice_rows});
    CheckGradients(graph, runner, MakeValueBatch(16, {{3, 4}, {3, 3}, {5, 2}}, 1, 4).Rows());
  }
}

TEST(SliceColumns, GradientsOfDisjointColumns) {
  Graph graph;
  const Value wide = Dense(graph, Numbers(graph, "x", 0, 3), {1, 5}, "wide");
  graph.AddOutput("a", Dense(graph, SliceColumns(graph, "left", wide, 0, {1, 2}), {1, 2}, "a"));
  graph.AddOutput("b", DenseBank(graph, SliceColumns(graph, "right", wide, 2, {3, 1}), 2, "b"));
  GraphRunner runner(graph);
  CheckGradients(graph, runner, MakeTestBatch(6, {}, 3, 1).Rows());
}

}  // namespace
}  // namespace manygate
