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
