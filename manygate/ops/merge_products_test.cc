// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/merge_products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/ops/mmoe_graph_testing.h"

namespace manygate {
namespace {

using testing::ElementsAre;

int Count(const Graph& graph, const std::string& described) {
  int n = 0;
  for (const Node& node : graph.nodes) n += node.op->Describe().starts_with(described);
  return n;
}

// Logits to the last bit; gradients up to the order of their sums.
void ExpectTheSameModel(const Graph& before, const Graph& after, const TestBatch& batch) {
  GraphRunner a(before, {.slice_rows = 64}), b(after, {.slice_rows = 64});
  const auto want = a.Predict(batch.Rows()), got = b.Predict(batch.Rows());
  for (size_t t = 0; t < want.size(); ++t) EXPECT_TRUE(SameBits(want[t], got[t])) << "output " << t;
  const RunResult trained = a.Train(batch.Rows()), merged = b.Train(batch.Rows());
  EXPECT_EQ(trained.loss, merged.loss);
  for (size_t i = 0; i < before.parameters.size(); ++i) {
    ASSERT_EQ(before.parameters[i].name, after.parameters[i].name);
    for (size_t j = 0; j < trained.gradients[i].size(); ++j) {
      const float g = trained.gradients[i][j];
      ASSERT_NEAR(merged.gradients[i][j], g, 1e-5 * (1 + std::abs(g))) << before.parameters[i].name << " [" << j << "]";
    }
  }
}

TEST(MergeProducts, ExpertsAndGatesOfAnMmoeBecomeOneProduct) {
  const Graph before = MakeMmoeGraph(), after = MakeMmoeGraph({.merge = true});
  // Experts and two gates; two layers of each of two towers.
  EXPECT_EQ(Count(before, "dense to"), 7);
  EXPECT_EQ(Count(after, "dense to"), 5);
  EXPECT_EQ(Count(after, "columns"), 3);
  EXPECT_EQ(after.nodes.size(), before.nodes.size() + 1);
  EXPECT_NE(after.Describe().find("experts.layers.0 + 2 more                [B, 48]          dense to 48\n"
                                  "experts.layers.0                         [B, 4, 10]       columns 0..39, a view\n"),
            std::string::npos)
      << after.Describe();
  ExpectTheSameModel(before, after, MakeMmoeBatch(150));
}

TEST(MergeProducts, ProductsWithAndWithoutBiasStayApart) {
  const Graph before = MakeMmoeGraph({.bias = false}), after = MakeMmoeGraph({.merge = true, .bias = false});
  EXPECT_EQ(Count(after, "dense to"), 6);  // the experts alone, the gates together
  EXPECT_EQ(Count(after, "dense to 8"), 1);
  EXPECT_EQ(Count(after, "dense to 40"), 1);
  ExpectTheSameModel(before, after, MakeMmoeBatch(150));
}

// Towers on one bottom; the middle one has an activation that may not overwrite the wide product's other columns.
Graph SharedBottom(bool merge) {
  Graph graph;
  Value x = Dense(graph, Numbers(graph, "x", 0, 6), {1, 17}, "bottom");
  x = Activate(graph, x, Activation::kTanh, "bottom.activation");
  for (const std::string task : {"a", "b", "c"}) {
    Value tower = Dense(graph, x, {1, 9}, task + ".layers.0");
    tower = Activate(graph, tower, task == "b" ? Activation::kSilu : Activation::kRelu, task + ".activation");
    graph.AddOutput(task, Dense(graph, tower, {1, 1}, task + ".output"));
  }
  graph.AddOutput("linear", Dense(graph, x, {1, 2}, "linear.output"));  // an output that is a view
  if (merge) MergeParallelProducts(graph);
  return graph;
}

TEST(MergeProducts, TowersOfASharedBottom) {
  const Graph before = SharedBottom(false), after = SharedBottom(true);
  EXPECT_EQ(Count(before, "dense to"), 8);
  EXPECT_EQ(Count(after, "dense to"), 5);  // bottom, all first layers, three outputs
  ExpectTheSameModel(before, after, MakeTestBatch(150, {}, 6, 2));
}

TEST(MergeProducts, TwoInputsTwoProducts) {
  // Every task reads both inputs: two groups whose members alternate.
  const auto make = [](bool merge) {
    Graph graph;
    const Value x = Numbers(graph, "x", 0, 4), y = Numbers(graph, "y", 4, 3);
    for (const std::string task : {"a", "b"}) {
      const Value left = Dense(graph, x, {1, 5}, task + ".x"), right = Dense(graph, y, {1, 2}, task + ".y");
      graph.AddOutput(task, Dense(graph, Concat(graph, task + ".both", {left, right}), {1, 1}, task + ".output"));
    }
    if (merge) MergeParallelProducts(graph);
    return graph;
  };
  const Graph before = make(false), after = make(true);
  EXPECT_EQ(Count(after, "dense to"), 4);
  EXPECT_EQ(Count(after, "dense to 10"), 1);
  EXPECT_EQ(Count(after, "dense to 4"), 1);
  ExpectTheSameModel(before, after, MakeTestBatch(150, {}, 7, 2));
}

TEST(MergeProducts, NothingToMergeChangesNothing) {
  Graph graph;
  graph.AddOutput("y", Dense(graph, Dense(graph, Numbers(graph, "x", 0, 2), {1, 3}, "a"), {1, 1}, "b"));
  const std::string before = graph.Describe();
  MergeParallelProducts(graph);
  EXPECT_EQ(graph.Describe(), before);
}

TEST(RemoveUnusedNodes, KeepsWhatOutputsNeed) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 2), unused = Numbers(graph, "unused", 0, 1);
  Dense(graph, unused, {1, 3}, "dead end");
  graph.AddOutput("y", Dense(graph, x, {1, 1}, "y"));
  RemoveUnusedNodes(graph);
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.nodes[0].name, "x");
  EXPECT_EQ(graph.nodes[1].name, "y");
  EXPECT_THAT(graph.nodes[1].inputs, ElementsAre(0));
  EXPECT_EQ(graph.outputs[0].logits, 1);
}

}  // namespace
}  // namespace manygate
