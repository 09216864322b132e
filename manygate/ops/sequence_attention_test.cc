// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/sequence_attention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/mix.h"
#include "manygate/ops/sequence.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

TEST(AttentionInput, QueryPositionDifferenceAndProduct) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 8);
  const Value sequence = SliceColumns(graph, "sequence", x, 2, {2, 3});
  const Value y = AttentionInput(graph, SliceColumns(graph, "query", x, 0, {1, 2}), sequence, "y");
  EXPECT_EQ(graph.shape(y), (Shape{2, 12}));
  EXPECT_EQ(graph.node(y).op->Describe(), "query, position, difference and product");
  graph.AddOutput("y", y);
  GraphRunner runner(graph);
  EXPECT_THAT(runner.Predict(NumberBatch(8, {2, 3, 10, 20, 30, -1, 5, 7}).Rows())[0],
              ElementsAre(2, 3, 0, 10, 20, 30, -8, -17, -30, 20, 60, 0,  //
                          2, 3, 0, -1, 5, 7, 3, -2, -7, -2, 15, 0));
}

TEST(PositionScores, AreProductsWithTheQuery) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 8);
  const Value sequence = SliceColumns(graph, "sequence", x, 2, {3, 2});
  const Value y = PositionScores(graph, SliceColumns(graph, "query", x, 0, {1, 2}), sequence, "y");
  EXPECT_EQ(graph.shape(y), (Shape{1, 3}));
  EXPECT_EQ(graph.node(y).op->Describe(), "query times each position");
  graph.AddOutput("y", y);
  GraphRunner runner(graph);
  EXPECT_THAT(runner.Predict(NumberBatch(8, {2, 3, 10, 20, 0, 0, -1, 1}).Rows())[0], ElementsAre(80, 0, 1));
}

TEST(MaskedSoftmax, SharesOfThePositionsBeforeTheEnd) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 4);
  const Value length = SliceColumns(graph, "length", x, 0, {1, 1});
  const Value scores = SliceColumns(graph, "scores", x, 1, {3, 1});
  const Value y = MaskedSoftmax(graph, scores, length, "y");
  EXPECT_EQ(graph.shape(y), (Shape{1, 3}));
  EXPECT_EQ(graph.node(y).op->Describe(), "softmax over the positions before the end");
  graph.AddOutput("y", y);
  GraphRunner runner(graph);
  const float log2 = std::log(2.f), log5 = std::log(5.f), nan = std::nanf("");
  // Scores past the end do not matter, whatever they are.
  const TestBatch batch = NumberBatch(4, {3, 0, log2, log5, 2, log2, 0, 90, 1, -90, 7, nan, 0, nan, 1, 2});
  EXPECT_THAT(runner.Predict(batch.Rows())[0], ElementsAre(FloatEq(0.125f), FloatEq(0.25f), FloatEq(0.625f),
                                                           FloatEq(2 / 3.f), FloatEq(1 / 3.f), 0, 1, 0, 0, 0, 0, 0));
}

// A query and a sequence that learn, each with several readers; lengths 0 to 3. Q < S in the first use of the query.
TEST(SequenceAttention, Gradients) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 2);
  const SequencePart clicks = {.number_offset = 2, .width = 1, .positions = 3};
  const Value length = SequenceLength(graph, "length", clicks);
  const Value sequence = Dense(graph, x, {3, 3}, "sequence");
  const Value query = Dense(graph, x, {1, 2}, "query"), whole = Dense(graph, x, {1, 3}, "whole");
  const Value input = AttentionInput(graph, query, sequence, "input");
  graph.AddOutput("input", Dense(graph, input, {1, 2}, "scores"));
  graph.AddOutput("again", Dense(graph, AttentionInput(graph, whole, sequence, "more"), {1, 2}, "again"));
  const Value scores = PositionScores(graph, whole, sequence, "products");
  const Value weights = MaskedSoftmax(graph, scores, length, "softmax");
  graph.AddOutput("y", Mix(graph, sequence, weights, "mix"));
  graph.AddOutput("scores", scores);
  graph.AddOutput("short", PositionScores(graph, query, Dense(graph, x, {2, 2}, "other"), "short"));
  TestBatch batch = MakeTestBatch(8, {}, 5, 2);
  for (int64_t r = 0; r < 8; ++r)
    if (r % 4 < 3) batch.numbers[5 * r + 2 + r % 4] = std::nanf("");
  for (const int64_t slice_rows : {256, 3}) {
    GraphRunner runner(graph, {.threads = 2, .slice_rows = slice_rows});
    CheckGradients(graph, runner, batch.Rows(), 4e-3);
  }
}

// The query's gradient has one writer, the sequence none.
TEST(SequenceAttention, GradientsOfTheQueryAlone) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 8);
  const Value sequence = SliceColumns(graph, "sequence", x, 2, {3, 2});
  const Value query = Dense(graph, SliceColumns(graph, "two", x, 0, {1, 2}), {1, 2}, "query");
  graph.AddOutput("y", Dense(graph, AttentionInput(graph, query, sequence, "input"), {1, 1}, "y"));
  const Value alone = Dense(graph, SliceColumns(graph, "more", x, 0, {1, 2}), {1, 2}, "alone");
  graph.AddOutput("z", PositionScores(graph, alone, sequence, "z"));
  GraphRunner runner(graph);
  CheckGradients(graph, runner, MakeTestBatch(6, {}, 8, 3).Rows());
}

TEST(SequenceAttentionDeathTest, Shapes) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 6);
  const Value sequence = SliceColumns(graph, "sequence", x, 0, {3, 2});
  EXPECT_DEATH(AttentionInput(graph, x, sequence, "a"), "a: a query of 6 numbers, positions of 2");
  EXPECT_DEATH(PositionScores(graph, x, sequence, "b"), "b: a query of 6 numbers, positions of 2");
  EXPECT_DEATH(MaskedSoftmax(graph, sequence, x, "c"), "c: 2 scores at each of 3 positions");
  EXPECT_DEATH(MaskedSoftmax(graph, x, x, "d"), "d: 6 lengths per row");
}

}  // namespace
}  // namespace manygate
