// SPDX-License-Identifier: Apache-2.0
#include "manygate/graph/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "manygate/ops/mmoe_graph_testing.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr MmoeChoice kAsWired = {.default_id = 0, .dropout = 0.2f};
constexpr MmoeChoice kRewritten = {.merge = true, .look_up = true, .default_id = 0, .dropout = 0.2f};
constexpr MmoeChoice kWithoutDefaults = {.merge = true, .look_up = true, .dropout = 0.2f};

void ExpectSame(const RunResult& got, const RunResult& want) {
  EXPECT_EQ(got.loss, want.loss);
  for (size_t t = 0; t < want.logits.size(); ++t)
    EXPECT_TRUE(SameBits(got.logits[t], want.logits[t])) << "output " << t;
  for (size_t i = 0; i < want.gradients.size(); ++i)
    EXPECT_TRUE(SameBits(got.gradients[i], want.gradients[i])) << "parameter " << i;
}

TEST(Executor, ThreadsDoNotChangeABit) {
  for (const MmoeChoice& choice : {kAsWired, kRewritten, kWithoutDefaults}) {
    const Graph graph = MakeMmoeGraph(choice);
    const TestBatch batch = MakeMmoeBatch(1000);
    GraphRunner one(graph, {.threads = 1, .slice_rows = 64});
    for (const int threads : {2, 3, 4}) {
      GraphRunner several(graph, {.threads = threads, .slice_rows = 64});
      for (const int64_t rows : {1, 31, 256, 257, 1000}) {
        SCOPED_TRACE(fmt::format("{} threads, {} rows", threads, rows));
        const RunResult want = one.Train(batch.Rows(0, rows), 3);
        EXPECT_GT(want.loss, 0);
        for (int repeat = 0; repeat < 3; ++repeat) ExpectSame(several.Train(batch.Rows(0, rows), 3), want);
      }
    }
  }
}

TEST(Executor, PredictsARowAloneAsInAnyBatch) {
  for (const MmoeChoice& choice : {kAsWired, kRewritten, kWithoutDefaults}) {
    const Graph graph = MakeMmoeGraph(choice);
    const TestBatch batch = MakeMmoeBatch(1000);
    GraphRunner runner(graph, {.threads = 2, .slice_rows = 64});
    const auto whole = runner.Predict(batch.Rows());
    for (const int64_t row : {0, 63, 64, 500, 994}) {
      const auto alone = runner.Predict(batch.Rows(row, 1));
      const auto five = runner.Predict(batch.Rows(row, 5));
      for (size_t t = 0; t < whole.size(); ++t) {
        EXPECT_TRUE(SameBits({whole[t][row]}, alone[t])) << "row " << row;
        EXPECT_TRUE(SameBits({whole[t].begin() + row, whole[t].begin() + row + 5}, five[t])) << "row " << row;
      }
    }
  }
}

TEST(Executor, SlicesAddUpToTheWholeBatch) {
  const Graph graph = MakeMmoeGraph({.merge = true, .look_up = true, .default_id = 0});
  const TestBatch batch = MakeMmoeBatch(257);
  GraphRunner sliced(graph, {.threads = 2, .slice_rows = 64}), whole(graph, {.slice_rows = 1024});
  const RunResult got = sliced.Train(batch.Rows()), want = whole.Train(batch.Rows());
  EXPECT_EQ(sliced.executor().NumSlices(257), 5);
  EXPECT_EQ(whole.executor().NumSlices(257), 1);
  EXPECT_NEAR(got.loss, want.loss, 1e-9 * want.loss);
  for (size_t t = 0; t < want.logits.size(); ++t) EXPECT_TRUE(SameBits(got.logits[t], want.logits[t]));
  for (size_t i = 0; i < want.gradients.size(); ++i)
    for (size_t j = 0; j < want.gradients[i].size(); ++j)
      EXPECT_NEAR(got.gradients[i][j], want.gradients[i][j], 1e-4) << graph.parameters[i].name << " [" << j << "]";
}

TEST(Executor, TrainingLeavesPredictionsBehindThatTheParametersGive) {
  // The default rows' sums of the last training batch must not stay in use when the parameters have changed.
  const Graph graph = MakeMmoeGraph(kRewritten), plain = MakeMmoeGraph({});
  const TestBatch batch = MakeMmoeBatch(100);
  GraphRunner runner(graph, {.slice_rows = 64}), reference(plain, {.slice_rows = 64});
  runner.Train(batch.Rows(0, 10));
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    std::vector<float> values = runner.store().Read(static_cast<int>(i));
    for (float& value : values) value *= 1.5f;
    runner.store().Write(static_cast<int>(i), values);
    reference.Write(graph.parameters[i].name, values);
  }
  const auto got = runner.Predict(batch.Rows()), want = reference.Predict(batch.Rows());
  for (size_t t = 0; t < want.size(); ++t)
    for (size_t r = 0; r < want[t].size(); ++r) EXPECT_NEAR(got[t][r], want[t][r], 1e-5) << r;
}

