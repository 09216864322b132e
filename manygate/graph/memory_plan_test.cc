// SPDX-License-Identifier: Apache-2.0
// Plans are checked by playing a training step or a prediction on an arena of tags: whoever reads memory must find the tag
// of what it asks for in every float.
#include "manygate/graph/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "manygate/ops/mmoe_graph_testing.h"
#include "manygate/ops/norm.h"

namespace manygate {
namespace {

using testing::ElementsAre;

constexpr int64_t kRows = 9;

class Simulation {
 public:
  Simulation(const Graph& graph, bool training)
      : graph_(graph), training_(training), plan_(PlanMemory(graph, kRows, training)), arena_(plan_.size, -1) {
    for (const Node& node : graph.nodes) {
      std::vector<Shape> shapes;
      for (const Value input : node.inputs) shapes.push_back(graph.shape(input));
      traits_.push_back(node.op->Traits(shapes));
    }
  }

  void Run() {
    const Value count = static_cast<Value>(graph_.nodes.size());
    for (Value i = 0; i < count; ++i) Forward(i);
    for (const auto& output : graph_.outputs) {
      ReadValue(output.logits, "the loss");
      if (HasGradient(output.logits)) WriteGradient(output.logits, false, "the loss");
    }
    if (!training_) return;
    for (Value i = count; i-- > 0;)
      if (HasGradient(i)) Backward(i);
    for (Value i = count; i-- > 0;) {
      if (graph_.nodes[i].tables.empty()) continue;
      ReadGradient(i, "its commit");
      ReadWorkspace(i, "its commit");
    }
  }

 private:
  // A view holds its input's memory; everything else is known by its own node.
  int Root(Value value) const {
    while (IsView(value)) value = graph_.nodes[value].inputs[0];
    return value;
  }
  bool IsView(Value value) const { return traits_[value].memory == OpTraits::Memory::kView; }
  int Tag(int kind, int id) const { return kind * 1000 + id; }
  bool HasGradient(Value value) const { return plan_.gradients[value].offset >= 0; }

  void Write(int64_t offset, int64_t size, int tag) {
    ASSERT_GE(offset, 0);
    ASSERT_LE(offset + size, plan_.size);
    std::fill_n(arena_.begin() + offset, size, tag);
  }
  void Read(int64_t offset, int64_t size, int tag, const std::string& what) {
    ASSERT_GE(offset, 0) << what;
    ASSERT_LE(offset + size, plan_.size) << what;
    for (int64_t k = offset; k < offset + size; ++k) ASSERT_EQ(arena_[k], tag) << what << ", float " << k - offset;
  }
  void WriteRows(const MemoryPlan::Place& place, Value value, int tag) {
    ASSERT_GE(place.stride, graph_.shape(value).size());
    for (int64_t r = 0; r < kRows; ++r) Write(place.offset + r * place.stride, graph_.shape(value).size(), tag);
  }
  void ReadRows(const MemoryPlan::Place& place, Value value, int tag, const std::string& what) {
    for (int64_t r = 0; r < kRows; ++r) Read(place.offset + r * place.stride, graph_.shape(value).size(), tag, what);
  }

  void ReadValue(Value value, const std::string& reader) {
    ReadRows(plan_.values[value], value, Tag(1, Root(value)), reader + " reads " + graph_.nodes[value].name);
  }
  void ReadGradient(Value value, const std::string& reader) {
    ReadRows(plan_.gradients[value], value, Tag(2, Root(value)), reader + " reads d " + graph_.nodes[value].name);
  }
  // Exactly the first writer of a gradient overwrites it.
  void WriteGradient(Value value, bool accumulate, const std::string& writer) {
    EXPECT_EQ(accumulate, !written_.insert(value).second) << writer << " writes d " << graph_.nodes[value].name;
    if (accumulate) ReadGradient(value, writer);
    WriteRows(plan_.gradients[value], value, Tag(2, Root(value)));
  }
  int64_t WorkspaceSize(Value i) const { return traits_[i].workspace_per_row * kRows + traits_[i].workspace_fixed; }
  void ReadWorkspace(Value i, const std::string& reader) {
    if (WorkspaceSize(i) > 0) Read(plan_.workspaces[i], WorkspaceSize(i), Tag(3, i), reader + " reads its workspace");
  }
  void UseScratch(Value i) {
    if (traits_[i].scratch > 0) Write(plan_.scratch, traits_[i].scratch, Tag(4, 0));
  }

