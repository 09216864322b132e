// SPDX-License-Identifier: Apache-2.0
// Each model against its paper's equations, computed row by row in double from the parameters' names. Gradients and
// training are compared with PyTorch in tests/parity.
#include "manygate/models/models.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/models/blocks.h"
#include "manygate/ops/graph_runner_testing.h"
#include "manygate/ops/inputs.h"
#include "manygate/ops/merge_products.h"

namespace manygate {
namespace {

using testing::ElementsAre;

constexpr int64_t kWidth = 6;

template <class Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

constexpr char kTowers[] = R"(
  task_towers { tower_name: "a" mlp { hidden_units: 4 } }
  task_towers { tower_name: "b" mlp { hidden_units: [5, 3] activation: "nn.Tanh" } }
  task_towers { tower_name: "linear" })";

using Row = std::vector<double>;

// The layers of a network by name, in double.
class Equations {
 public:
  explicit Equations(const GraphRunner& runner) : runner_(runner) {}

  // Expert e of E (0 of 1: no bank) of the dense layer `name`; first: shape [K, E, N], later: [E, K, N].
  Row Linear(const Row& x, const std::string& name, int64_t out, int64_t e = 0, int64_t experts = 1,
             bool later = false) const {
    const std::vector<float> w = runner_.Read(name + ".weight"), b = runner_.Read(name + ".bias");
    const int64_t in = static_cast<int64_t>(x.size());
    EXPECT_EQ(static_cast<int64_t>(w.size()), in * experts * out) << name;
    Row y(out);
    for (int64_t j = 0; j < out; ++j) {
      y[j] = b[e * out + j];
      for (int64_t k = 0; k < in; ++k) y[j] += x[k] * w[later ? (e * in + k) * out + j : (k * experts + e) * out + j];
    }
    return y;
  }
  static Row Relu(Row x) {
    for (double& v : x) v = std::max(v, 0.0);
    return x;
  }
  static Row Tanh(Row x) {
    for (double& v : x) v = std::tanh(v);
    return x;
  }
  // Two hidden layers, 7 and 4.
  Row Expert(const Row& x, int64_t e) const {
    return Relu(Linear(Relu(Linear(x, "experts.layers.0", 7, e, 3)), "experts.layers.1", 4, e, 3, true));
  }
  Row Mixture(const Row& x, const Row& gate_logits) const {
    double sum = 0;
    Row mixed(4);
    for (const double z : gate_logits) sum += std::exp(z);
    for (int64_t e = 0; e < 3; ++e) {
      const Row expert = Expert(x, e);
      for (int64_t h = 0; h < 4; ++h) mixed[h] += std::exp(gate_logits[e]) / sum * expert[h];
    }
    return mixed;
  }
  double Tower(const Row& x, const std::string& tower) const {
    const std::string name = "towers." + tower;
    Row y = x;
    if (tower == "a") y = Relu(Linear(y, name + ".layers.0", 4));
    if (tower == "b") y = Tanh(Linear(Tanh(Linear(y, name + ".layers.0", 5)), name + ".layers.1", 3));
    return Linear(y, name + ".output", 1)[0];
  }

