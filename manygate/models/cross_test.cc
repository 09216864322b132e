// SPDX-License-Identifier: Apache-2.0
#include "manygate/models/cross.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/models/layer_equations_testing.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/inputs.h"

namespace manygate {
namespace {

using testing::ElementsAre;

std::vector<std::string> NamesOf(const Graph& graph) {
  std::vector<std::string> names;
  for (const Parameter& parameter : graph.parameters) names.push_back(parameter.name);
  return names;
}

TEST(Cross, ByHand) {
  Graph graph;
  graph.AddOutput("y", Cross(graph, Numbers(graph, "x", 0, 2), ParseMessage<config::CrossV2>("cross_num: 2 low_rank: 0")));
  GraphRunner runner(graph);
  runner.Write("cross.layers.0.weight", {1, 0, 0, 1});
  runner.Write("cross.layers.0.bias", {0, 1});
  runner.Write("cross.layers.1.weight", {0, 1, 1, 0});
  runner.Write("cross.layers.1.bias", {0, 0});
  // x0 = (2, 3); x1 = x0 ∘ (2, 4) + x0 = (6, 15); x2 = x0 ∘ (15, 6) + x1 = (36, 33)
  EXPECT_THAT(runner.Predict(NumberBatch(2, {2, 3}).Rows())[0], ElementsAre(36, 33));
}

TEST(Cross, EquationsOfFullMatricesAndOfLowRank) {
  for (const int rank : {0, 2}) {
    Graph graph;
    auto config = ParseMessage<config::CrossV2>("cross_num: 2");
    config.set_low_rank(static_cast<uint32_t>(rank));
    graph.AddOutput("y", Cross(graph, Numbers(graph, "x", 0, 5), config));
    EXPECT_EQ(graph.shape(graph.outputs[0].logits), (Shape{1, 5}));
    if (rank == 0) {
      EXPECT_THAT(NamesOf(graph), ElementsAre("cross.layers.0.weight", "cross.layers.0.bias", "cross.layers.1.weight",
                                              "cross.layers.1.bias"));
    } else {
      EXPECT_THAT(NamesOf(graph), ElementsAre("cross.layers.0.down.weight", "cross.layers.0.up.weight",
                                              "cross.layers.0.up.bias", "cross.layers.1.down.weight",
                                              "cross.layers.1.up.weight", "cross.layers.1.up.bias"));
    }
    GraphRunner runner(graph, {.slice_rows = 4});
    const LayerEquations e(runner);
    const TestBatch batch = MakeTestBatch(9, {}, 5, 1);
    const auto got = runner.Predict(batch.Rows())[0];
    for (int64_t r = 0; r < batch.rows; ++r) {
      const Row x = RowOf(batch, r);
      Row want = x;
      for (const std::string layer : {"cross.layers.0", "cross.layers.1"}) {
        const Row factor = rank == 0 ? e.Linear(want, layer, 5)
                                     : e.Linear(e.Linear(want, layer + ".down", rank, false), layer + ".up", 5);
        for (size_t i = 0; i < 5; ++i) want[i] += x[i] * factor[i];
      }
      for (size_t i = 0; i < 5; ++i) EXPECT_NEAR(got[r * 5 + i], want[i], 1e-6);
    }
    CheckGradients(graph, runner, batch.Rows());
  }
}

}  // namespace
}  // namespace manygate