  void Forward(Value i) {
    if (IsView(i)) return ReadValue(i, "the view");
    for (const Value input : graph_.nodes[i].inputs) ReadValue(input, graph_.nodes[i].name);
    UseScratch(i);
    WriteRows(plan_.values[i], i, Tag(1, i));
    if (WorkspaceSize(i) > 0) Write(plan_.workspaces[i], WorkspaceSize(i), Tag(3, i));
  }

  void Backward(Value i) {
    const Node& node = graph_.nodes[i];
    const std::string reader = "backward of " + node.name;
    ReadGradient(i, reader);
    if (IsView(i)) return;  // the readers wrote into the input's gradient already
    ReadWorkspace(i, reader);
    if (traits_[i].backward_reads_output) ReadValue(i, reader);
    for (size_t k = 0; k < node.inputs.size(); ++k)
      if (traits_[i].backward_reads_inputs) ReadValue(node.inputs[k], reader);
    UseScratch(i);
    for (size_t k = 0; k < node.inputs.size(); ++k)
      if (HasGradient(node.inputs[k])) WriteGradient(node.inputs[k], plan_.accumulate[i][k] != 0, reader);
  }

  const Graph& graph_;
  const bool training_;
  const MemoryPlan plan_;
  std::vector<int> arena_;
  std::vector<OpTraits> traits_;
  std::set<Value> written_;
};

std::vector<MmoeChoice> AllChoices() {
  std::vector<MmoeChoice> choices;
  for (const Activation activation : {Activation::kRelu, Activation::kSilu, Activation::kTanh})
    for (const float dropout : {0.f, 0.5f})
      for (const auto& [merge, look_up] : {std::pair{false, false}, {true, false}, {false, true}, {true, true}})
        choices.push_back({merge, look_up, look_up ? 0 : -1, dropout, activation});
  return choices;
}

TEST(MemoryPlan, EveryReaderOfAnMmoeFindsWhatWasWritten) {
  for (const MmoeChoice& choice : AllChoices()) {
    SCOPED_TRACE(fmt::format("merge {}, look up {}, dropout {}, {}", choice.merge, choice.look_up, choice.dropout,
                             ActivationName(choice.activation)));
    const Graph graph = MakeMmoeGraph(choice);
    Simulation(graph, true).Run();
    Simulation(graph, false).Run();
    if (HasFatalFailure()) return;
  }
}

// Normalisation with workspaces, outputs that are views of one product, and an output that another node reads.
TEST(MemoryPlan, EveryReaderOfSharedTowersFindsWhatWasWritten) {
  Graph graph;
  Value x = Dense(graph, Numbers(graph, "x", 0, 5), {1, 33}, "bottom");
  x = Activate(graph, BatchNorm(graph, x, "batch norm"), Activation::kGelu, "gelu");
  x = LayerNorm(graph, Dense(graph, x, {1, 8}, "second"), "layer norm");
  const Value first = Dense(graph, x, {1, 1}, "a");
  graph.AddOutput("a", first);
  graph.AddOutput("b", Dense(graph, x, {1, 3}, "b"));
  graph.AddOutput("c", Activate(graph, Dense(graph, x, {1, 2}, "c"), Activation::kSigmoid, "sigmoid"));
  graph.AddOutput("of a", Dense(graph, first, {1, 1}, "of a"));
  Simulation(graph, true).Run();
  MergeParallelProducts(graph);
  Simulation(graph, true).Run();
  Simulation(graph, false).Run();
}

TEST(MemoryPlan, InPlaceAndViewsShareTheirInput) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 3);
  const Value wide = Dense(graph, x, {1, 20}, "wide");
  const Value left = SliceColumns(graph, "left", wide, 0, {1, 12}),
              right = SliceColumns(graph, "right", wide, 12, {2, 4});
  const Value relu = Activate(graph, left, Activation::kRelu, "relu");
  const Value bank = DenseBank(graph, right, 2, "bank");
  const Value tanh = Activate(graph, bank, Activation::kTanh, "tanh");
  graph.AddOutput("a", relu);
  graph.AddOutput("b", tanh);
  graph.AddOutput("c", bank);  // a second reader of bank: tanh may not write over it
  const MemoryPlan plan = PlanMemory(graph, 10, true);

