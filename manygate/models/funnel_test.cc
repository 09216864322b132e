// SPDX-License-Identifier: Apache-2.0
// ESMM, ESCM² and AITM against their equations, and what must hold of a funnel. Gradients and training are compared
// with PyTorch in tests/parity.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "manygate/models/layer_equations_testing.h"
#include "manygate/models/models.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/merge_products.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using Kind = Graph::Output::Kind;

constexpr int64_t kWidth = 6;

// Click, amount (not binary), buy, pay, in this order; their labels stand in other columns.
constexpr char kTowers[] = R"(
  task_towers { tower_name: "click" mlp { hidden_units: 4 } }
  task_towers { tower_name: "amount" losses { l2_loss {} } }
  task_towers { tower_name: "buy" losses { binary_focal_loss {} } mlp { hidden_units: 3 } }
  task_towers { tower_name: "pay" })";

ModelInputs InputsOf(Graph& graph) { return {.x = Numbers(graph, "x", 0, kWidth), .labels = {2, 0, 1, 3}}; }

std::vector<std::string> NamesOf(const Graph& graph, Kind kind) {
  std::vector<std::string> names;
  for (const auto& output : graph.outputs)
    if (output.kind == kind) names.push_back(output.name);
  return names;
}

size_t IndexOf(const Graph& graph, const std::string& name) {
  for (size_t i = 0; i < graph.outputs.size(); ++i)
    if (graph.outputs[i].name == name) return i;
  ADD_FAILURE() << "no output " << name;
  return 0;
}

// The probability that an output predicts for each row.
std::vector<double> Probabilities(const Graph& graph, const std::vector<std::vector<float>>& outputs,
                                  const std::string& name) {
  std::vector<double> p;
  for (const float z : outputs[IndexOf(graph, name)]) p.push_back(SigmoidOf(z));
  return p;
}

TEST(Esmm, EachTowerIsTheProductOfAllUpToIt) {
  for (const bool bottom : {false, true}) {
    Graph graph;
    const std::string text = bottom ? "bottom_mlp { hidden_units: 5 }" : "";
    WireEsmm(graph, InputsOf(graph), ParseMessage<config::ESMM>(text + kTowers));
    EXPECT_THAT(NamesOf(graph, Kind::kTower), ElementsAre("click", "amount", "buy", "pay"));
    EXPECT_THAT(NamesOf(graph, Kind::kExtra), ElementsAre("buy_given_click", "pay_given_buy"));
    EXPECT_THAT(NamesOf(graph, Kind::kRowLoss), ElementsAre());
    MergeParallelProducts(graph);
    GraphRunner runner(graph);
    const LayerEquations e(runner);
    const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
    const auto outputs = runner.Predict(batch.Rows());
    for (int64_t r = 0; r < batch.rows; ++r) {
      const Row x = bottom ? e.Mlp(RowOf(batch, r), "bottom", {5}) : RowOf(batch, r);
      const double click = SigmoidOf(e.Tower(x, "click", {4}));
      const double buy = SigmoidOf(e.Tower(x, "buy", {3})), pay = SigmoidOf(e.Tower(x, "pay", {}));
      EXPECT_NEAR(Probabilities(graph, outputs, "click")[r], click, 1e-6);
      EXPECT_NEAR(Probabilities(graph, outputs, "buy")[r], click * buy, 1e-6);
      EXPECT_NEAR(Probabilities(graph, outputs, "pay")[r], click * buy * pay, 1e-6);
      EXPECT_NEAR(Probabilities(graph, outputs, "buy_given_click")[r], buy, 1e-6);
      EXPECT_NEAR(Probabilities(graph, outputs, "pay_given_buy")[r], pay, 1e-6);
      EXPECT_NEAR(outputs[IndexOf(graph, "amount")][r], e.Tower(x, "amount", {}), 1e-6);
    }
  }
}

