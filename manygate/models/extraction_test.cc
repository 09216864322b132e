// SPDX-License-Identifier: Apache-2.0
// CGC and PLE against their equations, and which task teaches which expert. Gradients and training are compared with
// PyTorch in tests/parity.
#include "manygate/models/extraction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "manygate/models/layer_equations_testing.h"
#include "manygate/models/models.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/merge_products.h"

namespace manygate {
namespace {

using testing::ElementsAre;

constexpr int64_t kWidth = 6;

constexpr char kTowers[] = R"(
  task_towers { tower_name: "a" mlp { hidden_units: 4 } }
  task_towers { tower_name: "b" })";

// One bank of experts: a row of count · width numbers.
struct Bank {
  Row experts;
  int64_t count;
};

Bank ReadBank(const LayerEquations& e, const Row& x, const std::string& name, int64_t count, int64_t width) {
  return {e.Relu(e.Linear(x, name + ".layers.0", count * width)), count};
}

// The softmax gate on x over all experts of the banks.
Row MixByGate(const LayerEquations& e, const Row& x, const std::string& gate, const std::vector<Bank>& banks) {
  int64_t count = 0;
  Row experts;
  for (const Bank& bank : banks) {
    count += bank.count;
    experts = Joined(experts, bank.experts);
  }
  const Row logits = e.Linear(x, gate + ".output", count);
  const int64_t width = static_cast<int64_t>(experts.size()) / count;
  double sum = 0;
  for (const double z : logits) sum += std::exp(z);
  Row mixed(width);
  for (int64_t i = 0; i < count; ++i)
    for (int64_t h = 0; h < width; ++h) mixed[h] += std::exp(logits[i]) / sum * experts[i * width + h];
  return mixed;
}

// tower_inputs(equations, x): what tower a and tower b read.
template <class TowerInputs>
void ExpectEquations(Graph& graph, TowerInputs tower_inputs) {
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  for (const bool merged : {false, true}) {
    if (merged) MergeParallelProducts(graph);
    GraphRunner runner(graph);
    const LayerEquations equations(runner);
    const auto logits = runner.Predict(batch.Rows());
    for (int64_t r = 0; r < batch.rows; ++r) {
      const std::pair<Row, Row> inputs = tower_inputs(equations, RowOf(batch, r));
      EXPECT_NEAR(logits[0][r], equations.Tower(inputs.first, "a", {4}), 1e-6);
      EXPECT_NEAR(logits[1][r], equations.Tower(inputs.second, "b", {}), 1e-6);
    }
  }
}

TEST(Cgc, EachTaskMixesItsOwnExpertsAndTheSharedOnes) {
  Graph graph;
  WireCgc(graph, {.x = Numbers(graph, "x", 0, kWidth)},
          ParseMessage<config::CGC>(std::string(R"(expert_num_per_task: 3 share_num: 2
            task_expert_net { hidden_units: 5 } share_expert_net { hidden_units: 5 })") + kTowers));
  ExpectEquations(graph, [](const LayerEquations& e, const Row& x) {
    const Bank shared = ReadBank(e, x, "experts.shared", 2, 5);
    return std::pair{MixByGate(e, x, "gates.a", {ReadBank(e, x, "experts.a", 3, 5), shared}),
                     MixByGate(e, x, "gates.b", {ReadBank(e, x, "experts.b", 3, 5), shared})};
  });
}

TEST(Cgc, WithoutSharedExpertsEachTaskHasItsOwn) {
  Graph graph;
  WireCgc(graph, {.x = Numbers(graph, "x", 0, kWidth)},
          ParseMessage<config::CGC>(std::string(R"(expert_num_per_task: 2 share_num: 0
            task_expert_net { hidden_units: 5 })") + kTowers));
  ExpectEquations(graph, [](const LayerEquations& e, const Row& x) {
    return std::pair{MixByGate(e, x, "gates.a", {ReadBank(e, x, "experts.a", 2, 5)}),
                     MixByGate(e, x, "gates.b", {ReadBank(e, x, "experts.b", 2, 5)})};
  });
}

constexpr char kPle[] = R"(
  extraction_networks { expert_num_per_task: 3 share_num: 2
                        task_expert_net { hidden_units: 5 } share_expert_net { hidden_units: 5 } }
  extraction_networks { network_name: "top" expert_num_per_task: 1 share_num: 2
                        task_expert_net { hidden_units: 4 } share_expert_net { hidden_units: 4 } })";

TEST(Ple, LevelsReadTheMixturesOfTheLevelBelow) {
  Graph graph;
  WirePle(graph, {.x = Numbers(graph, "x", 0, kWidth)}, ParseMessage<config::PLE>(std::string(kPle) + kTowers));
  ExpectEquations(graph, [](const LayerEquations& e, const Row& x) {
    const Bank own_a = ReadBank(e, x, "experts.0.a", 3, 5), own_b = ReadBank(e, x, "experts.0.b", 3, 5);
    const Bank shared = ReadBank(e, x, "experts.0.shared", 2, 5);
    const Row a = MixByGate(e, x, "gates.0.a", {own_a, shared}), b = MixByGate(e, x, "gates.0.b", {own_b, shared});
    const Row s = MixByGate(e, x, "gates.0.shared", {own_a, own_b, shared});
    const Bank top = ReadBank(e, s, "experts.top.shared", 2, 4);
    return std::pair{MixByGate(e, a, "gates.top.a", {ReadBank(e, a, "experts.top.a", 1, 4), top}),
                     MixByGate(e, b, "gates.top.b", {ReadBank(e, b, "experts.top.b", 1, 4), top})};
  });
}

TEST(Ple, TheLastLevelHasNoSharedGate) {
  Graph graph;
  WirePle(graph, {.x = Numbers(graph, "x", 0, kWidth)}, ParseMessage<config::PLE>(std::string(kPle) + kTowers));
  std::vector<std::string> gates;
  for (const Parameter& parameter : graph.parameters)
    if (parameter.name.starts_with("gates.") && parameter.name.ends_with("weight")) gates.push_back(parameter.name);
  EXPECT_THAT(gates, ElementsAre("gates.0.a.output.weight", "gates.0.b.output.weight", "gates.0.shared.output.weight",
                                 "gates.top.a.output.weight", "gates.top.b.output.weight"));
}

// Trains on the loss of one output alone and says which parameters got a gradient.
std::set<std::string> TaughtBy(Graph& graph, size_t output) {
  graph.outputs = {graph.outputs[output]};
  RemoveUnusedNodes(graph);
  GraphRunner runner(graph);
  const RunResult result = runner.Train(MakeTestBatch(20, {}, kWidth, 1).Rows());
  std::set<std::string> taught;
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const std::vector<float>& gradient = result.gradients[i];
    if (std::any_of(gradient.begin(), gradient.end(), [](float g) { return g != 0; })) taught.insert(graph.parameters[i].name);
  }
  return taught;
}

// Two tasks with three experts each. A published program computed experts' indices so that task b shared an expert with
// task a and never used its last one; here every expert of a bank is taught, and by the right tasks only.
TEST(Ple, EveryExpertIsTaughtByTheTasksThatReadIt) {
  const std::string text = std::string(R"(extraction_networks { expert_num_per_task: 3 share_num: 2
      task_expert_net { hidden_units: 16 } share_expert_net { hidden_units: 16 } })") + kTowers;
  for (const std::string task : {"a", "b"}) {
    Graph graph;
    WirePle(graph, {.x = Numbers(graph, "x", 0, kWidth)}, ParseMessage<config::PLE>(text));
    graph.outputs = {graph.outputs[task == "a" ? 0 : 1]};
    RemoveUnusedNodes(graph);
    GraphRunner runner(graph);
    const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
    const RunResult result = runner.Train(batch.Rows());
    for (const std::string bank : {"a", "b", "shared"}) {
      const std::vector<float>& gradient = result.gradients[runner.Find("experts.0." + bank + ".layers.0.bias")];
      const int64_t experts = bank == "shared" ? 2 : 3;
      ASSERT_EQ(gradient.size(), static_cast<size_t>(experts * 16));
      for (int64_t e = 0; e < experts; ++e) {
        const bool taught = std::any_of(gradient.begin() + e * 16, gradient.begin() + (e + 1) * 16,
                                        [](float g) { return g != 0; });
        EXPECT_EQ(taught, bank == task || bank == "shared") << "task " << task << ", expert " << e << " of " << bank;
      }
    }
  }
}

// In two levels a task reaches the other's experts of the first level through the shared gate, and none of the second.
TEST(Ple, TheSharedPartOfTheFirstLevelCarriesOneTaskToTheOthersExperts) {
  Graph graph;
  WirePle(graph, {.x = Numbers(graph, "x", 0, kWidth)}, ParseMessage<config::PLE>(std::string(kPle) + kTowers));
  const std::set<std::string> taught = TaughtBy(graph, 0);
  EXPECT_TRUE(taught.contains("experts.0.b.layers.0.weight"));
  EXPECT_TRUE(taught.contains("gates.0.shared.output.weight"));
  EXPECT_TRUE(taught.contains("experts.top.a.layers.0.weight"));
  EXPECT_FALSE(taught.contains("gates.0.b.output.weight"));
  EXPECT_FALSE(taught.contains("experts.top.b.layers.0.weight"));
  EXPECT_FALSE(taught.contains("towers.b.output.weight"));
}

// Writes to `to` what `from` holds under the name that rename gives.
template <class Rename>
void CopyParameters(const Graph& graph, GraphRunner& to, const GraphRunner& from, Rename rename) {
  for (const Parameter& parameter : graph.parameters) to.Write(parameter.name, from.Read(rename(parameter.name)));
}

std::string Replaced(std::string text, const std::string& part, const std::string& by) {
  if (const size_t at = text.find(part); at != std::string::npos) text.replace(at, part.size(), by);
  return text;
}

TEST(Ple, WithoutTaskExpertsOneLevelIsAnMmoe) {
  Graph mmoe, ple, cgc;
  WireMmoe(mmoe, {.x = Numbers(mmoe, "x", 0, kWidth)},
           ParseMessage<config::MMoE>(std::string("num_expert: 3 expert_mlp { hidden_units: [7, 4] }") + kTowers));
  const std::string net = "expert_num_per_task: 0 share_num: 3 share_expert_net { hidden_units: [7, 4] }";
  WirePle(ple, {.x = Numbers(ple, "x", 0, kWidth)},
          ParseMessage<config::PLE>("extraction_networks { " + net + " }" + kTowers));
  WireCgc(cgc, {.x = Numbers(cgc, "x", 0, kWidth)}, ParseMessage<config::CGC>(net + kTowers));
  GraphRunner from(mmoe), ple_runner(ple), cgc_runner(cgc);
  CopyParameters(ple, ple_runner, from, [](const std::string& name) {
    return Replaced(Replaced(name, "experts.0.shared.", "experts."), "gates.0.", "gates.");
  });
  CopyParameters(cgc, cgc_runner, from,
                 [](const std::string& name) { return Replaced(name, "experts.shared.", "experts."); });
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  const RunResult want = from.Train(batch.Rows());
  for (GraphRunner* runner : {&ple_runner, &cgc_runner}) {
    const RunResult got = runner->Train(batch.Rows());
    EXPECT_EQ(got.logits, want.logits);
    EXPECT_EQ(got.loss, want.loss);
    EXPECT_EQ(got.gradients[runner->Find("towers.a.output.weight")],
              want.gradients[from.Find("towers.a.output.weight")]);
  }
}

TEST(Ple, OneLevelIsACgc) {
  Graph ple, cgc;
  const std::string net = "expert_num_per_task: 2 share_num: 1 task_expert_net { hidden_units: [7, 4] } "
                          "share_expert_net { hidden_units: [5, 4] }";
  WirePle(ple, {.x = Numbers(ple, "x", 0, kWidth)},
          ParseMessage<config::PLE>("extraction_networks { " + net + " }" + kTowers));
  WireCgc(cgc, {.x = Numbers(cgc, "x", 0, kWidth)}, ParseMessage<config::CGC>(net + kTowers));
  GraphRunner from(cgc), to(ple);
  CopyParameters(ple, to, from, [](const std::string& name) {
    return Replaced(Replaced(name, "experts.0.", "experts."), "gates.0.", "gates.");
  });
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  EXPECT_EQ(to.Predict(batch.Rows()), from.Predict(batch.Rows()));
}

// All experts' first layers and all gates read x: one product, whatever the number of tasks.
TEST(Cgc, TheFirstLayersAreOneProduct) {
  Graph graph;
  WireCgc(graph, {.x = Numbers(graph, "x", 0, kWidth)},
          ParseMessage<config::CGC>(std::string(R"(expert_num_per_task: 3 share_num: 2
            task_expert_net { hidden_units: 5 } share_expert_net { hidden_units: 5 })") + kTowers));
  MergeParallelProducts(graph);
  std::vector<std::string> products;
  for (const Node& node : graph.nodes)
    if (!node.blocks.empty()) products.push_back(node.op->Describe());
  // (3 + 3 + 2) experts of 5 units and two gates over 5; then tower a's layer, its output and tower b's.
  EXPECT_THAT(products, ElementsAre("dense to 50", "dense to 4", "dense to 1", "dense to 1"));
}

}  // namespace
}  // namespace manygate
