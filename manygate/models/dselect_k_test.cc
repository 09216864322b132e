// SPDX-License-Identifier: Apache-2.0
// DSelect-k against its equations. Gradients and training are compared with PyTorch in tests/parity.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manygate/models/layer_equations_testing.h"
#include "manygate/models/models.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/merge_products.h"
#include "manygate/ops/smooth_step.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using Kind = Graph::Output::Kind;

constexpr int64_t kWidth = 6;

constexpr char kTowers[] = R"(
  task_towers { tower_name: "a" mlp { hidden_units: 4 } }
  task_towers { tower_name: "b" })";

struct Sizes {
  int64_t num_expert, num_selected;
  double gamma;
  bool per_example;
};

Graph Wire(const Sizes& sizes, const std::string& more = "") {
  Graph graph;
  auto config = ParseMessage<config::DSelectK>("expert_mlp { hidden_units: 5 } " + more + kTowers);
  config.set_num_expert(static_cast<uint32_t>(sizes.num_expert));
  config.set_num_selected(static_cast<uint32_t>(sizes.num_selected));
  config.set_gamma(static_cast<float>(sizes.gamma));
  config.set_per_example(sizes.per_example);
  WireDSelectK(graph, {.x = Numbers(graph, "x", 0, kWidth)}, config);
  return graph;
}

// The numbers of a layer or, with static gates, of the parameter in its place.
Row Logits(const LayerEquations& e, const GraphRunner& runner, const Row& x, const std::string& name, int64_t out,
           bool per_example) {
  if (per_example) return e.Linear(x, name, out);
  const auto values = runner.Read(name + ".bias");
  EXPECT_EQ(values.size(), static_cast<size_t>(out));
  return Row(values.begin(), values.end());
}

struct GateValues {
  Row gate;  // [E]
  double entropy = 0, out_of_reach = 0;
};

GateValues Gate(const LayerEquations& e, const GraphRunner& runner, const Row& x, const std::string& tower,
                const Sizes& sizes) {
  const int64_t bits = NumCodeBits(sizes.num_expert), k = sizes.num_selected;
  const Row codes = Logits(e, runner, x, "gates." + tower + ".codes", k * bits, sizes.per_example);
  Row weights = Logits(e, runner, x, "gates." + tower + ".selectors", k, sizes.per_example);
  double sum = 0;
  for (double& w : weights) sum += w = std::exp(w);
  GateValues values{Row(sizes.num_expert)};
  for (int64_t i = 0; i < k; ++i) {
    double reached = 0;
    for (int64_t expert = 0; expert < sizes.num_expert; ++expert) {
      double p = 1;
      for (int64_t m = 0; m < bits; ++m) {
        const double t = codes[i * bits + m], g = sizes.gamma;
        const double step = t <= -g / 2 ? 0 : t >= g / 2 ? 1 : -2 / (g * g * g) * t * t * t + 3 / (2 * g) * t + 0.5;
        p *= (expert >> (bits - 1 - m)) & 1 ? step : 1 - step;
      }
      values.gate[expert] += weights[i] / sum * p;
      values.entropy -= p * std::log(p + 1e-6);
      reached += p;
    }
    values.out_of_reach += 1 / reached - 1;
  }
  return values;
}

void ExpectEquations(const Sizes& sizes) {
  Graph graph = Wire(sizes);
  const bool out_of_reach = sizes.num_expert == 5;
  ASSERT_EQ(graph.outputs.size(), out_of_reach ? 6u : 4u);
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  for (const bool merged : {false, true}) {
    if (merged) MergeParallelProducts(graph);
    GraphRunner runner(graph);
    for (const std::string tower : {"a", "b"}) {  // codes at all places of the step
      auto codes = runner.Read("gates." + tower + ".codes.bias");
      for (size_t i = 0; i < codes.size(); ++i) codes[i] += 0.2f * static_cast<float>(i % 3) - 0.15f;
      runner.Write("gates." + tower + ".codes.bias", codes);
    }
    const LayerEquations e(runner);
    const auto outputs = runner.Predict(batch.Rows());
    for (int64_t r = 0; r < batch.rows; ++r) {
      const Row x = RowOf(batch, r);
      for (int t = 0; t < 2; ++t) {
        const std::string tower = t == 0 ? "a" : "b";
        const GateValues values = Gate(e, runner, x, tower, sizes);
        Row mixed(5);
        for (int64_t i = 0; i < sizes.num_expert; ++i) {
          const Row expert = e.Expert(x, i, sizes.num_expert, 5);
          for (int64_t h = 0; h < 5; ++h) mixed[h] += values.gate[i] * expert[h];
        }
        EXPECT_NEAR(outputs[t][r], e.Tower(mixed, tower, t == 0 ? std::vector<int64_t>{4} : std::vector<int64_t>{}),
                    1e-6);
        EXPECT_NEAR(outputs[out_of_reach ? 2 + 2 * t : 2 + t][r], values.entropy, 1e-5);
        if (out_of_reach) {
          EXPECT_NEAR(outputs[3 + 2 * t][r], values.out_of_reach, 1e-5);
        }
      }
    }
  }
}

