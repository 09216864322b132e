// SPDX-License-Identifier: Apache-2.0
#include "manygate/models/sequence_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gates.h"
#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/mix.h"
#include "manygate/ops/sequence.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;

const float kEnd = std::nanf("");
const Initializer kUniform = {Initializer::Kind::kUniform, -1.f, 1.f};

config::MLP AttentionMlp(std::initializer_list<int> units, const char* activation = "nn.Tanh") {
  config::MLP mlp;
  for (const int unit : units) mlp.add_hidden_units(unit);
  mlp.set_activation(activation);
  return mlp;
}

// Query (2 numbers) and three positions of 2 numbers, as inputs.
struct NumberGraph {
  Graph graph;
  Value query, sequence, length;
  NumberGraph() {
    query = Numbers(graph, "query", 0, 2);
    const SequencePart part = {.number_offset = 2, .width = 2, .positions = 3};
    sequence = Sequence(graph, "s", {part}, 3);
    length = SequenceLength(graph, "length", part);
  }
};

// One unit that adds up everything: q + s + (q − s) + q ∘ s = 2 q + q ∘ s, summed, and the output unit is 1.
TEST(DinEncoder, WeighsPositionsByTheirScores) {
  NumberGraph g;
  const Value y = DinEncoder(g.graph, g.query, g.sequence, g.length, AttentionMlp({1}, "nn.ReLU"), "din");
  EXPECT_EQ(g.graph.shape(y), (Shape{1, 2}));
  g.graph.AddOutput("y", y);
  EXPECT_TRUE(FindGates(g.graph).gates.empty()) << "weights of positions are no gate over experts";
  std::vector<std::string> names;
  for (const Parameter& parameter : g.graph.parameters) names.push_back(parameter.name);
  EXPECT_THAT(names, ElementsAre("din.attn_mlp.layers.0.weight", "din.attn_mlp.layers.0.bias",
                                 "din.attn_mlp.output.weight", "din.attn_mlp.output.bias"));
  EXPECT_THAT(g.graph.parameters[0].shape, ElementsAre(8, 1));
  EXPECT_THAT(g.graph.parameters[2].shape, ElementsAre(1, 1));
  GraphRunner runner(g.graph);
  runner.Write("din.attn_mlp.layers.0.weight", std::vector<float>(8, 1));
  runner.Write("din.attn_mlp.layers.0.bias", {0});
  runner.Write("din.attn_mlp.output.weight", {1});
  runner.Write("din.attn_mlp.output.bias", {-5});
  const float log2 = std::log(2.f);
  // Scores: 2 + log 2, 2 + log 2 · 0 -> weights 2/3, 1/3; one position; none.
  const TestBatch batch =
      NumberBatch(8, {1, 0, log2, 3, 0, 9, kEnd, 5, 7, -7, 4, 4, kEnd, 0, 0, 0, 1, 1, kEnd, 1, 2, 3, 4, 5});
  EXPECT_THAT(runner.Predict(batch.Rows())[0], ElementsAre(FloatEq(2 * log2 / 3), FloatEq(5), 4, 4, 0, 0));
}

TEST(SimpleAttention, WeighsPositionsByTheirProductWithTheQuery) {
  NumberGraph g;
  g.graph.AddOutput("y", SimpleAttention(g.graph, g.query, g.sequence, g.length, "attention"));
  EXPECT_TRUE(g.graph.parameters.empty());
  GraphRunner runner(g.graph);
  const float log2 = std::log(2.f);
  const TestBatch batch =
      NumberBatch(8, {0, 1, 8, log2, 2, 0, kEnd, 0, 1, 1, 4, 4, kEnd, 0, 0, 0, 1, 1, kEnd, 1, 2, 3, 4, 5});
  EXPECT_THAT(runner.Predict(batch.Rows())[0], ElementsAre(FloatEq(6), FloatEq(2 * log2 / 3), 4, 4, 0, 0));
}

TEST(PoolingEncoder, SumAndMean) {
  NumberGraph g;
  g.graph.AddOutput("sum", PoolingEncoder(g.graph, g.sequence, g.length, Pooling::kSum, "sum"));
  g.graph.AddOutput("mean", PoolingEncoder(g.graph, g.sequence, g.length, Pooling::kMean, "mean"));
  GraphRunner runner(g.graph);
  const auto y = runner.Predict(NumberBatch(8, {0, 0, 1, 2, 3, 5, kEnd, 0, 0, 0, kEnd, 0, 1, 1, 1, 1}).Rows());
  EXPECT_THAT(y[0], ElementsAre(4, 7, 0, 0));
  EXPECT_THAT(y[1], ElementsAre(2, 3.5f, 0, 0));
}

