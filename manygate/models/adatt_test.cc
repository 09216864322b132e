// SPDX-License-Identifier: Apache-2.0
// AdaTT-sp against its equations. Gradients and training are compared with PyTorch in tests/parity.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/models/layer_equations_testing.h"
#include "manygate/models/models.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/merge_products.h"

namespace manygate {
namespace {

constexpr int64_t kWidth = 6;

constexpr char kTowers[] = R"(
  task_towers { tower_name: "a" mlp { hidden_units: 4 } }
  task_towers { tower_name: "b" })";

struct Level {
  std::string name;
  int64_t num_expert, width;
  bool residual;
};

// One level: the tasks' values -> their fused values.
std::vector<Row> Fuse(const LayerEquations& e, const GraphRunner& runner, const std::vector<Row>& tasks,
                      const Level& level) {
  const std::string names[] = {level.name + ".a", level.name + ".b"};
  std::vector<Row> experts;  // by task, then expert
  for (int t = 0; t < 2; ++t) {
    const Row bank = e.Relu(e.Linear(tasks[t], "experts." + names[t] + ".layers.0", level.num_expert * level.width));
    for (int64_t i = 0; i < level.num_expert; ++i)
      experts.push_back(Row(bank.begin() + i * level.width, bank.begin() + (i + 1) * level.width));
  }
  std::vector<Row> fused;
  for (int t = 0; t < 2; ++t) {
    Row weights = e.Linear(tasks[t], "gates." + names[t] + ".output", 2 * level.num_expert);
    double sum = 0;
    for (double& w : weights) sum += w = std::exp(w);
    for (double& w : weights) w /= sum;
    for (int64_t i = 0; level.residual && i < level.num_expert; ++i)
      weights[t * level.num_expert + i] += level.num_expert == 1 ? 1 : runner.Read("residual." + names[t])[i];
    Row mixed(level.width);
    for (size_t i = 0; i < experts.size(); ++i)
      for (int64_t h = 0; h < level.width; ++h) mixed[h] += weights[i] * experts[i][h];
    fused.push_back(mixed);
  }
  return fused;
}

void ExpectEquations(const std::string& text, const std::vector<Level>& levels) {
  Graph graph;
  WireAdaTt(graph, {.x = Numbers(graph, "x", 0, kWidth)}, ParseMessage<config::AdaTT>(text + kTowers));
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  for (const bool merged : {false, true}) {
    if (merged) MergeParallelProducts(graph);
    GraphRunner runner(graph);
    const LayerEquations equations(runner);
    const auto logits = runner.Predict(batch.Rows());
    for (int64_t r = 0; r < batch.rows; ++r) {
      std::vector<Row> tasks(2, RowOf(batch, r));
      for (const Level& level : levels) tasks = Fuse(equations, runner, tasks, level);
      EXPECT_NEAR(logits[0][r], equations.Tower(tasks[0], "a", {4}), 1e-6);
      EXPECT_NEAR(logits[1][r], equations.Tower(tasks[1], "b", {}), 1e-6);
    }
  }
}

TEST(AdaTt, TwoLevels) {
  ExpectEquations("expert_num_per_task: 3 expert_mlps { hidden_units: 5 } expert_mlps { hidden_units: 4 }",
                  {{"0", 3, 5, true}, {"1", 3, 4, true}});
}

TEST(AdaTt, OneExpertPerTaskIsItsOwnResidualWithWeightOne) {
  ExpectEquations("expert_num_per_task: 1 expert_mlps { hidden_units: 5 }", {{"0", 1, 5, true}});
}

TEST(AdaTt, WithoutTheResidual) {
  ExpectEquations("expert_num_per_task: 2 expert_mlps { hidden_units: 5 } self_exp_res_connect: false",
                  {{"0", 2, 5, false}});
}

// Without the residual, the gates of one level are those of an MMoE over all tasks' experts.
TEST(AdaTt, OneLevelWithoutTheResidualIsAnMmoe) {
  Graph adatt, mmoe;
  WireAdaTt(adatt, {.x = Numbers(adatt, "x", 0, kWidth)},
            ParseMessage<config::AdaTT>(std::string("expert_num_per_task: 1 expert_mlps { hidden_units: 5 } "
                                                    "self_exp_res_connect: false") + kTowers));
  WireMmoe(mmoe, {.x = Numbers(mmoe, "x", 0, kWidth)},
           ParseMessage<config::MMoE>(std::string("num_expert: 2 expert_mlp { hidden_units: 5 }") + kTowers));
  GraphRunner from(adatt), to(mmoe);
  const auto weight_a = from.Read("experts.0.a.layers.0.weight"), weight_b = from.Read("experts.0.b.layers.0.weight");
  std::vector<float> weight;
  for (int64_t k = 0; k < kWidth; ++k) {
    weight.insert(weight.end(), weight_a.begin() + 5 * k, weight_a.begin() + 5 * k + 5);
    weight.insert(weight.end(), weight_b.begin() + 5 * k, weight_b.begin() + 5 * k + 5);
  }
  to.Write("experts.layers.0.weight", weight);
  auto bias = from.Read("experts.0.a.layers.0.bias");
  const auto bias_b = from.Read("experts.0.b.layers.0.bias");
  bias.insert(bias.end(), bias_b.begin(), bias_b.end());
  to.Write("experts.layers.0.bias", bias);
  for (const std::string tower : {"a", "b"})
    for (const std::string part : {".output.weight", ".output.bias"})
      to.Write("gates." + tower + part, from.Read("gates.0." + tower + part));
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  const auto want = to.Predict(batch.Rows()), got = from.Predict(batch.Rows());
  for (size_t t = 0; t < want.size(); ++t)
    for (size_t r = 0; r < want[t].size(); ++r) EXPECT_NEAR(got[t][r], want[t][r], 1e-6);
}

TEST(AdaTt, ResidualWeightsStartBothSidesOfZeroWithinTheirBound) {
  Graph graph;
  WireAdaTt(graph, {.x = Numbers(graph, "x", 0, kWidth)},
            ParseMessage<config::AdaTT>(std::string("expert_num_per_task: 64 expert_mlps { hidden_units: 2 }") +
                                        kTowers));
  GraphRunner runner(graph);
  const auto weights = runner.Read("residual.0.a");
  ASSERT_EQ(weights.size(), 64u);
  EXPECT_LT(*std::max_element(weights.begin(), weights.end()), 0.125);
  EXPECT_GT(*std::max_element(weights.begin(), weights.end()), 0.1);
  EXPECT_GE(*std::min_element(weights.begin(), weights.end()), -0.125);
  EXPECT_LT(*std::min_element(weights.begin(), weights.end()), -0.1);
}

}  // namespace
}  // namespace manygate