TEST(DSelectK, GatesThatReadTheRow) { ExpectEquations({4, 2, 1, true}); }
TEST(DSelectK, OneSelectionForAllRows) { ExpectEquations({4, 2, 1, false}); }
TEST(DSelectK, ExpertsThatAreNoPowerOfTwo) { ExpectEquations({5, 3, 2, true}); }
TEST(DSelectK, OneSelector) { ExpectEquations({4, 1, 0.5, false}); }

TEST(DSelectK, OutputsAreTheTowersAndThenTheTermsOfTheLoss) {
  const Graph graph = Wire({5, 2, 1, true}, "entropy_weight: 0.25 ");
  std::vector<std::string> names;
  std::vector<float> weights;
  for (const auto& output : graph.outputs) {
    names.push_back(output.name);
    weights.push_back(output.weight);
    EXPECT_EQ(output.kind, names.size() <= 2 ? Kind::kTower : Kind::kRowLoss);
  }
  EXPECT_THAT(names, ElementsAre("a", "b", "entropy.a", "out_of_reach.a", "entropy.b", "out_of_reach.b"));
  EXPECT_THAT(weights, ElementsAre(1, 1, 0.25f, 1, 0.25f, 1));
}

TEST(DSelectK, WithoutEntropyAndOutOfReachThereAreNoTerms) {
  EXPECT_EQ(Wire({4, 2, 1, true}, "entropy_weight: 0 ").outputs.size(), 2u);
}

TEST(DSelectK, OneExpertIsASharedBottom) {
  Graph graph = Wire({1, 2, 1, true}), shared;
  EXPECT_EQ(graph.outputs.size(), 2u);
  WireSharedBottom(shared, {.x = Numbers(shared, "x", 0, kWidth)},
                   ParseMessage<config::SharedBottom>(std::string("bottom_mlp { hidden_units: 5 }") + kTowers));
  GraphRunner from(graph), to(shared);
  for (const Parameter& parameter : shared.parameters) {
    const bool bottom = parameter.name.starts_with("bottom.");
    to.Write(parameter.name, from.Read(bottom ? "experts." + parameter.name.substr(7) : parameter.name));
  }
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  EXPECT_EQ(from.Predict(batch.Rows()), to.Predict(batch.Rows()));
}

// As many selectors as experts, selector i settled on expert i: its weights are then an MMoE's gate.
TEST(DSelectK, SettledOnAllExpertsIsAnMmoe) {
  Graph graph = Wire({4, 4, 1, true}), mmoe;
  WireMmoe(mmoe, {.x = Numbers(mmoe, "x", 0, kWidth)},
           ParseMessage<config::MMoE>(std::string("num_expert: 4 expert_mlp { hidden_units: 5 }") + kTowers));
  GraphRunner selecting(graph), gated(mmoe);
  for (const std::string tower : {"a", "b"}) {
    selecting.Write("gates." + tower + ".codes.weight", std::vector<float>(kWidth * 4 * 2, 0.f));
    selecting.Write("gates." + tower + ".codes.bias", {-1, -1, -1, 1, 1, -1, 1, 1});
    for (const std::string part : {".weight", ".bias"})
      selecting.Write("gates." + tower + ".selectors" + part, gated.Read("gates." + tower + ".output" + part));
  }
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  const auto got = selecting.Predict(batch.Rows()), want = gated.Predict(batch.Rows());
  for (size_t t = 0; t < 2; ++t) EXPECT_EQ(got[t], want[t]);
}

TEST(DSelectK, StartsUndecided) {
  Graph graph = Wire({4, 2, 2, true});
  GraphRunner runner(graph);
  const auto largest = [&](const std::string& name) {
    float most = 0;
    for (const float v : runner.Read(name)) most = std::max(most, std::abs(v));
    return most;
  };
  EXPECT_LE(largest("gates.a.codes.weight"), 0.02f + 1e-6f);  // γ / 100
  EXPECT_GT(largest("gates.a.codes.weight"), 0.015f);
  EXPECT_LE(largest("gates.a.selectors.weight"), 0.05f + 1e-6f);
  EXPECT_GT(largest("gates.a.selectors.weight"), 0.03f);
}

}  // namespace
}  // namespace manygate