// Ids with a shared table and prices beside them; lists of 0 to 4 positions; every third row has none.
struct LearningGraph {
  Graph graph;
  Value item, sequence, length;
  LearningGraph() {
    const int table = AddEmbedding(graph, "item", 6, 3, kUniform);
    const SequencePart clicks = {.slots = {1, 4}, .table = table};
    item = Lookup(graph, "item", 0, table);
    sequence = Sequence(graph, "clicks", {clicks, {.number_offset = 0, .width = 1, .positions = 4}}, 4);
    length = SequenceLength(graph, "clicks.length", clicks);
  }
  static TestBatch Batch(int64_t rows) {
    const TestBatch lists = MakeValueBatch(rows, {{6, 4}}, 4, 7);
    TestBatch batch{rows, 5, 4, {}, lists.numbers};
    for (int64_t r = 0; r < rows; ++r) {
      batch.ids.push_back(static_cast<int32_t>(r % 6));
      for (int k = 0; k < 4; ++k) batch.ids.push_back(r % 3 == 0 ? 6 : lists.ids[4 * r + k]);
      for (int k = 0; k < 4; ++k)
        if (batch.ids[5 * r + 1 + k] == 6) batch.numbers[4 * r + k] = kEnd;
    }
    return batch;
  }
};

TEST(DinEncoder, Gradients) {
  for (const bool layer_norm : {false, true}) {
    LearningGraph g;
    config::MLP mlp = AttentionMlp({5, 3});
    mlp.set_use_ln(layer_norm);
    g.graph.AddOutput("y", DinEncoder(g.graph, g.item, g.sequence, g.length, mlp, "din"));
    if (layer_norm) {
      const auto& parameters = g.graph.parameters;
      const auto norm = std::find_if(parameters.begin(), parameters.end(), [](const Parameter& parameter) {
        return parameter.name == "din.attn_mlp.layers.1.norm.weight";
      });
      ASSERT_NE(norm, parameters.end());
      EXPECT_THAT(norm->shape, ElementsAre(3)) << "one for all positions";
    }
    g.graph.AddOutput("query", Dense(g.graph, g.item, {1, 1}, "query"));
    GraphRunner runner(g.graph, {.threads = 2, .slice_rows = 5});
    // The output unit's bias adds the same to all scores, which a softmax does not see.
    const int bias = runner.Find("din.attn_mlp.output.bias");
    EXPECT_NEAR(runner.Train(LearningGraph::Batch(14).Rows()).gradients[bias][0], 0, 1e-5);
    g.graph.parameters[bias].trainable = false;  // for the check, which asks of each parameter that it matters
    CheckGradients(g.graph, runner, LearningGraph::Batch(14).Rows(), layer_norm ? 6e-3 : 2e-3, 4e-3f);
  }
}

TEST(SimpleAttention, Gradients) {
  LearningGraph g;
  const Value query = Dense(g.graph, g.item, {1, 4}, "query");
  g.graph.AddOutput("y", SimpleAttention(g.graph, query, g.sequence, g.length, "attention"));
  GraphRunner runner(g.graph, {.threads = 2, .slice_rows = 5});
  CheckGradients(g.graph, runner, LearningGraph::Batch(14).Rows());
}

TEST(DinEncoder, DropoutIsForTrainingAndThreadsDoNotShow) {
  LearningGraph g;
  config::MLP mlp = AttentionMlp({8});
  mlp.add_dropout_ratio(0.5f);
  g.graph.AddOutput("y", DinEncoder(g.graph, g.item, g.sequence, g.length, mlp, "din"));
  GraphRunner one(g.graph, {.threads = 1, .slice_rows = 7}), three(g.graph, {.threads = 3, .slice_rows = 7});
  const TestBatch batch = LearningGraph::Batch(60);
  const RunResult want = one.Train(batch.Rows()), got = three.Train(batch.Rows());
  for (size_t i = 0; i < want.gradients.size(); ++i) EXPECT_TRUE(SameBits(got.gradients[i], want.gradients[i])) << i;
  EXPECT_FALSE(SameBits(want.logits[0], one.Predict(batch.Rows())[0])) << "scores are dropped";
}

TEST(DinEncoderDeathTest, QueryAndBatchNorm) {
  NumberGraph g;
  const Value wide = Numbers(g.graph, "wide", 0, 3);
  EXPECT_DEATH(DinEncoder(g.graph, wide, g.sequence, g.length, AttentionMlp({2}), "din"),
               "din.attn_mlp.layers.0: a query of 3 numbers, positions of 2");
  config::MLP mlp = AttentionMlp({2});
  mlp.set_use_bn(true);
  EXPECT_DEATH(DinEncoder(g.graph, g.query, g.sequence, g.length, mlp, "din"),
               "din.attn_mlp: batch normalisation over positions");
}

}  // namespace
}  // namespace manygate