// A conditional probability times the one before is the output; probabilities never rise along the funnel.
TEST(Esmm, TheFunnelNarrows) {
  Graph graph;
  WireEsmm(graph, InputsOf(graph), ParseMessage<config::ESMM>(kTowers));
  GraphRunner runner(graph);
  const auto outputs = [&](float bias) {
    for (const char* tower : {"click", "buy", "pay"})
      runner.Write(std::string("towers.") + tower + ".output.bias", {bias});
    return runner.Predict(MakeTestBatch(50, {}, kWidth, 1).Rows());
  };
  for (const float bias : {-60.f, -3.f, 0.f, 3.f, 60.f}) {
    const auto all = outputs(bias);
    const auto click = Probabilities(graph, all, "click"), buy = Probabilities(graph, all, "buy"),
               pay = Probabilities(graph, all, "pay"), given = Probabilities(graph, all, "pay_given_buy");
    for (size_t r = 0; r < click.size(); ++r) {
      EXPECT_LE(buy[r], click[r]);
      EXPECT_LE(pay[r], buy[r]);
      EXPECT_NEAR(pay[r], buy[r] * given[r], 3e-5 * pay[r]) << bias;
      EXPECT_GT(pay[r], 0);
    }
  }
}

// A row on which only one task's output matters must still teach each tower of the funnel up to it, and none after it.
TEST(Esmm, EveryTermOfTheFunnelLearns) {
  for (const std::string name : {"click", "buy", "pay"}) {
    Graph graph;
    WireEsmm(graph, InputsOf(graph), ParseMessage<config::ESMM>(kTowers));
    std::erase_if(graph.outputs, [&](const auto& output) { return output.name != name; });
    GraphRunner runner(graph);
    const RunResult result = runner.Train(MakeTestBatch(20, {}, kWidth, 1).Rows());
    const std::vector<std::string> funnel = {"click", "buy", "pay"};
    const auto last = std::find(funnel.begin(), funnel.end(), name);
    for (auto tower = funnel.begin(); tower <= last; ++tower)
      EXPECT_NE(result.gradients[runner.Find("towers." + *tower + ".output.bias")][0], 0) << name << " " << *tower;
  }
}

constexpr char kExperts[] = "num_expert: 3 expert_mlp { hidden_units: 5 }";

// Per output and row; labels in the order of InputsOf.
std::vector<std::vector<float>> RunWithLabels(GraphRunner& runner, const TestBatch& batch,
                                              const std::vector<float>& labels) {
  InputBatch rows = batch.Rows();
  rows.labels = labels.data();
  rows.label_stride = 4;
  return runner.Train(rows).logits;
}

std::vector<float> RandomLabels(int64_t rows) {
  std::vector<float> labels(rows * 4);
  for (int64_t r = 0; r < rows; ++r) {
    labels[r * 4] = 100;                         // amount
    labels[r * 4 + 1] = r % 3 == 0 ? 1.f : 0.f;  // buy
    labels[r * 4 + 2] = r % 2 == 0 ? 1.f : 0.f;  // click
    labels[r * 4 + 3] = 1;                       // pay
    if (r % 5 == 0) labels[r * 4 + 1 + r / 5 % 2] = std::numeric_limits<float>::quiet_NaN();
  }
  return labels;
}

