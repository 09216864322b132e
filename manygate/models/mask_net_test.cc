// SPDX-License-Identifier: Apache-2.0
// MaskNet against its equations. Gradients and training are compared with PyTorch in tests/parity.
#include "manygate/models/mask_net.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/models/layer_equations_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

constexpr int64_t kWidth = 6;

// (x - mean) / √(variance + 1e-5) · weight + bias
Row Normalised(const GraphRunner& runner, const Row& x, const std::string& name) {
  const std::vector<float> weight = runner.Read(name + ".weight"), bias = runner.Read(name + ".bias");
  double mean = 0, variance = 0;
  for (const double v : x) mean += v / static_cast<double>(x.size());
  for (const double v : x) variance += (v - mean) * (v - mean) / static_cast<double>(x.size());
  Row y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * weight[i] + bias[i];
  return y;
}

// Layer `name` on what the mask of the features leaves of x.
Row MaskedRow(const GraphRunner& runner, const Row& x, const Row& features, const std::string& name,
              int64_t mask_units) {
  const LayerEquations e(runner);
  const Row mask = e.Linear(LayerEquations::Relu(e.Linear(features, name + ".mask.0", mask_units)), name + ".mask.1",
                            static_cast<int64_t>(x.size()));
  Row masked(x.size());
  for (size_t i = 0; i < x.size(); ++i) masked[i] = x[i] * mask[i];
  return LayerEquations::Relu(Normalised(runner, e.Linear(masked, name + ".layer", 4), name + ".layer.norm"));
}

// Weights and biases of the layer norms away from 1 and 0.
void Disturb(GraphRunner& runner, const Graph& graph) {
  for (const Parameter& parameter : graph.parameters) {
    if (parameter.name.find("norm") == std::string::npos) continue;
    std::vector<float> values = runner.Read(parameter.name);
    for (size_t i = 0; i < values.size(); ++i) values[i] += 0.1f * static_cast<float>(i + 1);
    runner.Write(parameter.name, values);
  }
}

TEST(MaskNet, BlocksSideBySide) {
  Graph graph;
  const auto config = ParseMessage<config::MaskNetModule>(
      "n_mask_blocks: 2 mask_block { hidden_dim: 4 reduction_ratio: 0.5 } top_mlp { hidden_units: 5 }");
  graph.AddOutput("y", MaskNet(graph, Numbers(graph, "x", 0, kWidth), config, "mask_net"));
  GraphRunner runner(graph);
  Disturb(runner, graph);
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  const std::vector<float> y = runner.Predict(batch.Rows())[0];
  for (int64_t r = 0; r < batch.rows; ++r) {
    const Row x = RowOf(batch, r), normalised = Normalised(runner, x, "mask_net.norm");
    const Row hidden = Joined(MaskedRow(runner, normalised, x, "mask_net.blocks.0", 3),
                              MaskedRow(runner, normalised, x, "mask_net.blocks.1", 3));
    const Row want = LayerEquations(runner).Mlp(hidden, "mask_net.top", {5});
    for (int64_t i = 0; i < 5; ++i) EXPECT_NEAR(y[r * 5 + i], want[i], 5e-6);
  }
}

TEST(MaskNet, BlocksInARow) {
  Graph graph;
  const auto config = ParseMessage<config::MaskNetModule>(
      "n_mask_blocks: 3 mask_block { hidden_dim: 4 aggregation_dim: 7 } use_parallel: false");
  graph.AddOutput("y", MaskNet(graph, Numbers(graph, "x", 0, kWidth), config, "mask_net"));
  GraphRunner runner(graph);
  Disturb(runner, graph);
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  const std::vector<float> y = runner.Predict(batch.Rows())[0];
  for (int64_t r = 0; r < batch.rows; ++r) {
    const Row x = RowOf(batch, r);
    Row hidden = Normalised(runner, x, "mask_net.norm");
    for (int i = 0; i < 3; ++i) hidden = MaskedRow(runner, hidden, x, "mask_net.blocks." + std::to_string(i), 7);
    for (int64_t i = 0; i < 4; ++i) EXPECT_NEAR(y[r * 4 + i], hidden[i], 5e-6);
  }
}

// The ratio is of the width of what is masked, rounded down, and at least one unit.
TEST(MaskNet, WidthOfTheMasksNetwork) {
  const auto widths = [](const std::string& text) {
    Graph graph;
    MaskNet(graph, Numbers(graph, "x", 0, kWidth), ParseMessage<config::MaskNetModule>(text), "m");
    std::vector<int64_t> found;
    for (const Parameter& parameter : graph.parameters)
      if (parameter.name.ends_with(".mask.0.bias")) found.push_back(parameter.size());
    return found;
  };
  using testing::ElementsAre;
  EXPECT_THAT(widths("n_mask_blocks: 2 mask_block { hidden_dim: 4 }"), ElementsAre(6, 6));
  EXPECT_THAT(widths("n_mask_blocks: 1 mask_block { hidden_dim: 4 reduction_ratio: 0.4 }"), ElementsAre(2));
  EXPECT_THAT(widths("n_mask_blocks: 1 mask_block { hidden_dim: 4 reduction_ratio: 0.01 }"), ElementsAre(1));
  EXPECT_THAT(widths("n_mask_blocks: 2 mask_block { hidden_dim: 4 reduction_ratio: 2 } use_parallel: false"),
              ElementsAre(12, 8));
}

}  // namespace
}  // namespace manygate
