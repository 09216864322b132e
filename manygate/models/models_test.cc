// SPDX-License-Identifier: Apache-2.0
// Each model against its paper's equations, computed row by row in double from the parameters' names. Gradients and
// training are compared with PyTorch in tests/parity.
#include "manygate/models/models.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "manygate/models/blocks.h"
#include "manygate/ops/gradient_check_testing.h"
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
  WireSimpleMultiTask(graph, {.x = Numbers(graph, "x", 0, kWidth)}, Parse<config::SimpleMultiTask>(kTowers));
  ExpectEquations(graph, [](const Equations&, const Row& x, const std::string&) { return x; });
}

TEST(Models, SharedBottom) {
  Graph graph;
  WireSharedBottom(graph, {.x = Numbers(graph, "x", 0, kWidth)},
                   Parse<config::SharedBottom>(std::string("bottom_mlp { hidden_units: [9, 5] }") + kTowers));
  ExpectEquations(graph, [](const Equations& e, const Row& x, const std::string&) {
    return e.Relu(e.Linear(e.Relu(e.Linear(x, "bottom.layers.0", 9)), "bottom.layers.1", 5));
  });
}

TEST(Models, Omoe) {
  Graph graph;
  WireOmoe(graph, {.x = Numbers(graph, "x", 0, kWidth)},
           Parse<config::OMoE>(std::string("expert_mlp { hidden_units: [7, 4] }") + kTowers));
  ExpectEquations(graph, [](const Equations& e, const Row& x, const std::string&) {
    return e.Mixture(x, e.Linear(x, "gate.output", 3));
  });
}

TEST(Models, Mmoe) {
  Graph graph;
  WireMmoe(graph, {.x = Numbers(graph, "x", 0, kWidth)},
           Parse<config::MMoE>(std::string("num_expert: 3 expert_mlp { hidden_units: [7, 4] }") + kTowers));
  ExpectEquations(graph, [](const Equations& e, const Row& x, const std::string& tower) {
    return e.Mixture(x, e.Linear(x, "gates." + tower + ".output", 3));
  });
}