TEST(Executor, EverySliceComesOnceWithItsRows) {
  const Graph graph = MakeMmoeGraph();
  const TestBatch batch = MakeMmoeBatch(130);
  ThreadPool pool(2);
  ParameterStore store(graph, {});
  Executor executor(graph, store, {.slice_rows = 64}, pool);
  std::vector<int64_t> first(3, -1), rows(3, -1);
  executor.ParametersChanged();
  executor.Forward(batch.Rows(), [&](const Slice& slice) {
    first[slice.index] = slice.first_row;
    rows[slice.index] = slice.rows;
  });
  EXPECT_THAT(first, ElementsAre(0, 64, 128));
  EXPECT_THAT(rows, ElementsAre(64, 64, 2));
  EXPECT_EQ(executor.NumSlices(0), 0);
  executor.Forward(batch.Rows(0, 0), [](const Slice&) { FAIL() << "no rows, no slice"; });
}

TEST(Executor, ShowsValuesInsideTheGraph) {
  Graph graph = MakeMmoeGraph(kRewritten), shown = MakeMmoeGraph(kRewritten);
  // Every value of the graph, one after the other, as a probe of one graph and as an output of the other.
  const TestBatch batch = MakeMmoeBatch(130);
  ThreadPool pool(2);
  ParameterStore store(graph, {}), shown_store(shown, {});
  store.Initialize(3);
  shown_store.Initialize(3);
  const size_t towers = graph.outputs.size();
  for (Value value = 0; value < static_cast<Value>(graph.nodes.size()); ++value) {
    const int64_t width = graph.shape(value).size();
    shown.outputs.push_back({"probe", value});
    Executor executor(graph, store, {.slice_rows = 64, .probes = {value}}, pool);
    Executor reference(shown, shown_store, {.slice_rows = 64}, pool);
    std::vector<std::vector<float>> got(130), want(130);
    const auto copy = [&](const Slice& slice, const View& probe, std::vector<std::vector<float>>& rows) {
      for (int64_t r = 0; r < slice.rows; ++r) {
        const float* row = probe.data + r * probe.stride;
        rows[slice.first_row + r].assign(row, row + width);
        for (size_t t = 0; t < towers; ++t)
          rows[slice.first_row + r].push_back(slice.logits[t].data[r * slice.logits[t].stride]);
      }
    };
    executor.ParametersChanged();
    executor.Forward(batch.Rows(), [&](const Slice& slice) { copy(slice, slice.probes[0], got); });
    reference.ParametersChanged();
    reference.Forward(batch.Rows(), [&](const Slice& slice) { copy(slice, slice.logits[towers], want); });
    for (size_t r = 0; r < want.size(); ++r)
      EXPECT_TRUE(SameBits(got[r], want[r])) << graph.node(value).name << ", row " << r;
    shown.outputs.pop_back();
  }
}

TEST(Executor, TouchNamesTheRowsOfTheBatch) {
  Graph graph;
  const int table = AddEmbedding(graph, "t", 9, 2, {});
  graph.AddOutput("out", Concat(graph, "both", {Lookup(graph, "a", 0, table), Lookup(graph, "b", 1, table)}));
  GraphRunner runner(graph);
  const TestBatch batch = {3, 2, 0, {4, 1, 4, 7, 1, 4}, {}};

  runner.executor().Touch(batch.Rows());
  EXPECT_THAT(runner.store().tables()[0]->touched(), ElementsAre(ElementsAre(4, 1, 7)));
  runner.executor().Touch(batch.Rows(2, 1));
  EXPECT_THAT(runner.store().tables()[0]->touched(), ElementsAre(ElementsAre(1, 4)));
  runner.executor().Touch(batch.Rows(0, 0));
  EXPECT_THAT(runner.store().tables()[0]->touched(), ElementsAre(IsEmpty()));
}

TEST(ExecutorDeathTest, AnExecutorForPredictionDoesNotTrain) {
  const Graph graph = MakeMmoeGraph();
  const TestBatch batch = MakeMmoeBatch(2);
  ThreadPool pool(1);
  ParameterStore store(graph, {});
  Executor executor(graph, store, {}, pool);
  EXPECT_DEATH(executor.ForwardBackward(batch.Rows(), 1, [](const Slice&) {}), "cannot train: 2 rows");
}

}  // namespace
}  // namespace manygate
