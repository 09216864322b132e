// SPDX-License-Identifier: Apache-2.0
// DC2VR against its equations. Gradients and training are compared with PyTorch in tests/parity.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/models/layer_equations_testing.h"
#include "manygate/models/models.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/merge_products.h"

namespace manygate {
namespace {

constexpr int64_t kWidth = 6;

// pay is moved by buy and view side by side, buy by click, all written backwards.
constexpr char kTowers[] = R"(
  task_towers { tower_name: "pay" mlp { hidden_units: 4 } intervention_tower_names: ["buy", "view"] low_rank_dim: 2
                dropout_ratio: 0 }
  task_towers { tower_name: "buy" mlp { hidden_units: 3 } intervention_tower_names: "click" low_rank_dim: 1
                dropout_ratio: 0 }
  task_towers { tower_name: "click" mlp { hidden_units: 5 } }
  task_towers { tower_name: "view" mlp { hidden_units: 2 } })";

// The rows of a parameter, made orthonormal one after the other.
std::vector<Row> Rotation(const GraphRunner& runner, const std::string& name, int64_t rank) {
  const std::vector<float> w = runner.Read(name);
  const int64_t width = static_cast<int64_t>(w.size()) / rank;
  std::vector<Row> rows;
  for (int64_t k = 0; k < rank; ++k) {
    Row row(w.begin() + k * width, w.begin() + (k + 1) * width);
    for (const Row& before : rows) {
      double product = 0;
      for (int64_t i = 0; i < width; ++i) product += row[i] * before[i];
      for (int64_t i = 0; i < width; ++i) row[i] -= product * before[i];
    }
    double squares = 0;
    for (const double x : row) squares += x * x;
    for (double& x : row) x /= std::sqrt(squares);
    rows.push_back(row);
  }
  return rows;
}

Row Moved(const GraphRunner& runner, const Row& h, const Row& s, const std::string& tower, int64_t rank) {
  const auto p = Rotation(runner, "interventions." + tower + ".base", rank);
  const auto q = Rotation(runner, "interventions." + tower + ".source", rank);
  Row out = h;
  for (int64_t k = 0; k < rank; ++k) {
    double difference = 0;
    for (size_t i = 0; i < h.size(); ++i) difference += h[i] * p[k][i];
    for (size_t i = 0; i < s.size(); ++i) difference -= s[i] * q[k][i];
    for (size_t i = 0; i < h.size(); ++i) out[i] += difference * p[k][i];
  }
  return out;
}

// in(tower) is what the tower's hidden layers read.
template <class In>
void ExpectTowers(const GraphRunner& runner, const std::vector<std::vector<float>>& outputs, int64_t r, In in) {
  const LayerEquations e(runner);
  const Row click = e.Mlp(in("click"), "towers.click", {5}), view = e.Mlp(in("view"), "towers.view", {2});
  const Row buy = Moved(runner, e.Mlp(in("buy"), "towers.buy", {3}), click, "buy", 1);
  const Row pay = Moved(runner, e.Mlp(in("pay"), "towers.pay", {4}), Joined(buy, view), "pay", 2);
  const std::pair<const char*, Row> in_order[] = {{"pay", pay}, {"buy", buy}, {"click", click}, {"view", view}};
  for (int t = 0; t < 4; ++t) {
    const std::string name = std::string("towers.") + in_order[t].first + ".output";
    EXPECT_NEAR(outputs[t][r], e.Linear(in_order[t].second, name, 1)[0], 3e-6) << name;
  }
}

Graph Wired(const std::string& text) {
  Graph graph;
  WireDc2vr(graph, {.x = Numbers(graph, "x", 0, kWidth)}, ParseMessage<config::DC2VR>(text + kTowers));
  std::vector<std::string> names;
  for (const auto& output : graph.outputs) names.push_back(output.name);
  EXPECT_THAT(names, testing::ElementsAre("pay", "buy", "click", "view"));  // as written
  MergeParallelProducts(graph);
  return graph;
}

TEST(Dc2vr, TowersMoveTowers) {
  const Graph graph = Wired("");
  GraphRunner runner(graph);
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  const auto outputs = runner.Predict(batch.Rows());
  for (int64_t r = 0; r < batch.rows; ++r)
    ExpectTowers(runner, outputs, r, [&](const std::string&) { return RowOf(batch, r); });
}

TEST(Dc2vr, WithABottomAndExpertsAboveIt) {
  const Graph graph = Wired("bottom_mlp { hidden_units: 8 } num_expert: 2 expert_mlp { hidden_units: 5 }");
  GraphRunner runner(graph);
  const LayerEquations e(runner);
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  const auto outputs = runner.Predict(batch.Rows());
  for (int64_t r = 0; r < batch.rows; ++r) {
    const Row bottom = e.Mlp(RowOf(batch, r), "bottom", {8});
    ExpectTowers(runner, outputs, r,
                 [&](const std::string& tower) { return e.Mixture(bottom, "gates." + tower, 2, 5); });
  }
}

// What moves a tower does not learn from it.
TEST(Dc2vr, TheTowerThatMovesIsNotTrainedByIt) {
  Graph graph = Wired("");
  std::erase_if(graph.outputs, [](const auto& output) { return output.name != "buy"; });
  RemoveUnusedNodes(graph);
  GraphRunner runner(graph);
  const RunResult result = runner.Train(MakeTestBatch(20, {}, kWidth, 1).Rows());
  EXPECT_THAT(result.gradients[runner.Find("towers.click.layers.0.bias")], testing::Each(0.f));
  for (const char* name : {"towers.buy.layers.0.bias", "interventions.buy.base", "interventions.buy.source"})
    EXPECT_THAT(result.gradients[runner.Find(name)], testing::Contains(testing::Ne(0))) << name;
}

}  // namespace
}  // namespace manygate
