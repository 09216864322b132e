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
#include "manygate/ops/sequence_dense.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::FloatEq;

// Column n of W picks one number: of the query, of the position, of their difference, of their product.
TEST(AttentionDense, QueryPositionDifferenceAndProduct) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 9);
  const Attention inputs = {.query = SliceColumns(graph, "query", x, 1, {1, 2}),
                            .sequence = SliceColumns(graph, "sequence", x, 3, {2, 3}),
                            .length = SliceColumns(graph, "length", x, 0, {1, 1})};
  const Value y = AttentionDense(graph, inputs, 5, "y");
  EXPECT_EQ(graph.shape(y), (Shape{2, 5}));
  EXPECT_EQ(graph.node(y).op->Describe(), "query, position, difference and product, dense to 5");
  ASSERT_EQ(graph.parameters.size(), 2u);
  EXPECT_EQ(graph.parameters[0].name, "y.weight");
  EXPECT_EQ(graph.parameters[0].initializer.b, 1 / std::sqrt(12.f));
  EXPECT_THAT(graph.parameters[0].shape, ElementsAre(12, 5));
  EXPECT_THAT(graph.parameters[1].shape, ElementsAre(5));
  graph.AddOutput("y", y);
  graph.AddOutput("z", AttentionDense(graph, inputs, 1, "z", false));
  GraphRunner runner(graph);
  std::vector<float> weight(60, 0.f);
  weight[1 * 5 + 0] = 1;   // q_1
  weight[5 * 5 + 1] = 1;   // s_2
  weight[6 * 5 + 2] = 1;   // q_0 − s_0
  weight[8 * 5 + 3] = 1;   // 0 − s_2
  weight[10 * 5 + 4] = 1;  // q_1 s_1
  runner.Write("y.weight", weight);
  runner.Write("y.bias", {0.5f, 0, 0, 0, -1});
  runner.Write("z.weight", std::vector<float>(12, 1));
  // The second row ends after one position, the third has none.
  const TestBatch batch = NumberBatch(9, {2, 2, 3, 10, 20, 30, -1, 5, 7,  //
                                          1, 1, 2, 3,  4,  5,  9,  9, 9,  //
                                          0, 1, 2, 3,  4,  5,  9,  9, 9});
  const auto out = runner.Predict(batch.Rows());
  EXPECT_THAT(out[0], ElementsAre(3.5f, 30, -8, -30, 59, 3.5f, 7, 3, -7, 14,  //
                                  2.5f, 5, -2, -5, 7, 0, 0, 0, 0, 0,          //
                                  0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  // Σ (q + s + q − s + q s) = 2 Σ q + Σ q s: 10 + 80, 10 + 13; 6 + 11.
  EXPECT_THAT(out[1], ElementsAre(90, 23, 17, 0, 0, 0));
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
  graph.AddOutput("short query", AttentionDense(graph, {query, sequence, length}, 2, "first"));
  graph.AddOutput("whole query", AttentionDense(graph, {whole, sequence, length}, 1, "second", false));
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
  const SequencePart part = {.number_offset = 2, .width = 2, .positions = 3};
  const Value query = Dense(graph, SliceColumns(graph, "two", x, 0, {1, 2}), {1, 2}, "query");
  graph.AddOutput("y", AttentionDense(graph, {query, sequence, SequenceLength(graph, "length", part)}, 2, "y"));
  const Value alone = Dense(graph, SliceColumns(graph, "more", x, 0, {1, 2}), {1, 2}, "alone");
  graph.AddOutput("z", PositionScores(graph, alone, sequence, "z"));
  GraphRunner runner(graph);
  CheckGradients(graph, runner, MakeTestBatch(6, {}, 8, 3).Rows());
}

// The sequence alone learns, and a row's numbers do not depend on its slice.
TEST(SequenceAttention, GradientsOfTheSequenceAlone) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 6);
  const SequencePart part = {.number_offset = 0, .width = 2, .positions = 3};
  const Value sequence = SharedDense(graph, Sequence(graph, "s", {part}, 3), 3, "sequence");
  const Value query = SliceColumns(graph, "query", x, 0, {1, 2}), length = SequenceLength(graph, "length", part);
  graph.AddOutput("y", AttentionDense(graph, {query, sequence, length}, 2, "y"));
  TestBatch batch = MakeTestBatch(9, {}, 6, 3);
  for (int64_t r = 0; r < 9; ++r)
    if (r % 3 > 0) batch.numbers[6 * r + 2 * (r % 3)] = std::nanf("");
  GraphRunner whole(graph), three(graph, {.threads = 3, .slice_rows = 2}), one(graph, {.slice_rows = 2});
  CheckGradients(graph, whole, batch.Rows());
  const RunResult got = three.Train(batch.Rows()), want = one.Train(batch.Rows());
  for (size_t i = 0; i < want.gradients.size(); ++i) EXPECT_TRUE(SameBits(got.gradients[i], want.gradients[i])) << i;
  EXPECT_TRUE(SameBits(whole.Train(batch.Rows()).logits[0], want.logits[0]));
}

TEST(SequenceAttentionDeathTest, Shapes) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 6);
  const Value sequence = SliceColumns(graph, "sequence", x, 0, {3, 2});
  EXPECT_DEATH(AttentionDense(graph, {x, sequence, x}, 1, "a"), "a: a query of 6 numbers, positions of 2");
  const Value query = SliceColumns(graph, "query", x, 0, {1, 2});
  EXPECT_DEATH(AttentionDense(graph, {query, sequence, x}, 1, "a"), "a: 6 lengths per row");
  EXPECT_DEATH(PositionScores(graph, x, sequence, "b"), "b: a query of 6 numbers, positions of 2");
  EXPECT_DEATH(MaskedSoftmax(graph, sequence, x, "c"), "c: 2 scores at each of 3 positions");
  EXPECT_DEATH(MaskedSoftmax(graph, x, x, "d"), "d: 6 lengths per row");
}

}  // namespace
}  // namespace manygate
