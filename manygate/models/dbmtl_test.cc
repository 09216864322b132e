// SPDX-License-Identifier: Apache-2.0
// DBMTL against its equations. Gradients and training are compared with PyTorch in tests/parity.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/models/layer_equations_testing.h"
#include "manygate/models/models.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/merge_products.h"

namespace manygate {
namespace {

constexpr int64_t kWidth = 6;

// pay reads buy, which reads click, all written backwards; view has no hidden layers; buy has no relation layers.
constexpr char kTowers[] = R"(
  task_towers { tower_name: "pay" mlp { hidden_units: 3 } relation_tower_names: ["buy", "view"]
                relation_mlp { hidden_units: [7, 5] } }
  task_towers { tower_name: "buy" mlp { hidden_units: 2 } relation_tower_names: "click" }
  task_towers { tower_name: "click" mlp { hidden_units: 4 } }
  task_towers { tower_name: "view" })";

// in(tower) is what the tower's hidden layers read.
template <class In>
void ExpectTowers(const LayerEquations& e, const std::vector<std::vector<float>>& outputs, int64_t r, In in) {
  const Row click = e.Mlp(in("click"), "towers.click", {4}), view = in("view");
  const Row buy = Joined(e.Mlp(in("buy"), "towers.buy", {2}), click);
  const Row pay = Joined(Joined(e.Mlp(in("pay"), "towers.pay", {3}), buy), view);
  EXPECT_NEAR(outputs[0][r], e.Linear(e.Mlp(pay, "relations.pay", {7, 5}), "towers.pay.output", 1)[0], 2e-6);
  EXPECT_NEAR(outputs[1][r], e.Linear(buy, "towers.buy.output", 1)[0], 2e-6);
  EXPECT_NEAR(outputs[2][r], e.Linear(click, "towers.click.output", 1)[0], 2e-6);
  EXPECT_NEAR(outputs[3][r], e.Linear(view, "towers.view.output", 1)[0], 2e-6);
}

Graph Wired(const std::string& text) {
  Graph graph;
  WireDbmtl(graph, {.x = Numbers(graph, "x", 0, kWidth)}, ParseMessage<config::DBMTL>(text + kTowers));
  std::vector<std::string> names;
  for (const auto& output : graph.outputs) names.push_back(output.name);
  EXPECT_THAT(names, testing::ElementsAre("pay", "buy", "click", "view"));  // as written
  MergeParallelProducts(graph);
  return graph;
}

TEST(Dbmtl, TowersReadTowers) {
  const Graph graph = Wired("");
  GraphRunner runner(graph);
  const LayerEquations e(runner);
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  const auto outputs = runner.Predict(batch.Rows());
  for (int64_t r = 0; r < batch.rows; ++r)
    ExpectTowers(e, outputs, r, [&](const std::string&) { return RowOf(batch, r); });
}

TEST(Dbmtl, WithABottomAndExpertsAboveIt) {
  const Graph graph = Wired("bottom_mlp { hidden_units: 8 } num_expert: 2 expert_mlp { hidden_units: 5 }");
  GraphRunner runner(graph);
  const LayerEquations e(runner);
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  const auto outputs = runner.Predict(batch.Rows());
  for (int64_t r = 0; r < batch.rows; ++r) {
    const Row bottom = e.Mlp(RowOf(batch, r), "bottom", {8});
    ExpectTowers(e, outputs, r, [&](const std::string& tower) { return e.Mixture(bottom, "gates." + tower, 2, 5); });
  }
}

// What a tower learns reaches the towers that it reads, and no others.
TEST(Dbmtl, ARelationTeachesTheTowersThatItReads) {
  Graph graph = Wired("");
  std::erase_if(graph.outputs, [](const auto& output) { return output.name != "buy"; });
  GraphRunner runner(graph);
  const RunResult result = runner.Train(MakeTestBatch(20, {}, kWidth, 1).Rows());
  EXPECT_THAT(result.gradients[runner.Find("towers.click.layers.0.bias")], testing::Contains(testing::Ne(0)));
  EXPECT_THAT(result.gradients[runner.Find("towers.buy.layers.0.bias")], testing::Contains(testing::Ne(0)));
}

}  // namespace
}  // namespace manygate