TEST(Escm2, IsItsEquations) {
  for (const std::string mode : {"IPW", "DR"}) {
    Graph graph;
    const std::string text = "counterfactual_w: 0.25 max_inverse_propensity: 1.9 counterfact_mode: \"" + mode + "\"";
    WireEscm2(graph, InputsOf(graph), ParseMessage<config::ESCM2>(text + kExperts + kTowers));
    EXPECT_THAT(NamesOf(graph, Kind::kTower), ElementsAre("click", "amount", "buy", "pay"));
    EXPECT_THAT(NamesOf(graph, Kind::kRowLoss), ElementsAre("counterfactual"));
    EXPECT_THAT(NamesOf(graph, Kind::kExtra), ElementsAre("buy_given_click"));
    EXPECT_EQ(graph.outputs[IndexOf(graph, "counterfactual")].weight, 0.25f);
    MergeParallelProducts(graph);
    GraphRunner runner(graph);
    runner.Write("towers.click.output.bias", {0.1f});
    const LayerEquations e(runner);
    const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
    const std::vector<float> labels = RandomLabels(batch.rows);
    const auto outputs = RunWithLabels(runner, batch, labels);
    int cut = 0, counted = 0;
    for (int64_t r = 0; r < batch.rows; ++r) {
      const Row x = RowOf(batch, r);
      const auto tower = [&](const std::string& name, const std::vector<int64_t>& hidden) {
        return e.Tower(e.Mixture(x, "gates." + name, 3, 5), name, hidden);
      };
      const double click = SigmoidOf(tower("click", {4})), buy = SigmoidOf(tower("buy", {3}));
      EXPECT_NEAR(Probabilities(graph, outputs, "click")[r], click, 1e-6);
      EXPECT_NEAR(Probabilities(graph, outputs, "buy")[r], click * buy, 1e-6);
      EXPECT_NEAR(Probabilities(graph, outputs, "buy_given_click")[r], buy, 1e-6);
      EXPECT_NEAR(outputs[IndexOf(graph, "amount")][r], tower("amount", {}), 1e-6);
      EXPECT_NEAR(outputs[IndexOf(graph, "pay")][r], tower("pay", {}), 1e-6);  // not a step: an ordinary tower

      const float clicked = labels[r * 4 + 2], bought = labels[r * 4 + 1];
      double want = 0;
      if (clicked == 0 || (clicked == 1 && !std::isnan(bought))) {
        const double weight = clicked == 0 ? 0 : std::min(1 / click, 1.9);
        const double loss = clicked == 0 ? 0 : bought == 1 ? -std::log(buy) : -std::log(1 - buy);
        cut += weight == 1.9;
        counted += weight > 0 && weight < 1.9;
        want = weight * loss;
        if (mode == "DR") {
          const Row hidden = e.Mlp(e.Mixture(x, "imputation.gate", 3, 5), "imputation.tower", {3});
          const double imputed = std::log1p(std::exp(e.Linear(hidden, "imputation.tower.output", 1)[0]));
          want = imputed + weight * (loss - imputed) + weight * (loss - imputed) * (loss - imputed);
        }
      }
      EXPECT_NEAR(outputs[IndexOf(graph, "counterfactual")][r], want, 2e-6) << mode << " row " << r;
    }
    EXPECT_GT(cut, 0);
    EXPECT_GT(counted, 0);
  }
}

TEST(Escm2, WithoutACounterfactualWeightNoRowLossAndNoImputation) {
  Graph graph;
  WireEscm2(graph, InputsOf(graph),
            ParseMessage<config::ESCM2>(std::string("counterfactual_w: 0 ") + kExperts + kTowers));
  EXPECT_THAT(NamesOf(graph, Kind::kRowLoss), ElementsAre());
  for (const Parameter& parameter : graph.parameters)
    EXPECT_FALSE(parameter.name.starts_with("imputation")) << parameter.name;
}

TEST(Escm2DeathTest, LabelColumnsOfAllTowers) {
  Graph graph;
  const ModelInputs inputs{.x = Numbers(graph, "x", 0, kWidth), .labels = {0}};
  EXPECT_DEATH(WireEscm2(graph, inputs, ParseMessage<config::ESCM2>(std::string(kExperts) + kTowers)),
               "3 binary towers, 1 label columns of 4 towers");
}

class Aitm : public testing::Test {
 protected:
  static constexpr char kBottom[] = "bottom_mlp { hidden_units: [7, 4] }";

  // What reaches a tower from the one before, q, and from its own bottom.
  static Row Transfer(const LayerEquations& e, const Row& q, const Row& own, const std::string& tower) {
    const std::string name = "transfer." + tower;
    const Row information = e.Mlp(q, name + ".information", {4});
    const auto score = [&](const Row& u) {
      const Row h1 = e.Linear(u, name + ".h1", 4, false), h2 = e.Linear(u, name + ".h2", 4, false);
      double sum = 0;
      for (size_t i = 0; i < 4; ++i) sum += h1[i] * h2[i];
      return sum / 2;  // √4
    };
    const double share = SigmoidOf(score(information) - score(own));
    const Row first = e.Linear(information, name + ".h3", 4, false), second = e.Linear(own, name + ".h3", 4, false);
    Row out(4);
    for (size_t i = 0; i < 4; ++i) out[i] = share * first[i] + (1 - share) * second[i];
    return out;
  }
};

