// SPDX-License-Identifier: Apache-2.0
#include "manygate/ops/gates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/ops/activate.h"
#include "manygate/ops/broadcast.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gate_dropout.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/merge_products.h"
#include "manygate/ops/mix.h"
#include "manygate/ops/mix_banks.h"
#include "manygate/ops/smooth_step.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Value Bank(Graph& graph, Value x, int64_t experts, const std::string& name) {
  return Activate(graph, Dense(graph, x, {experts, 4}, name + ".layers.0"), Activation::kRelu,
                  name + ".layers.0.activation");
}

Value SoftmaxGate(Graph& graph, Value x, int64_t experts, const std::string& name) {
  return Softmax(graph, Dense(graph, x, {1, experts}, name + ".output"), name + ".softmax");
}

TEST(FindGates, TwoGatesOverOneBankBeforeAndAfterThePasses) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3), bank = Bank(graph, x, 2, "experts");
  graph.AddOutput("a", Mix(graph, bank, SoftmaxGate(graph, x, 2, "gates.a"), "mix.a"));
  graph.AddOutput("b", Mix(graph, bank, SoftmaxGate(graph, x, 2, "gates.b"), "mix.b"));
  for (const bool merged : {false, true}) {
    if (merged) MergeParallelProducts(graph);
    const GatedExperts found = FindGates(graph);
    ASSERT_EQ(found.gates.size(), 2u);
    ASSERT_EQ(found.banks.size(), 1u);
    EXPECT_EQ(found.gates[0].name, "gates.a");
    EXPECT_EQ(found.gates[1].name, "gates.b");
    EXPECT_THAT(found.gates[1].banks, ElementsAre(0));
    EXPECT_FALSE(found.gates[0].sparse);
    EXPECT_EQ(found.banks[0].name, "experts");
    EXPECT_EQ(graph.shape(found.banks[0].experts), (Shape{2, 4}));
    EXPECT_EQ(graph.node(found.gates[0].weights).name, "gates.a.softmax");
  }
}

TEST(FindGates, BanksInTheOrderOfTheWeights) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value own = Bank(graph, x, 2, "experts.0.a"), shared = Bank(graph, x, 1, "experts.0.shared");
  graph.AddOutput("s", Mix(graph, shared, SoftmaxGate(graph, x, 1, "gates.s"), "mix.s"));
  graph.AddOutput("a", MixBanks(graph, {own, shared}, SoftmaxGate(graph, x, 3, "gates.0.a"), "mix.0.a"));
  const GatedExperts found = FindGates(graph);
  ASSERT_EQ(found.gates.size(), 1u) << "with one expert there is nothing to choose";
  EXPECT_EQ(found.gates[0].name, "gates.0.a");
  EXPECT_THAT(found.gates[0].banks, ElementsAre(0, 1));
  EXPECT_EQ(found.banks[0].name, "experts.0.a");
  EXPECT_EQ(found.banks[1].name, "experts.0.shared");
}

TEST(FindGates, LooksThroughDropoutOfExpertsAndCountsAGateOnce) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3), bank = Bank(graph, x, 2, "experts");
  const Value gate = GateDropout(graph, SoftmaxGate(graph, x, 2, "gate"), 0.5f, "gate.dropout");
  graph.AddOutput("a", Mix(graph, bank, gate, "mix.a"));
  graph.AddOutput("b", Mix(graph, Bank(graph, x, 2, "other"), gate, "mix.b"));
  const GatedExperts found = FindGates(graph);
  ASSERT_EQ(found.gates.size(), 1u);
  EXPECT_EQ(found.gates[0].name, "gate");
  EXPECT_EQ(found.gates[0].weights, gate);
}

TEST(FindGates, ASparseGateAndNotItsSelectors) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3), bank = Bank(graph, x, 4, "experts");
  const Value codes = Dense(graph, x, {2, NumCodeBits(4)}, "gates.a.codes");
  const Value selectors = SelectExperts(graph, codes, 4, 1.f, "gates.a.select");
  const Value weights = Softmax(graph, Dense(graph, x, {1, 2}, "gates.a.selectors"), "gates.a.selectors.softmax");
  graph.AddOutput("a", Mix(graph, bank, Mix(graph, selectors, weights, "gates.a.mix"), "mix.a"));
  const GatedExperts found = FindGates(graph);
  ASSERT_EQ(found.gates.size(), 1u);
  EXPECT_EQ(found.gates[0].name, "gates.a");
  EXPECT_TRUE(found.gates[0].sparse);
  ASSERT_EQ(found.banks.size(), 1u);
  EXPECT_EQ(found.banks[0].name, "experts");
}

TEST(FindGates, WeightsThatAreNoSoftmaxAreNoGate) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3), bank = Bank(graph, x, 2, "experts");
  const Value weights = Broadcast(graph, "residual.a", {1, 2}, {Initializer::Kind::kUniform, -1, 1});
  graph.AddOutput("a", Mix(graph, bank, weights, "residual.a.mix"));
  const GatedExperts found = FindGates(graph);
  EXPECT_THAT(found.gates, IsEmpty());
  EXPECT_THAT(found.banks, IsEmpty());
}

}  // namespace
}  // namespace manygate