  EXPECT_EQ(plan.values[wide].stride, 32);  // whole cache lines
  for (const auto& places : {plan.values, plan.gradients}) {
    EXPECT_EQ(places[left].offset, places[wide].offset);
    EXPECT_EQ(places[right].offset, places[wide].offset + 12);
    EXPECT_EQ(places[relu].offset, places[wide].offset);
    for (const Value view : {left, right, relu}) EXPECT_EQ(places[view].stride, 32);
    EXPECT_NE(places[tanh].offset, places[bank].offset);
  }
  EXPECT_EQ(plan.gradients[x].offset, -1) << "no parameter lies behind the input";
  EXPECT_THAT(plan.accumulate[tanh], ElementsAre(1)) << "the loss has written the gradient of bank";
  for (const auto& place : PlanMemory(graph, 10, false).gradients) EXPECT_EQ(place.offset, -1);
}

TEST(MemoryPlan, AnActivationDoesNotWriteOverWhatABackwardPassReads) {
  for (const bool training : {true, false}) {
    Graph graph;
    const Value tanh = Activate(graph, Dense(graph, Numbers(graph, "x", 0, 3), {1, 4}, "d"), Activation::kTanh, "tanh");
    const Value sigmoid = Activate(graph, tanh, Activation::kSigmoid, "sigmoid");
    const Value silu = Activate(graph, sigmoid, Activation::kSilu, "silu");
    graph.AddOutput("a", silu);
    const MemoryPlan plan = PlanMemory(graph, 10, training);
    EXPECT_EQ(plan.values[tanh].offset == plan.values[sigmoid].offset, !training);
    EXPECT_NE(plan.values[silu].offset, plan.values[sigmoid].offset);
  }
}

TEST(MemoryPlan, BuffersAreReused) {
  Graph graph;
  Value x = Numbers(graph, "x", 0, 16);
  for (int i = 0; i < 10; ++i) x = Dense(graph, x, {1, 16}, fmt::format("d{}", i));
  graph.AddOutput("a", x);
  const int64_t scratch = 16 * 16, one = 100 * 16;
  EXPECT_EQ(PlanMemory(graph, 100, false).size, 2 * one + scratch) << "in and out of one layer";
  // All but the last value stay for the backward pass; the last is gone when the loss has run.
  const int64_t training = PlanMemory(graph, 100, true).size;
  EXPECT_GE(training, 12 * one + scratch);
  EXPECT_LE(training, 13 * one + scratch);
}

TEST(MemoryPlan, TheSameGraphGivesTheSamePlan) {
  const Graph first = MakeMmoeGraph({.merge = true, .look_up = true}),
              second = MakeMmoeGraph({.merge = true, .look_up = true});
  const MemoryPlan a = PlanMemory(first, 256, true), b = PlanMemory(second, 256, true);
  EXPECT_EQ(a.size, b.size);
  for (size_t i = 0; i < a.values.size(); ++i) {
    EXPECT_EQ(a.values[i].offset, b.values[i].offset);
    EXPECT_EQ(a.gradients[i].offset, b.gradients[i].offset);
    EXPECT_EQ(a.workspaces[i], b.workspaces[i]);
  }
}

}  // namespace
}  // namespace manygate