TEST_F(Aitm, IsItsEquations) {
  Graph graph;
  WireAitm(graph, InputsOf(graph), ParseMessage<config::AITM>(std::string(kBottom) + kTowers));
  EXPECT_THAT(NamesOf(graph, Kind::kTower), ElementsAre("click", "amount", "buy", "pay"));
  EXPECT_THAT(NamesOf(graph, Kind::kRowLoss), ElementsAre("calibrator"));
  EXPECT_THAT(NamesOf(graph, Kind::kExtra), ElementsAre());
  EXPECT_EQ(graph.outputs[IndexOf(graph, "calibrator")].weight, 0.6f);
  MergeParallelProducts(graph);
  GraphRunner runner(graph);
  const LayerEquations e(runner);
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  const auto outputs = runner.Predict(batch.Rows());
  const std::vector<std::vector<int64_t>> hidden = {{4}, {}, {3}, {}};
  const std::vector<std::string> towers = {"click", "amount", "buy", "pay"};
  int rises = 0;
  for (int64_t r = 0; r < batch.rows; ++r) {
    Row q;
    std::vector<double> p;
    for (size_t t = 0; t < 4; ++t) {
      const Row own = e.Mlp(RowOf(batch, r), "bottoms." + towers[t], {7, 4});
      q = t == 0 ? own : Transfer(e, q, own, towers[t]);
      const double z = e.Tower(q, towers[t], hidden[t]);
      EXPECT_NEAR(outputs[IndexOf(graph, towers[t])][r], z, 2e-6) << towers[t];
      if (towers[t] != "amount") p.push_back(SigmoidOf(z));
    }
    const double penalty = std::max(p[1] - p[0], 0.0) + std::max(p[2] - p[1], 0.0);
    rises += penalty > 0;
    EXPECT_NEAR(outputs[IndexOf(graph, "calibrator")][r], penalty, 1e-6);
  }
  EXPECT_GT(rises, 0);
}

TEST_F(Aitm, NoRowLossWithoutAWeightOrTwoBinaryTowers) {
  Graph weightless;
  WireAitm(weightless, InputsOf(weightless),
           ParseMessage<config::AITM>(std::string("calibrator_weight: 0 ") + kBottom + kTowers));
  EXPECT_THAT(NamesOf(weightless, Kind::kRowLoss), ElementsAre());
  Graph single;
  WireAitm(single, InputsOf(single), ParseMessage<config::AITM>(std::string(kBottom) + R"(
    task_towers { tower_name: "click" } task_towers { tower_name: "amount" losses { l2_loss {} } })"));
  EXPECT_THAT(NamesOf(single, Kind::kRowLoss), ElementsAre());
  EXPECT_THAT(NamesOf(single, Kind::kTower), ElementsAre("click", "amount"));
}

// The information layer is the bottom's last layer: width 4, dropout 0.2, not the first one's 0.1.
TEST_F(Aitm, TheInformationLayerHasTheFormOfTheBottomsLast) {
  Graph graph;
  WireAitm(graph, InputsOf(graph),
           ParseMessage<config::AITM>(std::string(R"(bottom_mlp { hidden_units: [7, 4] dropout_ratio: [0.1, 0.2]
                                                                  activation: "nn.Tanh" use_ln: true })") +
                                      kTowers));
  std::vector<std::string> layers;
  for (const Node& node : graph.nodes)
    if (node.name.starts_with("transfer.buy")) layers.push_back(node.op->Describe());
  EXPECT_THAT(layers, ElementsAre("dense to 4", "layer norm", "nn.Tanh", "dropout 0.2", "attention transfer"));
}

}  // namespace
}  // namespace manygate
