// SPDX-License-Identifier: Apache-2.0
// The look-up pass, and through it the operation that it makes (lookup_dense.h).
#include "manygate/ops/lookup_products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/mmoe_graph_testing.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

void ExpectTheSameModel(const Graph& before, const Graph& after, const TestBatch& batch) {
  GraphRunner a(before, {.slice_rows = 64}), b(after, {.slice_rows = 64});
  const auto want = a.Predict(batch.Rows()), got = b.Predict(batch.Rows());
  for (size_t t = 0; t < want.size(); ++t)
    for (size_t r = 0; r < want[t].size(); ++r) EXPECT_NEAR(got[t][r], want[t][r], 1e-6) << r;
  const RunResult multiplied = a.Train(batch.Rows()), looked_up = b.Train(batch.Rows());
  for (size_t i = 0; i < before.parameters.size(); ++i) {
    ASSERT_EQ(before.parameters[i].name, after.parameters[i].name);
    for (size_t j = 0; j < multiplied.gradients[i].size(); ++j) {
      const float g = multiplied.gradients[i][j];
      EXPECT_NEAR(looked_up.gradients[i][j], g, 2e-5 * (1 + std::abs(g)))
          << before.parameters[i].name << " [" << j << "]";
    }
  }
}

TEST(LookupProducts, AnMmoeStaysTheSame) {
  const Graph before = MakeMmoeGraph();
  for (const bool merge : {false, true}) {
    for (const int32_t default_id : {-1, 0, 2, 4}) {
      const Graph after = MakeMmoeGraph({.merge = merge, .look_up = true, .default_id = default_id});
      EXPECT_THAT(after.Describe(), HasSubstr("sum of weight rows: 2 one-hot columns + dense rest"));
      EXPECT_THAT(after.Describe(), Not(HasSubstr("written out"))) << "no one-hot column is left";
      for (const int64_t rows : {1, 5, 200}) ExpectTheSameModel(before, after, MakeMmoeBatch(rows));
    }
  }
}

TEST(LookupProducts, FirstLayersWithoutABias) {
  const Graph before = MakeMmoeGraph({.bias = false});
  ExpectTheSameModel(before, MakeMmoeGraph({.merge = true, .look_up = true, .default_id = 0, .bias = false}),
                     MakeMmoeBatch(200));
}

Graph OneHotsOnly(int32_t default_id, bool bias) {
  Graph graph;
  const Value x = Concat(graph, "input", {OneHot(graph, "a", 0, 3, default_id), OneHot(graph, "b", 1, 2, -1)});
  graph.AddOutput("y", Dense(graph, x, {1, 2}, "y", bias));
  LookUpInsteadOfMultiply(graph);
  return graph;
}

TEST(LookupProducts, SumsRowsOfTheWeight) {
  for (const int32_t default_id : {-1, 0, 1, 2}) {
    const Graph graph = OneHotsOnly(default_id, true);
    EXPECT_EQ(graph.nodes.size(), 1u);
    EXPECT_EQ(graph.node(0).op->Describe(), "sum of weight rows: 2 one-hot columns");
    EXPECT_EQ(graph.tables[0].differences, default_id >= 0);
    GraphRunner runner(graph);
    runner.Write("y.weight", {1, 10, 2, 20, 3, 30, 100, 1000, 200, 2000});
    runner.Write("y.bias", {0.5f, 0.25f});
    const TestBatch batch = {4, 2, 0, {0, 0, 1, 1, 2, 0, 2, 1}, {}};
    EXPECT_THAT(runner.Predict(batch.Rows())[0],
                ElementsAre(101.5f, 1010.25f, 202.5f, 2020.25f, 103.5f, 1030.25f, 203.5f, 2030.25f));
    EXPECT_EQ(runner.Train(batch.Rows()).logits[0], runner.Predict(batch.Rows())[0]);
  }
}

TEST(LookupProducts, WithoutABiasDefaultsAreNotUsed) {
  const Graph graph = OneHotsOnly(1, false);
  EXPECT_FALSE(graph.tables[0].differences);
  GraphRunner runner(graph);
  runner.Write("y.weight", {1, 10, 2, 20, 3, 30, 100, 1000, 200, 2000});
  const TestBatch batch = {2, 2, 0, {1, 0, 2, 1}, {}};
  EXPECT_THAT(runner.Predict(batch.Rows())[0], ElementsAre(102, 1020, 203, 2030));
}

TEST(LookupProducts, ADefaultThatNoRowHoldsHasNoGradient) {
  const Graph graph = OneHotsOnly(1, true);
  GraphRunner runner(graph);
  const TestBatch batch = {3, 2, 0, {0, 0, 2, 1, 2, 0}, {}};
  const std::vector<float> gradient = runner.Train(batch.Rows()).gradients[0];
  EXPECT_EQ(gradient[2], 0.f);
  EXPECT_EQ(gradient[3], 0.f);
  EXPECT_NE(gradient[0], 0.f);
}

TEST(LookupProducts, Gradients) {
  for (const int32_t default_id : {-1, 0, 2}) {
    Graph graph;
    const Value numbers = Numbers(graph, "x", 0, 2);
    const Value hidden = Dense(graph, numbers, {1, 2}, "hidden");
    const Value x = Concat(graph, "input",
                           {numbers, OneHot(graph, "a", 0, 3, default_id), hidden,
                            OneHot(graph, "b", 1, 2, default_id == 2 ? -1 : default_id)});
    Value y = Dense(graph, x, {1, 3}, "first");
    y = Activate(graph, y, Activation::kTanh, "tanh");
    graph.AddOutput("y", Dense(graph, y, {1, 2}, "last"));
    LookUpInsteadOfMultiply(graph);
    for (const int64_t slice_rows : {5, 256}) {
      GraphRunner runner(graph, {.threads = 2, .slice_rows = slice_rows});
      CheckGradients(graph, runner, MakeTestBatch(13, {3, 2}, 2, 1).Rows());
    }
  }
}

TEST(LookupProducts, AOneHotThatIsReadOtherwiseStays) {
  Graph graph;
  const Value one_hot = OneHot(graph, "a", 0, 3);
  graph.AddOutput("looked up", Dense(graph, one_hot, {1, 2}, "d"));
  graph.AddOutput("as it is", one_hot);
  LookUpInsteadOfMultiply(graph);
  GraphRunner runner(graph);
  runner.Write("d.weight", {1, 2, 3, 4, 5, 6});
  runner.Write("d.bias", {0, 0});
  const TestBatch batch = {2, 1, 0, {2, 0}, {}};
  EXPECT_THAT(runner.Predict(batch.Rows()), ElementsAre(ElementsAre(5, 6, 1, 2), ElementsAre(0, 0, 1, 1, 0, 0)));
}

TEST(LookupProducts, WithoutOneHotsNothingChanges) {
  Graph graph;
  graph.AddOutput("y", Dense(graph, Numbers(graph, "x", 0, 2), {1, 1}, "y"));
  const std::string before = graph.Describe();
  LookUpInsteadOfMultiply(graph);
  EXPECT_EQ(graph.Describe(), before);
  EXPECT_TRUE(graph.tables.empty());
}

}  // namespace
}  // namespace manygate
