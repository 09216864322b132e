// SPDX-License-Identifier: Apache-2.0
// model_config.gating in every model that has softmax gates over experts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/models/layer_equations_testing.h"
#include "manygate/models/models.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/merge_products.h"

namespace manygate {
namespace {

using testing::ElementsAreArray;

constexpr int64_t kWidth = 6;

struct GatedModel {
  std::string text;                // of model_config
  std::vector<std::string> gates;  // in the order in which they are wired
  std::vector<std::string> more;   // other outputs, after the towers and the gates' row losses
};

std::ostream& operator<<(std::ostream& out, const GatedModel& model) { return out << model.text; }

constexpr char kTowers[] = " task_towers { tower_name: 'a' mlp { hidden_units: 4 } } task_towers { tower_name: 'b' } }";
constexpr char kExperts[] = "expert_mlp { hidden_units: [7, 4] activation: 'nn.Tanh' }";
constexpr char kBanks[] = "task_expert_net { hidden_units: 5 } share_expert_net { hidden_units: 5 }";

std::vector<GatedModel> GatedModels() {
  const std::string experts = kExperts, banks = kBanks, towers = kTowers;
  return {
      {"omoe { " + experts + towers, {"gate"}, {}},
      {"mmoe { " + experts + towers, {"gates.a", "gates.b"}, {}},
      {"mmoe { gate_mlp { hidden_units: 5 } " + experts + towers, {"gates.a", "gates.b"}, {}},
      {"dbmtl { " + experts + towers, {"gates.a", "gates.b"}, {}},
      {"escm2 { counterfact_mode: 'DR' " + experts + towers,
       {"gates.a", "gates.b", "imputation.gate"},
       {"counterfactual", "b_given_a"}},
      {"cgc { expert_num_per_task: 2 share_num: 1 " + banks + towers, {"gates.a", "gates.b"}, {}},
      {"ple { extraction_networks { expert_num_per_task: 2 share_num: 1 " + banks + " } extraction_networks { " +
           banks + " }" + towers,
       {"gates.0.a", "gates.0.b", "gates.0.shared", "gates.1.a", "gates.1.b"},
       {}},
      {"adatt { expert_num_per_task: 2 expert_mlps { hidden_units: 5 } expert_mlps { hidden_units: 4 }" + towers,
       {"gates.0.a", "gates.0.b", "gates.1.a", "gates.1.b"},
       {}},
  };
}

Graph Wire(const std::string& model, const std::string& gating) {
  Graph graph;
  ModelInputs inputs{.x = Numbers(graph, "x", 0, kWidth), .labels = {0, 1}};
  inputs.gating = ParseMessage<config::Gating>(gating);
  WireModel(graph, inputs, ParseMessage<config::ModelConfig>(model));
  return graph;
}

std::vector<std::string> ParameterNames(const Graph& graph) {
  std::vector<std::string> names;
  for (const Parameter& parameter : graph.parameters) names.push_back(parameter.name);
  return names;
}

int CountNodes(const Graph& graph, const std::string& end) {
  return static_cast<int>(std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                        [&](const Node& node) { return node.name.ends_with(end); }));
}

// What only training needs: the labels are not there.
void KeepTowers(Graph& graph) {
  std::erase_if(graph.outputs, [](const Graph::Output& output) { return output.kind != Graph::Output::Kind::kTower; });
  RemoveUnusedNodes(graph);
}

class Gating : public testing::TestWithParam<GatedModel> {};

TEST_P(Gating, AddsNoParameterAndPutsRowLossesAfterTheTowers) {
  const Graph plain = Wire(GetParam().text, "");
  const Graph graph = Wire(GetParam().text, "dropout_ratio: 0.1 temperature: 0.5 load_balance_weight: 0.25");
  EXPECT_EQ(ParameterNames(graph), ParameterNames(plain));
  std::vector<std::string> outputs = {"a", "b"};
  for (const std::string& gate : GetParam().gates) outputs.push_back(gate + ".load_balance");
  outputs.insert(outputs.end(), GetParam().more.begin(), GetParam().more.end());
  std::vector<std::string> names;
  for (const Graph::Output& output : graph.outputs) {
    names.push_back(output.name);
    if (!output.name.ends_with(".load_balance")) continue;
    EXPECT_EQ(output.kind, Graph::Output::Kind::kRowLoss);
    EXPECT_EQ(output.weight, 0.25f);
    EXPECT_EQ(graph.shape(output.logits), (Shape{1, 1}));
  }
  EXPECT_THAT(names, ElementsAreArray(outputs));
  for (const std::string& gate : GetParam().gates) EXPECT_EQ(CountNodes(graph, gate + ".dropout"), 1) << gate;
  EXPECT_EQ(CountNodes(plain, "gate.dropout"), 0);
}

TEST_P(Gating, DropoutAndLoadBalanceLeaveNoTraceInPredictions) {
  Graph plain = Wire(GetParam().text, "");
  Graph graph = Wire(GetParam().text, "dropout_ratio: 0.4 load_balance_weight: 1");
  KeepTowers(plain);
  KeepTowers(graph);
  GraphRunner want(plain), got(graph);
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  EXPECT_EQ(got.Predict(batch.Rows()), want.Predict(batch.Rows()));
  EXPECT_NE(got.Train(batch.Rows()).logits, want.Train(batch.Rows()).logits);
}

// Half the temperature is twice the gates' last layers, bit for bit.
TEST_P(Gating, ATemperatureIsAFactorOfEveryGate) {
  Graph plain = Wire(GetParam().text, "");
  Graph graph = Wire(GetParam().text, "temperature: 0.5");
  KeepTowers(plain);
  KeepTowers(graph);
  GraphRunner want(plain), got(graph);
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  EXPECT_NE(got.Predict(batch.Rows()), want.Predict(batch.Rows()));
  for (const std::string& gate : GetParam().gates) {
    if (gate == "imputation.gate") continue;  // behind a row loss
    for (const char* parameter : {".output.weight", ".output.bias"}) {
      std::vector<float> values = want.Read(gate + parameter);
      for (float& value : values) value *= 2;
      want.Write(gate + parameter, values);
    }
  }
  EXPECT_EQ(got.Predict(batch.Rows()), want.Predict(batch.Rows()));
}

INSTANTIATE_TEST_SUITE_P(Models, Gating, testing::ValuesIn(GatedModels()), [](const auto& info) {
  return info.param.text.substr(0, info.param.text.find(' ')) + std::to_string(info.index);
});

TEST(Gate, OfOneExpertNeedsNoRemedy) {
  const Graph graph = Wire(std::string("mmoe { num_expert: 1 ") + kExperts + kTowers,
                           "dropout_ratio: 0.1 temperature: 0.5 load_balance_weight: 0.1");
  ASSERT_EQ(graph.outputs.size(), 2u);
  EXPECT_EQ(CountNodes(graph, "dropout"), 0);
}

TEST(Gate, GradientsWithAllRemedies) {
  const Graph graph = Wire(std::string("mmoe { ") + kExperts +
                               " task_towers { tower_name: 'a' mlp { hidden_units: 4 activation: 'nn.Tanh' } }"
                               " task_towers { tower_name: 'b' } }",
                           "dropout_ratio: 0.3 temperature: 0.5 load_balance_weight: 1");
  GraphRunner runner(graph, {.slice_rows = 16});
  for (const char* gate : {"gates.a.output.bias", "gates.b.output.bias"}) runner.Write(gate, {0.5f, -0.5f, 0});
  CheckGradients(graph, runner, MakeTestBatch(32, {}, kWidth, 1).Rows());
}

// Of a gate that prefers expert 0, steps down the gradient of its load balance make all experts equally used.
TEST(Gate, LoadBalanceEvensOutAGate) {
  Graph graph = Wire(std::string("omoe { ") + kExperts + kTowers, "load_balance_weight: 1");
  std::erase_if(graph.outputs, [](const Graph::Output& output) { return output.name != "gate.load_balance"; });
  RemoveUnusedNodes(graph);
  EXPECT_THAT(ParameterNames(graph), testing::Contains("gate.output.bias"));
  ParameterStore store(graph, {0, 0});
  ThreadPool pool(1);
  store.Initialize(1);
  const TestBatch batch = MakeTestBatch(64, {}, kWidth, 1);
  Executor executor(graph, store, {.training = true}, pool);
  int bias = -1;
  for (size_t i = 0; i < graph.parameters.size(); ++i)
    if (graph.parameters[i].name == "gate.output.bias") bias = static_cast<int>(i);
  store.Write(bias, std::vector<float>{2, 0, 0});
  std::vector<float> balance;
  for (int step = 1; step <= 200; ++step) {
    executor.Touch(batch.Rows());
    executor.ForwardBackward(batch.Rows(), step, [&](const Slice& slice) {
      balance.push_back(slice.logits[0].data[0]);
      for (int64_t r = 0; r < slice.rows; ++r) slice.d_logits[0].data[r * slice.d_logits[0].stride] = 1.f / 64;
    });
    std::vector<float> values = store.Read(bias);
    const std::vector<float> gradient = store.ReadGradient(bias);
    for (size_t e = 0; e < values.size(); ++e) values[e] -= gradient[e];
    store.Write(bias, values);
  }
  EXPECT_GT(balance.front(), 0.5);
  EXPECT_LT(balance.back(), 1e-3);
}

}  // namespace
}  // namespace manygate