 private:
  const GraphRunner& runner_;
};

// shared(equations, x, tower) is what the tower reads.
template <class Shared>
void ExpectEquations(Graph& graph, Shared shared) {
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  std::vector<std::string> towers;
  for (const auto& output : graph.outputs) towers.push_back(output.name);
  EXPECT_THAT(towers, ElementsAre("a", "b", "linear"));
  for (const bool merged : {false, true}) {
    if (merged) MergeParallelProducts(graph);
    GraphRunner runner(graph);
    const Equations equations(runner);
    const auto logits = runner.Predict(batch.Rows());
    for (int64_t r = 0; r < batch.rows; ++r) {
      const Row x(batch.numbers.begin() + r * kWidth, batch.numbers.begin() + (r + 1) * kWidth);
      for (size_t t = 0; t < towers.size(); ++t)
        EXPECT_NEAR(logits[t][r], equations.Tower(shared(equations, x, towers[t]), towers[t]), 1e-6) << towers[t];
    }
  }
}

TEST(Models, SimpleMultiTask) {
  Graph graph;
  WireSimpleMultiTask(graph, Numbers(graph, "x", 0, kWidth), Parse<config::SimpleMultiTask>(kTowers));
  ExpectEquations(graph, [](const Equations&, const Row& x, const std::string&) { return x; });
}

TEST(Models, SharedBottom) {
  Graph graph;
  WireSharedBottom(graph, Numbers(graph, "x", 0, kWidth),
                   Parse<config::SharedBottom>(std::string("bottom_mlp { hidden_units: [9, 5] }") + kTowers));
  ExpectEquations(graph, [](const Equations& e, const Row& x, const std::string&) {
    return e.Relu(e.Linear(e.Relu(e.Linear(x, "bottom.layers.0", 9)), "bottom.layers.1", 5));
  });
}

TEST(Models, Omoe) {
  Graph graph;
  WireOmoe(graph, Numbers(graph, "x", 0, kWidth),
           Parse<config::OMoE>(std::string("expert_mlp { hidden_units: [7, 4] }") + kTowers));
  ExpectEquations(graph, [](const Equations& e, const Row& x, const std::string&) {
    return e.Mixture(x, e.Linear(x, "gate.output", 3));
  });
}

TEST(Models, Mmoe) {
  Graph graph;
  WireMmoe(graph, Numbers(graph, "x", 0, kWidth),
           Parse<config::MMoE>(std::string("num_expert: 3 expert_mlp { hidden_units: [7, 4] }") + kTowers));
  ExpectEquations(graph, [](const Equations& e, const Row& x, const std::string& tower) {
    return e.Mixture(x, e.Linear(x, "gates." + tower + ".output", 3));
  });
}

TEST(Models, MmoeWithHiddenLayersInItsGates) {
  Graph graph;
  const std::string text = "num_expert: 3 expert_mlp { hidden_units: [7, 4] } gate_mlp { hidden_units: 5 }";
  WireMmoe(graph, Numbers(graph, "x", 0, kWidth), Parse<config::MMoE>(text + kTowers));
  ExpectEquations(graph, [](const Equations& e, const Row& x, const std::string& tower) {
    const std::string gate = "gates." + tower;
    return e.Mixture(x, e.Linear(e.Relu(e.Linear(x, gate + ".layers.0", 5)), gate + ".output", 3));
  });
}

std::string Operations(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes) text += node.name + ": " + node.op->Describe() + "\n";
  return text;
}

TEST(Blocks, ALayerIsProductNormActivationDropout) {
  Graph graph;
  const Value y = Mlp(graph, Numbers(graph, "x", 0, 6),
                      Parse<config::MLP>(R"(hidden_units: [4, 3] dropout_ratio: [0.1, 0] activation: "nn.GELU"
                                            use_ln: true)"),
                      "m");
  EXPECT_EQ(graph.shape(y), (Shape{1, 3}));
  EXPECT_EQ(Operations(graph),
            "x: numbers 0..5\n"
            "m.layers.0: dense to 4\nm.layers.0.norm: layer norm\nm.layers.0.activation: nn.GELU\n"
            "m.layers.0.dropout: dropout 0.1\n"
            "m.layers.1: dense to 3\nm.layers.1.norm: layer norm\nm.layers.1.activation: nn.GELU\n");
}

TEST(Blocks, OneDropoutRatioIsForAllLayersAndBatchNormTakesTheBias) {
  Graph graph;
  const auto mlp = Parse<config::MLP>("hidden_units: [4, 3] dropout_ratio: 0.5 activation: \"none\" use_bn: true");
  const Value y = ExpertBank(graph, Numbers(graph, "x", 0, 6), mlp, 2, "m");
  EXPECT_EQ(graph.shape(y), (Shape{2, 3}));
  EXPECT_EQ(Operations(graph),
            "x: numbers 0..5\n"
            "m.layers.0: dense to 8\nm.layers.0.norm: batch norm\nm.layers.0.dropout: dropout 0.5\n"
            "m.layers.1: dense per expert\nm.layers.1.norm: batch norm\nm.layers.1.dropout: dropout 0.5\n");
  std::vector<std::string> names;
  for (const Parameter& parameter : graph.parameters) names.push_back(parameter.name);
  EXPECT_THAT(names, ElementsAre("m.layers.0.weight", "m.layers.0.norm.weight", "m.layers.0.norm.bias",
                                 "m.layers.0.norm.running_mean", "m.layers.0.norm.running_var", "m.layers.1.weight",
                                 "m.layers.1.norm.weight", "m.layers.1.norm.bias", "m.layers.1.norm.running_mean",
                                 "m.layers.1.norm.running_var"));
  EXPECT_THAT(graph.parameters[1].shape, ElementsAre(2, 4));
  EXPECT_THAT(graph.parameters[5].shape, ElementsAre(2, 4, 3));
}

TEST(Blocks, WithoutLayersAnMlpIsItsInput) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, 6);
  EXPECT_EQ(Mlp(graph, x, {}, "m"), x);
  Mlp(graph, x, Parse<config::MLP>("hidden_units: 2 bias: false"), "n");
  ASSERT_EQ(graph.parameters.size(), 1u);
  EXPECT_EQ(graph.parameters[0].name, "n.layers.0.weight");
}

}  // namespace
}  // namespace manygate
