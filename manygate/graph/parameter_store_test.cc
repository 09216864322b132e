// SPDX-License-Identifier: Apache-2.0
#include "manygate/graph/parameter_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "manygate/ops/mmoe_graph_testing.h"
#include "manygate/ops/norm.h"

namespace manygate {
namespace {

using testing::Each;
using testing::ElementsAre;

// Different numbers in every place of every parameter.
std::map<std::string, std::vector<float>> NumberedValues(const Graph& graph) {
  std::map<std::string, std::vector<float>> all;
  float next = 1;
  for (const Parameter& parameter : graph.parameters) {
    std::vector<float> values(parameter.size());
    for (float& value : values) value = next++;
    all[parameter.name] = std::move(values);
  }
  return all;
}

TEST(ParameterStore, ReadsByNameWhatWasWrittenWhateverThePassesDid) {
  const auto want = NumberedValues(MakeMmoeGraph());
  for (const MmoeChoice& choice : {MmoeChoice{}, MmoeChoice{.merge = true}, MmoeChoice{.look_up = true},
                                   MmoeChoice{.merge = true, .look_up = true, .default_id = 0}}) {
    const Graph graph = MakeMmoeGraph(choice);
    ASSERT_EQ(graph.parameters.size(), want.size());
    for (const StateCounts counts : {StateCounts{}, StateCounts{2, 1}}) {
      ParameterStore store(graph, counts);
      for (size_t i = 0; i < graph.parameters.size(); ++i)
        store.Write(static_cast<int>(i), want.at(graph.parameters[i].name));
      // Read when all is written: no two parameters share a place.
      for (size_t i = 0; i < graph.parameters.size(); ++i)
        EXPECT_EQ(store.Read(static_cast<int>(i)), want.at(graph.parameters[i].name)) << graph.parameters[i].name;
    }
  }
}

TEST(ParameterStore, TheWideProductHoldsItsPartsSideBySide) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 2);
  graph.AddOutput("a", Dense(graph, x, {1, 2}, "a"));
  graph.AddOutput("b", Dense(graph, x, {1, 1}, "b"));
  MergeParallelProducts(graph);
  ParameterStore store(graph, {});
  store.Write(0, std::vector<float>{1, 2, 3, 4});  // a.weight
  store.Write(2, std::vector<float>{5, 6});        // b.weight
  const float* block = store.weights() + store.BlockOffset(1, 0);
  EXPECT_THAT(std::vector<float>(block, block + 6), ElementsAre(1, 2, 5, 3, 4, 6));
}

TEST(ParameterStore, DecayedThenNotDecayedThenStatistics) {
  Graph graph;
  const Value x = Dense(graph, Numbers(graph, "x", 0, 5), {1, 7}, "d");
  graph.AddOutput("y", BatchNorm(graph, x, "norm"));
  ParameterStore store(graph, {2, 2});
  EXPECT_EQ(store.decayed_size(), 48);         // 35 weights
  EXPECT_EQ(store.trainable_size(), 48 + 48);  // bias 7, norm.weight 7, norm.bias 7
  EXPECT_EQ(store.size(), 48 + 48 + 32);       // running mean and variance
  EXPECT_EQ(store.num_states(), 2);
  EXPECT_EQ(store.BlockOffset(1, 0), 0);
  EXPECT_EQ(store.BlockOffset(1, 1), 48);
  EXPECT_EQ(store.BlockOffset(2, 2), 96);
}

TEST(ParameterStore, InitialisesByName) {
  const Graph mmoe = MakeMmoeGraph();
  const GraphRunner runner(mmoe);
  ParameterStore store(mmoe, {});
  store.Initialize(7);
  const std::vector<float> gate = store.Read(runner.Find("gates.x.output.weight"));
  EXPECT_THAT(gate, Each(testing::AllOf(testing::Ge(-0.1290995f), testing::Le(0.1290995f))));  // 1/√60
  EXPECT_NE(store.Read(runner.Find("gates.y.output.weight")), gate) << "streams of their own";

  ParameterStore again(mmoe, {}), other(mmoe, {});
  again.Initialize(7);
  other.Initialize(8);
  EXPECT_EQ(again.Read(0), store.Read(0));
  EXPECT_NE(other.Read(0), store.Read(0));
}

TEST(ParameterStore, AnotherParameterDoesNotChangeTheOthers) {
  // First in order, and of another shape.
  Graph more;
  const Value x = Numbers(more, "x", 0, 4);
  more.AddOutput("new", Dense(more, x, {1, 9}, "new"));
  more.AddOutput("old", Dense(more, x, {1, 3}, "old"));
  Graph less;
  less.AddOutput("old", Dense(less, Numbers(less, "x", 0, 4), {1, 3}, "old"));
  GraphRunner with(more), without(less);
  EXPECT_TRUE(SameBits(with.Read("old.weight"), without.Read("old.weight")));
  EXPECT_TRUE(SameBits(with.Read("old.bias"), without.Read("old.bias")));
}

TEST(ParameterStore, ThePassesDoNotChangeInitialValues) {
  const Graph plain = MakeMmoeGraph(), rewritten = MakeMmoeGraph({.merge = true, .look_up = true, .default_id = 0});
  GraphRunner a(plain), b(rewritten);
  for (const Parameter& parameter : plain.parameters)
    EXPECT_TRUE(SameBits(a.Read(parameter.name), b.Read(parameter.name))) << parameter.name;
}

TEST(ParameterStore, ConstantAndNormalStarts) {
  Graph graph;
  const int table = AddEmbedding(graph, "e", 10000, 4, {Initializer::Kind::kNormal, 1.f, 0.5f});
  graph.AddOutput("y", BatchNorm(graph, Lookup(graph, "l", 0, table), "norm"));
  GraphRunner runner(graph);
  EXPECT_THAT(runner.Read("norm.weight"), Each(1.f));
  EXPECT_THAT(runner.Read("norm.bias"), Each(0.f));
  double sum = 0, squares = 0;
  for (const double v : runner.Read("embeddings.e.weight")) sum += v, squares += (v - 1) * (v - 1);
  EXPECT_NEAR(sum / 40000, 1, 0.01);
  EXPECT_NEAR(squares / 40000, 0.25, 0.008);
}

TEST(ParameterStoreDeathTest, AsManyValuesAsTheParameterHas) {
  const Graph graph = MakeMmoeGraph();
  ParameterStore store(graph, {});
  EXPECT_DEATH(store.Write(0, std::vector<float>{1, 2}), "2 values for embeddings.shared.weight");
}

}  // namespace
}  // namespace manygate