TEST(Models, MmoeWithHiddenLayersInItsGates) {
  Graph graph;
  const std::string text = "num_expert: 3 expert_mlp { hidden_units: [7, 4] } gate_mlp { hidden_units: 5 }";
  WireMmoe(graph, {.x = Numbers(graph, "x", 0, kWidth)}, Parse<config::MMoE>(text + kTowers));
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

// ---------------------------------------------------------------------------------------------- what all models share
TEST(Models, WireModelWiresTheOneThatIsSet) {
  const std::string towers = "task_towers { tower_name: \"a\" }";
  const std::string experts = "expert_mlp { hidden_units: 4 } " + towers;
  const std::pair<const char*, std::string> models[] = {
      {"simple_multi_task", towers},
      {"shared_bottom", "bottom_mlp { hidden_units: 4 } " + towers},
      {"omoe", experts},
      {"mmoe", experts},
      {"cgc", "task_expert_net { hidden_units: 4 } share_expert_net { hidden_units: 4 } " + towers},
      {"ple",
       "extraction_networks { task_expert_net { hidden_units: 4 } share_expert_net { hidden_units: 4 } } " + towers},
      {"esmm", towers + " task_towers { tower_name: \"b\" }"},
      {"escm2", experts + " task_towers { tower_name: \"b\" }"},
      {"aitm", "bottom_mlp { hidden_units: 4 } " + towers + " task_towers { tower_name: \"b\" }"},
      {"dbmtl", towers},
      {"dc2vr", towers},
      {"adatt", "expert_mlps { hidden_units: 4 } " + towers},
      {"dselect_k", experts},
      {"pepnet", towers}};
  int wired = 0;
  for (const auto& [name, text] : models) {
    Graph graph;
    const ModelInputs inputs{.x = Numbers(graph, "x", 0, kWidth), .labels = {0, 1}};
    WireModel(graph, inputs, Parse<config::ModelConfig>(name + (" { " + text + " }")));
    ASSERT_FALSE(graph.outputs.empty()) << name;
    EXPECT_EQ(graph.outputs[0].name, "a") << name;
    ++wired;
  }
#define MANYGATE_COUNT_MODEL(Name, Message, field) +1
  EXPECT_EQ(wired, 0 MANYGATE_MODELS(MANYGATE_COUNT_MODEL));
#undef MANYGATE_COUNT_MODEL
}

TEST(ModelsDeathTest, WireModelWithoutAModel) {
  Graph graph;
  EXPECT_DEATH(WireModel(graph, {.x = Numbers(graph, "x", 0, kWidth)}, {}), "without a model passed validation");
}

TEST(ModelInputs, AGroupThatIsNotThereIsX) {
  const ModelInputs inputs{.x = 3, .groups = {{"uia", 5}, {"domain", 6}}};
  EXPECT_EQ(inputs.Group("domain"), 6);
  EXPECT_EQ(inputs.Group("uia"), 5);
  EXPECT_EQ(inputs.Group("user"), 3);
}

// All numbers differ at the start: a bank that starts with one
// constant per expert (as a published program did) could never become more than one unit.
TEST(Models, NoTwoExpertsOrUnitsStartAlike) {
  Graph graph;
  WireMmoe(graph, {.x = Numbers(graph, "x", 0, kWidth)},
           Parse<config::MMoE>(std::string("num_expert: 3 expert_mlp { hidden_units: [7, 4] }") + kTowers));
  GraphRunner runner(graph);
  std::set<float> seen;
  size_t numbers = 0;
  for (const Parameter& parameter : graph.parameters) {
    const std::vector<float> values = runner.Read(parameter.name);
    seen.insert(values.begin(), values.end());
    numbers += values.size();
  }
  EXPECT_GT(seen.size(), numbers - 3);  // 24 random bits each: a chance meeting is possible
}

// Gate weights multiply whole experts: with all weight on expert e the mixture is that expert's output, which was not so
// in a published program that reshaped the experts' outputs the wrong way round.
TEST(Models, AGateThatChoosesAnExpertGivesThatExpert) {
  Graph graph;
  const Value x = Numbers(graph, "x", 0, kWidth);
  WireMmoe(graph, {.x = x},
           Parse<config::MMoE>(std::string("num_expert: 3 expert_mlp { hidden_units: [7, 4] }") + kTowers));
  const TestBatch batch = MakeTestBatch(5, {}, kWidth, 1);
  GraphRunner runner(graph);
  for (int64_t e = 0; e < 3; ++e) {
    std::vector<float> bias(3, -200.f);
    bias[e] = 200;
    runner.Write("gates.linear.output.bias", bias);
    const Equations equations(runner);
    const auto logits = runner.Predict(batch.Rows());
    for (int64_t r = 0; r < batch.rows; ++r) {
      const Row row(batch.numbers.begin() + r * kWidth, batch.numbers.begin() + (r + 1) * kWidth);
      EXPECT_NEAR(logits[2][r], equations.Tower(equations.Expert(row, e), "linear"), 1e-6);
    }
  }
}

TEST(Models, AnMmoeOfOneExpertIsASharedBottom) {
  Graph mmoe, shared;
  WireMmoe(mmoe, {.x = Numbers(mmoe, "x", 0, kWidth)},
           Parse<config::MMoE>(std::string("num_expert: 1 expert_mlp { hidden_units: [7, 4] }") + kTowers));
  WireSharedBottom(shared, {.x = Numbers(shared, "x", 0, kWidth)},
                   Parse<config::SharedBottom>(std::string("bottom_mlp { hidden_units: [7, 4] }") + kTowers));
  GraphRunner from(mmoe), to(shared);
  for (const Parameter& parameter : shared.parameters) {
    const bool bottom = parameter.name.starts_with("bottom.");
    to.Write(parameter.name, from.Read(bottom ? "experts." + parameter.name.substr(7) : parameter.name));
  }
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  EXPECT_EQ(from.Predict(batch.Rows()), to.Predict(batch.Rows()));
}

// ---------------------------------------------------------------------------------------------- towers
TEST(Blocks, ATowerHasTheLogitsOfItsLosses) {
  Graph graph;
  const auto config = Parse<config::SimpleMultiTask>(R"(
    task_towers { tower_name: "click" }
    task_towers { tower_name: "class" num_class: 5 losses { softmax_cross_entropy {} } }
    task_towers { tower_name: "session" num_class: 2 losses { jrc_loss { session_name: "s" } } }
    task_towers { tower_name: "amount" losses { ziln_loss {} } }
    task_towers { tower_name: "count" losses { poisson_loss {} } }
    task_towers { tower_name: "value" losses { huber_loss {} } })");
  WireSimpleMultiTask(graph, {.x = Numbers(graph, "x", 0, kWidth)}, config);
  std::vector<int64_t> widths;
  for (const auto& output : graph.outputs) widths.push_back(graph.shape(output.logits).size());
  EXPECT_THAT(widths, ElementsAre(1, 5, 2, 3, 1, 1));
}

TEST(Blocks, TheWidePartIsAddedToTheLogitsAndStartsAtZero) {
  Graph with, without;
  const auto config = Parse<config::SharedBottom>(R"(
    bottom_mlp { hidden_units: 4 activation: "nn.Tanh" }
    task_towers { tower_name: "a" mlp { hidden_units: 3 activation: "nn.Tanh" } }
    task_towers { tower_name: "c" num_class: 3 losses { softmax_cross_entropy {} } })");
  const Value x = Numbers(with, "x", 0, kWidth);
  WireSharedBottom(with, {.x = x, .wide = Numbers(with, "wide", 1, 2)}, config);
  WireSharedBottom(without, {.x = Numbers(without, "x", 0, kWidth)}, config);
  GraphRunner deep(without);
  const TestBatch batch = MakeTestBatch(20, {}, kWidth, 1);
  const auto deep_logits = deep.Predict(batch.Rows());
  for (const bool merged : {false, true}) {
    if (merged) MergeParallelProducts(with);
    GraphRunner runner(with);
    EXPECT_EQ(runner.Predict(batch.Rows()), deep_logits);  // parameters start by name, so the deep part is the same
    runner.Write("wide.a.weight", {2, -3});
    runner.Write("wide.c.weight", {1, 0, 0, 0, 10, 0});
    const auto logits = runner.Predict(batch.Rows());
    for (int64_t r = 0; r < batch.rows; ++r) {
      const float first = batch.numbers[r * kWidth + 1], second = batch.numbers[r * kWidth + 2];
      EXPECT_NEAR(logits[0][r], deep_logits[0][r] + 2 * first - 3 * second, 1e-6);
      EXPECT_NEAR(logits[1][3 * r], deep_logits[1][3 * r] + first, 1e-6);
      EXPECT_NEAR(logits[1][3 * r + 1], deep_logits[1][3 * r + 1] + 10 * second, 1e-5);
      EXPECT_EQ(logits[1][3 * r + 2], deep_logits[1][3 * r + 2]);
    }
    CheckGradients(with, runner, batch.Rows());
  }
  EXPECT_THAT(with.parameters[with.parameters.size() - 1].name, "wide.c.weight");
  EXPECT_THAT(with.parameters[with.parameters.size() - 1].shape, ElementsAre(2, 3));
}

// ---------------------------------------------------------------------------------------------- layers
TEST(Blocks, LayersStartAtTheirScale) {
  Graph graph;
  const auto mlp = Parse<config::MLP>("hidden_units: [50, 40] init_scale: [2, 0.5]");
  Mlp(graph, Numbers(graph, "x", 0, 16), mlp, "m");
  ExpertBank(graph, Numbers(graph, "y", 16, 16), Parse<config::MLP>("hidden_units: [30, 40] init_scale: 3"), 2, "e");
  GraphRunner runner(graph);
  const auto largest = [&](const std::string& name) {
    float most = 0;
    for (const float v : runner.Read(name)) most = std::max(most, std::abs(v));
    return most;
  };
  // scale / √inputs; the largest of n uniform numbers is about n / (n + 1) of it, here of 40 at least.
  const std::pair<const char*, double> bounds[] = {{"m.layers.0.weight", 2 / 4.},
                                                   {"m.layers.0.bias", 2 / 4.},
                                                   {"m.layers.1.weight", 0.5 / std::sqrt(50.)},
                                                   {"m.layers.1.bias", 0.5 / std::sqrt(50.)},
                                                   {"e.layers.0.weight", 3 / 4.},
                                                   {"e.layers.0.bias", 3 / 4.},
                                                   {"e.layers.1.weight", 3 / std::sqrt(30.)},
                                                   {"e.layers.1.bias", 3 / std::sqrt(30.)}};
  for (const auto& [name, bound] : bounds) {
    EXPECT_LE(largest(name), bound * (1 + 1e-6)) << name;
    EXPECT_GT(largest(name), bound * 0.85) << name;
  }
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
