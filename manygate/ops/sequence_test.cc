// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/sequence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/mix.h"

namespace manygate {
namespace {

using testing::Each;
using testing::ElementsAre;

const float kEnd = std::nanf("");
const Initializer kUniform = {Initializer::Kind::kUniform, -1.f, 1.f};

// Lists as MakeValueBatch makes them, of which every third is empty.
TestBatch BatchWithEmptyLists(int64_t rows, const std::vector<ValueColumn>& columns, int64_t number_width) {
  TestBatch batch = MakeValueBatch(rows, columns, number_width, 4);
  int64_t slot = 0;
  for (const ValueColumn& column : columns) {
    for (int64_t r = slot % 3; r < rows; r += 3)
      std::fill_n(batch.ids.begin() + r * batch.id_slots + slot, column.num_slots,
                  static_cast<int32_t>(column.vocabulary));
    slot += column.num_slots;
  }
  return batch;
}

TEST(Sequence, IdsAndNumbersSideBySideWithZerosPastTheEnd) {
  Graph graph;
  const int table = AddEmbedding(graph, "t", 4, 2, {});
  const SequencePart ids = {.slots = {1, 3}, .table = table};
  const SequencePart numbers = {.number_offset = 1, .width = 2, .positions = 2};
  const Value sequence = Sequence(graph, "s", {ids, numbers}, 3);
  EXPECT_EQ(graph.shape(sequence), (Shape{3, 4}));
  EXPECT_EQ(graph.node(sequence).op->Describe(), "sequence of up to 3 positions");
  const Value length = SequenceLength(graph, "ids.length", ids);
  EXPECT_EQ(graph.node(length).op->Describe(), "length of a sequence, at most 3");
  graph.AddOutput("s", sequence);
  graph.AddOutput("ids", length);
  graph.AddOutput("numbers", SequenceLength(graph, "numbers.length", numbers));
  GraphRunner runner(graph);
  runner.Write("embeddings.t.weight", {1, 10, 2, 20, 3, 30, 4, 40});
  // Slots 1 .. 3: 3, 0, end; all of 1, 1, 2; none. What stands behind an end is not read. Numbers 1 .. 4.
  const TestBatch batch = {
      3, 4, 5, {0, 3, 0, 4, 0, 1, 1, 2, 0, 4, 0, 0}, {9, 5, 6, kEnd, 0, 9, kEnd, 7, 7, 7, 9, 1, 2, 3, 4}};

  const auto y = runner.Predict(batch.Rows());
  EXPECT_THAT(y[0], ElementsAre(4, 40, 5, 6, 1, 10, 0, 0, 0, 0, 0, 0,   //
                                2, 20, 0, 0, 2, 20, 0, 0, 3, 30, 0, 0,  //
                                0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0));
  EXPECT_THAT(y[1], ElementsAre(2, 3, 0));
  EXPECT_THAT(y[2], ElementsAre(1, 0, 2));
}

// One slot is a sequence of one position or none; fewer slots than the record has cut the sequence short.
TEST(Sequence, OnePositionOrNone) {
  Graph graph;
  const int table = AddEmbedding(graph, "t", 2, 1, {});
  const SequencePart part = {.slots = 0, .table = table};
  graph.AddOutput("s", Sequence(graph, "s", {part}, 1));
  graph.AddOutput("length", SequenceLength(graph, "length", part));
  GraphRunner runner(graph);
  runner.Write("embeddings.t.weight", {5, 6});
  const TestBatch batch = {3, 2, 0, {2, 2, 1, 0, 0, 2}, {}};
  const RunResult result = runner.Train(batch.Rows());
  EXPECT_THAT(result.logits[0], ElementsAre(0, 6, 5));
  EXPECT_THAT(result.logits[1], ElementsAre(0, 1, 1));
}

TEST(Sequence, TouchesTheRowsOfItsPositionsAndNoOther) {
  Graph graph;
  const int table = AddEmbedding(graph, "t", 5, 1, kUniform);
  graph.AddOutput("s", Sequence(graph, "s", {{.slots = {0, 3}, .table = table}}, 3));
  GraphRunner runner(graph);
  const TestBatch batch = {3, 3, 0, {3, 5, 1, 5, 2, 2, 0, 3, 5}, {}};
  const std::vector<float> gradient = runner.Train(batch.Rows()).gradients[0];
  EXPECT_THAT(runner.store().tables()[0]->touched(), ElementsAre(ElementsAre(3, 0)));
  EXPECT_NE(gradient[3], 0);
  EXPECT_NE(gradient[0], 0);
  EXPECT_THAT((std::vector<float>{gradient[1], gradient[2], gradient[4]}), Each(0)) << "rows behind an end";
}

TEST(SequencePool, SumAndMeanOverTheLength) {
  Graph graph;
  const SequencePart part = {.number_offset = 0, .width = 2, .positions = 3};
  const Value sequence = Sequence(graph, "s", {part}, 3), length = SequenceLength(graph, "length", part);
  const Value sum = SequencePool(graph, sequence, length, Pooling::kSum, "sum");
  const Value mean = SequencePool(graph, sequence, length, Pooling::kMean, "mean");
  EXPECT_EQ(graph.shape(sum), (Shape{1, 2}));
  EXPECT_EQ(graph.node(sum).op->Describe(), "sum over positions");
  EXPECT_EQ(graph.node(mean).op->Describe(), "mean over positions");
  graph.AddOutput("sum", sum);
  graph.AddOutput("mean", mean);
  GraphRunner runner(graph);
  const TestBatch batch = NumberBatch(6, {1, 2, 3, 4, kEnd, 0, kEnd, 0, 3, 4, 5, 6, 1, 10, 1, 20, 4, 60});
  const auto y = runner.Predict(batch.Rows());
  EXPECT_THAT(y[0], ElementsAre(4, 6, 0, 0, 6, 90));
  EXPECT_THAT(y[1], ElementsAre(2, 3, 0, 0, 2, 30));
}

// A table that two parts of one sequence, another sequence and a plain look-up share; every kind of reader of a sequence.
Graph SharedTableGraph() {
  Graph graph;
  const int shared = AddEmbedding(graph, "shared", 4, 3, kUniform), own = AddEmbedding(graph, "own", 5, 2, kUniform);
  const SequencePart first = {.slots = {0, 4}, .table = shared}, second = {.slots = {4, 3}, .table = shared};
  const SequencePart third = {.slots = {7, 4}, .table = own};
  const Value sequence = Sequence(graph, "s", {first, {.number_offset = 0, .width = 1, .positions = 4}, second}, 4);
  const Value other = Sequence(graph, "t", {third, first}, 4);
  const Value length = SequenceLength(graph, "length", first);
  graph.AddOutput("a", Dense(graph, sequence, {1, 2}, "a"));
  graph.AddOutput("b", SequencePool(graph, sequence, length, Pooling::kSum, "sum"));
  graph.AddOutput("c", SequencePool(graph, other, SequenceLength(graph, "other", third), Pooling::kMean, "mean"));
  graph.AddOutput("d", Lookup(graph, "lookup", 11, shared));
  return graph;
}

const std::vector<ValueColumn> kColumns = {{4, 4}, {4, 3}, {5, 4}};

TestBatch SharedTableBatch(int64_t rows) {
  const TestBatch lists = BatchWithEmptyLists(rows, kColumns, 4);
  TestBatch batch = lists;
  batch.id_slots = 12;
  batch.ids.clear();
  for (int64_t r = 0; r < rows; ++r) {
    batch.ids.insert(batch.ids.end(), lists.ids.begin() + r * 11, lists.ids.begin() + (r + 1) * 11);
    batch.ids.push_back(static_cast<int32_t>(r % 4));
    batch.numbers[4 * r + r % 4] = r % 2 == 0 ? kEnd : 0.5f;
  }
  return batch;
}

TEST(Sequence, GradientsOfSharedTables) {
  const Graph graph = SharedTableGraph();
  for (const int64_t slice_rows : {256, 5}) {
    GraphRunner runner(graph, {.threads = 2, .slice_rows = slice_rows});
    CheckGradients(graph, runner, SharedTableBatch(16).Rows());
  }
}

TEST(Sequence, ThreadsDoNotShow) {
  const Graph graph = SharedTableGraph();
  const TestBatch batch = SharedTableBatch(100);
  GraphRunner one(graph, {.threads = 1, .slice_rows = 9}), three(graph, {.threads = 3, .slice_rows = 9});
  for (int repeat = 0; repeat < 5; ++repeat) {
    const RunResult want = one.Train(batch.Rows()), got = three.Train(batch.Rows());
    for (size_t i = 0; i < want.gradients.size(); ++i)
      EXPECT_TRUE(SameBits(got.gradients[i], want.gradients[i])) << graph.parameters[i].name;
    for (size_t t = 0; t < want.logits.size(); ++t) EXPECT_TRUE(SameBits(got.logits[t], want.logits[t])) << t;
  }
}

// Weighted ids: the sequence times one number per position, which is 0 past the end.
TEST(Sequence, WeightsFromNumbers) {
  Graph graph;
  const int table = AddEmbedding(graph, "t", 3, 2, kUniform);
  const Value sequence = Sequence(graph, "s", {{.slots = {0, 3}, .table = table}}, 3);
  graph.AddOutput("y", Mix(graph, sequence, Numbers(graph, "weights", 0, 3), "mix"));
  GraphRunner runner(graph);
  TestBatch batch = {3, 3, 3, {2, 0, 3, 3, 0, 0, 1, 1, 2}, {0.5f, 2, 0, 0, 0, 0, 1, -1, 3}};
  CheckGradients(graph, runner, batch.Rows());
  runner.Write("embeddings.t.weight", {1, 10, 2, 20, 4, 40});
  EXPECT_THAT(runner.Predict(batch.Rows())[0], ElementsAre(4, 40, 0, 0, 12, 120));
}

TEST(SequenceDeathTest, APartHasNoMorePositionsThanTheSequence) {
  Graph graph;
  const SequencePart part = {.number_offset = 0, .width = 2, .positions = 4};
  EXPECT_DEATH(Sequence(graph, "s", {part}, 3), "s: a part of 4 positions, a sequence of 3");
  EXPECT_DEATH(SequenceLength(graph, "l", SequencePart{}), "l: a part of 0 positions");
  EXPECT_DEATH(Sequence(graph, "s", {}, 3), "s: a sequence of nothing");
}

}  // namespace
}  // namespace manygate
