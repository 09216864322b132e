// SPDX-License-Identifier: Apache-2.0
// PEPNet against its equations. Gradients and training are compared with PyTorch in tests/parity.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/models/layer_equations_testing.h"
#include "manygate/models/models.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/merge_products.h"

namespace manygate {
namespace {

constexpr int64_t kX = 4, kDomain = 2, kUia = 3;

constexpr char kTowers[] = R"(
  task_towers { tower_name: "a" mlp { hidden_units: 2 } }
  task_towers { tower_name: "b" })";

// x, "domain" and "uia" are the columns of the numbers in that order; x is learnt.
ModelInputs InputsOf(Graph& graph) {
  const Value x = Dense(graph, Numbers(graph, "x", 0, kX), {1, kX}, "learnt");
  return {.x = x,
          .groups = {{"domain", Numbers(graph, "domain", kX, kDomain)},
                     {"uia", Numbers(graph, "uia", kX + kDomain, kUia)}}};
}

Row Part(const Row& row, int64_t first, int64_t n) { return Row(row.begin() + first, row.begin() + first + n); }

Row Gated(const LayerEquations& e, Row x, const Row& condition, int64_t hidden, double gamma, const std::string& name) {
  const Row gate = e.Linear(e.Mlp(condition, name, {hidden}), name + ".output", static_cast<int64_t>(x.size()));
  for (size_t i = 0; i < x.size(); ++i) x[i] *= gamma * SigmoidOf(gate[i]);
  return x;
}

// Two gated layers, 5 and 3.
Row PpNet(const LayerEquations& e, const Row& x, const Row& uia, double gamma, const std::string& tower) {
  const std::string name = "ppnet." + tower;
  const Row condition = Joined(uia, x);
  Row hidden = x;
  const int64_t widths[] = {5, 3};
  for (int i = 0; i < 2; ++i) {
    const std::string number = std::to_string(i);
    hidden = e.Relu(e.Linear(hidden, name + ".layers." + number, widths[i]));
    hidden = Gated(e, hidden, condition, widths[i], gamma, name + ".gates." + number);
  }
  return hidden;
}

TEST(PepNet, IsItsEquations) {
  Graph graph;
  WirePepNet(graph, InputsOf(graph),
             ParseMessage<config::PEPNet>(std::string(R"(
    epnet_hidden_unit: 6 epnet_gamma: 1.5 ppnet_hidden_units: [5, 3] ppnet_gamma: 3)") +
                                          kTowers));
  MergeParallelProducts(graph);
  GraphRunner runner(graph);
  const LayerEquations e(runner);
  const TestBatch batch = MakeTestBatch(20, {}, kX + kDomain + kUia, 1);
  const auto outputs = runner.Predict(batch.Rows());
  for (int64_t r = 0; r < batch.rows; ++r) {
    const Row row = RowOf(batch, r);
    const Row learnt = e.Linear(Part(row, 0, kX), "learnt", kX), uia = Part(row, kX + kDomain, kUia);
    const Row x = Gated(e, learnt, Joined(Part(row, kX, kDomain), learnt), 6, 1.5, "epnet");
    EXPECT_NEAR(outputs[0][r], e.Tower(PpNet(e, x, uia, 3, "a"), "a", {2}), 2e-6);
    EXPECT_NEAR(outputs[1][r], e.Tower(PpNet(e, x, uia, 3, "b"), "b", {}), 2e-6);
  }
}

TEST(PepNet, WithoutEpNetAndGroupsPpNetReadsX) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, kX);
  WirePepNet(graph, {.x = x}, ParseMessage<config::PEPNet>(std::string(R"(
    epnet_hidden_unit: 0 ppnet_hidden_units: [5, 3])") + kTowers));
  for (const Parameter& parameter : graph.parameters)
    EXPECT_FALSE(parameter.name.starts_with("epnet")) << parameter.name;
  GraphRunner runner(graph);
  const LayerEquations e(runner);
  const TestBatch batch = MakeTestBatch(20, {}, kX, 1);
  const auto outputs = runner.Predict(batch.Rows());
  for (int64_t r = 0; r < batch.rows; ++r) {
    const Row row = RowOf(batch, r);
    EXPECT_NEAR(outputs[1][r], e.Tower(PpNet(e, row, row, 2, "b"), "b", {}), 2e-6);
  }
}

// With gates that let nothing through, x would still learn from the gates if their gradient reached it.
TEST(PepNet, GatesDoNotTrainTheFeaturesThatTheyMultiply) {
  Graph graph;
  WirePepNet(graph, InputsOf(graph), ParseMessage<config::PEPNet>(std::string("ppnet_hidden_units: 5") + kTowers));
  GraphRunner runner(graph);
  const TestBatch batch = MakeTestBatch(20, {}, kX + kDomain + kUia, 1);
  const auto learnt = [&](float bias) {
    runner.Write("epnet.output.bias", std::vector<float>(kX, bias));
    const RunResult result = runner.Train(batch.Rows());
    double largest = 0;
    for (const float g : result.gradients[runner.Find("learnt.bias")]) largest = std::max(largest, double{std::abs(g)});
    return largest;
  };
  EXPECT_GT(learnt(0), 1e-2);
  EXPECT_EQ(learnt(-200), 0);  // sigmoid(-200) is 0 in float
}

TEST(PepNet, DropoutFollowsTheGateOfItsLayer) {
  Graph graph;
  WirePepNet(graph, InputsOf(graph),
             ParseMessage<config::PEPNet>(std::string(R"(
    ppnet_hidden_units: [5, 3] ppnet_dropout_ratio: [0, 0.25] ppnet_activation: "nn.Tanh")") +
                                          kTowers));
  std::vector<std::string> operations;
  for (const Node& node : graph.nodes)
    if (node.name.starts_with("ppnet.a.layers") || node.name.starts_with("ppnet.a.gates.1.product"))
      operations.push_back(node.op->Describe());
  EXPECT_THAT(operations,
              testing::ElementsAre("dense to 5", "nn.Tanh", "dense to 3", "nn.Tanh", "product", "dropout 0.25"));
}

}  // namespace
}  // namespace manygate
