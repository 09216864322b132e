// SPDX-License-Identifier: Apache-2.0
// The look-up pass, and through it the operation that it makes (lookup_dense.h).
#include "manygate/ops/lookup_products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/ops/gradient_check_testing.h"
#include "manygate/ops/mmoe_graph_testing.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

void ExpectTheSameModel(const Graph& before, const Graph& after, const TestBatch& batch) {
  GraphRunner a(before, {.slice_rows = 64}), b(after, {.slice_rows = 64});
  const auto want = a.Predict(batch.Rows()), got = b.Predict(batch.Rows());
  for (size_t t = 0; t < want.size(); ++t)
    for (size_t r = 0; r < want[t].size(); ++r) EXPECT_NEAR(got[t][r], want[t][r], 1e-6) << r;
  const RunResult multiplied = a.Train(batch.Rows()), looked_up = b.Train(batch.Rows());
  for (size_t i = 0; i < before.parameters.size(); ++i) {
    ASSERT_EQ(before.parameters[i].name, after.parameters[i].name);
    for (size_t j = 0; j < multiplied.gradients[i].size(); ++j) {
      const float g = multiplied.gradients[i][j];
      EXPECT_NEAR(looked_up.gradients[i][j], g, 2e-5 * (1 + std::abs(g)))
          << before.parameters[i].name << " [" << j << "]";
    }
  }
}

TEST(LookupProducts, AnMmoeStaysTheSame) {
  const Graph before = MakeMmoeGraph();
  for (const bool merge : {false, true}) {
    for (const int32_t default_id : {-1, 0, 2, 4}) {
      const Graph after = MakeMmoeGraph({.merge = merge, .look_up = true, .default_id = default_id});
      EXPECT_THAT(after.Describe(), HasSubstr("2 one-hot columns + 2 tabulated embeddings + dense rest"));
      EXPECT_THAT(after.Describe(), Not(HasSubstr("written out"))) << "no one-hot column is left";
      for (const int64_t rows : {1, 5, 200}) ExpectTheSameModel(before, after, MakeMmoeBatch(rows));
    }
  }
}

TEST(LookupProducts, FirstLayersWithoutABias) {
  const Graph before = MakeMmoeGraph({.bias = false});
  ExpectTheSameModel(before, MakeMmoeGraph({.merge = true, .look_up = true, .default_id = 0, .bias = false}),
                     MakeMmoeBatch(200));
}

Graph OneHotsOnly(int32_t default_id, bool bias) {
  Graph graph;
  const Value x = Concat(graph, "input", {OneHot(graph, "a", 0, 3, default_id), OneHot(graph, "b", 1, 2, -1)});
  graph.AddOutput("y", Dense(graph, x, {1, 2}, "y", bias));
  LookUpInsteadOfMultiply(graph);
  return graph;
}

TEST(LookupProducts, SumsRowsOfTheWeight) {
  for (const int32_t default_id : {-1, 0, 1, 2}) {
    const Graph graph = OneHotsOnly(default_id, true);
    EXPECT_EQ(graph.nodes.size(), 1u);
    EXPECT_EQ(graph.node(0).op->Describe(), "sum of weight rows: 2 one-hot columns");
    EXPECT_EQ(graph.tables[0].differences, default_id >= 0);
    GraphRunner runner(graph);
    runner.Write("y.weight", {1, 10, 2, 20, 3, 30, 100, 1000, 200, 2000});
    runner.Write("y.bias", {0.5f, 0.25f});
    const TestBatch batch = {4, 2, 0, {0, 0, 1, 1, 2, 0, 2, 1}, {}};
    EXPECT_THAT(runner.Predict(batch.Rows())[0],
                ElementsAre(101.5f, 1010.25f, 202.5f, 2020.25f, 103.5f, 1030.25f, 203.5f, 2030.25f));
    EXPECT_EQ(runner.Train(batch.Rows()).logits[0], runner.Predict(batch.Rows())[0]);
  }
}

TEST(LookupProducts, WithoutABiasDefaultsAreNotUsed) {
  const Graph graph = OneHotsOnly(1, false);
  EXPECT_FALSE(graph.tables[0].differences);
  GraphRunner runner(graph);
  runner.Write("y.weight", {1, 10, 2, 20, 3, 30, 100, 1000, 200, 2000});
  const TestBatch batch = {2, 2, 0, {1, 0, 2, 1}, {}};
  EXPECT_THAT(runner.Predict(batch.Rows())[0], ElementsAre(102, 1020, 203, 2030));
}

TEST(LookupProducts, ADefaultThatNoRowHoldsHasNoGradient) {
  const Graph graph = OneHotsOnly(1, true);
  GraphRunner runner(graph);
  const TestBatch batch = {3, 2, 0, {0, 0, 2, 1, 2, 0}, {}};
  const std::vector<float> gradient = runner.Train(batch.Rows()).gradients[0];
  EXPECT_EQ(gradient[2], 0.f);
  EXPECT_EQ(gradient[3], 0.f);
  EXPECT_NE(gradient[0], 0.f);
}

TEST(LookupProducts, Gradients) {
  for (const int32_t default_id : {-1, 0, 2}) {
    Graph graph;
    const Value numbers = Numbers(graph, "x", 0, 2);
    const Value hidden = Dense(graph, numbers, {1, 2}, "hidden");
    const Value x = Concat(graph, "input",
                           {numbers, OneHot(graph, "a", 0, 3, default_id), hidden,
                            OneHot(graph, "b", 1, 2, default_id == 2 ? -1 : default_id)});
    Value y = Dense(graph, x, {1, 3}, "first");
    y = Activate(graph, y, Activation::kTanh, "tanh");
    graph.AddOutput("y", Dense(graph, y, {1, 2}, "last"));
    LookUpInsteadOfMultiply(graph);
    for (const int64_t slice_rows : {5, 256}) {
      GraphRunner runner(graph, {.threads = 2, .slice_rows = slice_rows});
      CheckGradients(graph, runner, MakeTestBatch(13, {3, 2}, 2, 1).Rows());
    }
  }
}

TEST(LookupProducts, AOneHotThatIsReadOtherwiseStays) {
  Graph graph;
  const Value one_hot = OneHot(graph, "a", 0, 3);
  graph.AddOutput("looked up", Dense(graph, one_hot, {1, 2}, "d"));
  graph.AddOutput("as it is", one_hot);
  LookUpInsteadOfMultiply(graph);
  GraphRunner runner(graph);
  runner.Write("d.weight", {1, 2, 3, 4, 5, 6});
  runner.Write("d.bias", {0, 0});
  const TestBatch batch = {2, 1, 0, {2, 0}, {}};
  EXPECT_THAT(runner.Predict(batch.Rows()), ElementsAre(ElementsAre(5, 6, 1, 2), ElementsAre(0, 0, 1, 1, 0, 0)));
}

// "a" and "c" share a table of 3 rows, "b" has one of 2; 16 columns, so that tabulation pays at 512 rows.
Graph Embeddings(int32_t default_id, bool rewrite, bool bias = true) {
  Graph graph;
  const int shared = AddEmbedding(graph, "shared", 3, 2, {Initializer::Kind::kUniform, -1.f, 1.f});
  const int own = AddEmbedding(graph, "own", 2, 3, {Initializer::Kind::kUniform, -1.f, 1.f});
  const Value numbers = Numbers(graph, "x", 0, 2);
  const Value hidden = Dense(graph, numbers, {1, 2}, "hidden");
  const Value x = Concat(graph, "input",
                         {Lookup(graph, "a", 0, shared, default_id), hidden, OneHot(graph, "d", 1, 2, default_id),
                          Lookup(graph, "b", 1, own), Lookup(graph, "c", 2, shared, default_id)});
  Value y = Dense(graph, x, {1, 17}, "first", bias);
  y = Activate(graph, y, Activation::kTanh, "tanh");
  graph.AddOutput("y", Dense(graph, y, {1, 2}, "last"));
  if (rewrite) LookUpInsteadOfMultiply(graph);
  return graph;
}

TEST(Tabulation, EqualsTheProduct) {
  for (const bool bias : {true, false}) {
    const Graph before = Embeddings(-1, false, bias);
    for (const int32_t default_id : {-1, 0, 1}) {
      const Graph after = Embeddings(default_id, true, bias);
      EXPECT_THAT(after.Describe(), HasSubstr("1 one-hot columns + 3 tabulated embeddings + dense rest"));
      EXPECT_THAT(after.Describe(), Not(HasSubstr("embedding of")));
      for (const int64_t rows : {1, 13, 150})
        ExpectTheSameModel(before, after, MakeTestBatch(rows, {3, 2, 3}, 2, static_cast<uint64_t>(rows)));
    }
  }
}

TEST(Tabulation, Gradients) {
  for (const int32_t default_id : {-1, 0, 1}) {
    const Graph graph = Embeddings(default_id, true);
    for (const int64_t slice_rows : {5, 256}) {
      GraphRunner runner(graph, {.threads = 2, .slice_rows = slice_rows});
      CheckGradients(graph, runner, MakeTestBatch(13, {3, 2, 3}, 2, 1).Rows());
    }
  }
}

TEST(Tabulation, TheNumberOfThreadsDoesNotShow) {
  const Graph graph = MakeMmoeGraph({.merge = true, .look_up = true, .default_id = 0});
  ASSERT_EQ(graph.derived_tables.size(), 1u);
  const TestBatch batch = MakeMmoeBatch(300);
  GraphRunner one(graph, {.threads = 1, .slice_rows = 32});
  const RunResult want = one.Train(batch.Rows());
  const auto want_predicted = one.Predict(batch.Rows());
  for (const int threads : {2, 4}) {
    GraphRunner several(graph, {.threads = threads, .slice_rows = 32});
    const RunResult got = several.Train(batch.Rows());
    for (size_t i = 0; i < want.gradients.size(); ++i)
      EXPECT_TRUE(SameBits(got.gradients[i], want.gradients[i])) << threads << " threads, " << graph.parameters[i].name;
    const auto predicted = several.Predict(batch.Rows());
    for (size_t t = 0; t < predicted.size(); ++t) EXPECT_TRUE(SameBits(predicted[t], want_predicted[t]));
  }
}

TEST(Tabulation, ARowIsScoredAlikeInEveryBatchAndInTraining) {
  const Graph graph = MakeMmoeGraph({.merge = true, .look_up = true, .default_id = 0});
  GraphRunner runner(graph);
  const TestBatch batch = MakeMmoeBatch(50);
  const auto all = runner.Predict(batch.Rows());
  EXPECT_TRUE(SameBits(runner.Train(batch.Rows()).logits[0], all[0]));
  for (const int64_t r : {0, 17, 49}) EXPECT_EQ(runner.Predict(batch.Rows(r, 1))[0][0], all[0][r]);
}

TEST(Tabulation, ASecondBatchStartsFromItsOwnGradients) {
  const Graph graph = Embeddings(1, true);
  GraphRunner runner(graph), fresh(graph);
  const TestBatch first = MakeTestBatch(40, {3, 2, 3}, 2, 1), second = MakeTestBatch(7, {3, 2, 3}, 2, 2);
  runner.Train(first.Rows());
  const RunResult after = runner.Train(second.Rows()), alone = fresh.Train(second.Rows());
  for (size_t i = 0; i < alone.gradients.size(); ++i) EXPECT_TRUE(SameBits(after.gradients[i], alone.gradients[i]));
}

TEST(Tabulation, ADefaultThatNoRowHoldsHasNoGradient) {
  const Graph graph = Embeddings(1, true);
  GraphRunner runner(graph);
  const TestBatch batch = {3, 3, 2, {0, 0, 2, 2, 0, 0, 2, 0, 2}, {1, 2, 3, 4, 5, 6}};
  const std::vector<float> gradient = runner.Train(batch.Rows()).gradients[runner.Find("embeddings.shared.weight")];
  EXPECT_NE(gradient[0], 0.f);
  EXPECT_EQ(gradient[2], 0.f);
  EXPECT_EQ(gradient[3], 0.f);
  EXPECT_NE(gradient[4], 0.f);
}

TEST(Tabulation, ProductsAreNoParameters) {
  const Graph graph = Embeddings(-1, true);
  ASSERT_EQ(graph.derived_tables.size(), 1u);
  EXPECT_EQ(graph.derived_tables[0].rows, 3 + 2 + 3);
  EXPECT_EQ(graph.derived_tables[0].columns, 17);
  EXPECT_EQ(graph.tables.size(), 3u) << "two of embeddings, one of one-hot rows";
  EXPECT_EQ(graph.NumParameters(), Embeddings(-1, false).NumParameters());
  ParameterStore store(graph, {2, 2});
  EXPECT_EQ(store.tables().size(), 3u);
  EXPECT_EQ(store.derived()[0]->num_states(), 0);
  // W's rows for a (2 · 17 floats, padded to 48), b (3 · 17, 64) and c (48) get their gradients once per batch.
  EXPECT_EQ(store.slice_first(), 48 + 64 + 48);
  EXPECT_EQ(ParameterStore(Embeddings(-1, false), {}).slice_first(), 0);
}

TEST(Tabulation, TouchesTheDefaultRowAndTheRowsOfTheBatchOnce) {
  const Graph graph = Embeddings(1, true);
  GraphRunner runner(graph);
  const TestBatch batch = {2, 3, 2, {0, 0, 2, 0, 0, 0}, {1, 2, 3, 4}};
  runner.executor().Touch(batch.Rows());
  EXPECT_THAT(runner.store().tables()[0]->touched(), ElementsAre(testing::UnorderedElementsAre(0, 1, 2)));
  EXPECT_THAT(runner.store().tables()[1]->touched(), ElementsAre(ElementsAre(0)));
}

TEST(Tabulation, PaysForSmallVocabulariesInLargeBatches) {
  EXPECT_TRUE(TabulationPays(50, 8, 528, 512));
  EXPECT_TRUE(TabulationPays(1000, 16, 528, 4096));
  EXPECT_FALSE(TabulationPays(1000000, 16, 528, 4096)) << "hardly a value comes twice";
  EXPECT_FALSE(TabulationPays(50, 8, 528, 4)) << "nor in so small a batch";
  EXPECT_FALSE(TabulationPays(50, 8, 15, 512)) << "narrow";
  EXPECT_FALSE(TabulationPays(2, 1, 528, 4096)) << "one multiply-add is cheaper than an addition from a table";
}

TEST(Tabulation, SmallVocabulariesFirstUntilTheTableIsFull) {
  for (const auto& [bytes, kept] :
       {std::pair{0, "3 values|40 values|30 values"}, std::pair{35 * 256, "40 values"}, std::pair{1 << 20, ""}}) {
    Graph graph;
    std::vector<Value> parts;
    for (const int64_t vocabulary : {3, 40, 30}) {
      const std::string name = std::to_string(vocabulary);
      const int table = AddEmbedding(graph, name, vocabulary, 8, {});
      parts.push_back(Lookup(graph, name, static_cast<int>(parts.size()), table));
    }
    graph.AddOutput("y", Dense(graph, Concat(graph, "input", parts), {1, 32}, "y"));  // 256 bytes a row and gradient
    LookUpInsteadOfMultiply(graph, {.batch_rows = 512, .table_bytes = bytes});
    for (const char* values : {"3 values", "40 values", "30 values"}) {
      const bool stays = std::string_view(kept).find(values) != std::string_view::npos;
      EXPECT_EQ(graph.Describe().find(std::string("embedding of ") + values) != std::string::npos, stays)
          << values << " at " << bytes << " bytes";
    }
  }
}

TEST(LookupProducts, WithoutOneHotsNothingChanges) {
  Graph graph;
  graph.AddOutput("y", Dense(graph, Numbers(graph, "x", 0, 2), {1, 1}, "y"));
  const std::string before = graph.Describe();
  LookUpInsteadOfMultiply(graph);
  EXPECT_EQ(graph.Describe(), before);
  EXPECT_TRUE(graph.tables.empty());
}

// Lists of up to 3 of 6 values: one-hot, summed and averaged; beside them a column with a default.
Graph ValueLists(bool rewrite, int32_t default_id, bool bias = true) {
  Graph graph;
  const int summed = AddEmbedding(graph, "summed", 6, 20, {Initializer::Kind::kUniform, -1.f, 1.f});
  const int averaged = AddEmbedding(graph, "averaged", 6, 4, {Initializer::Kind::kUniform, -1.f, 1.f});
  const Value x =
      Concat(graph, "input",
             {Lookup(graph, "a", {0, 3}, summed), OneHot(graph, "b", {0, 3}, 6), OneHot(graph, "c", 3, 4, default_id),
              Numbers(graph, "x", 0, 2), Lookup(graph, "d", {4, 3}, averaged, -1, Pooling::kMean)});
  Value y = Dense(graph, x, {1, 17}, "first", bias);
  y = Activate(graph, y, Activation::kTanh, "tanh");
  graph.AddOutput("y", Dense(graph, y, {1, 2}, "last"));
  if (rewrite) LookUpInsteadOfMultiply(graph);
  return graph;
}

TestBatch ValueListBatch(int64_t rows) { return MakeValueBatch(rows, {{6, 3}, {4, 1}, {6, 3}}, 2, 8); }

TEST(LookupProducts, SeveralValuesAddARowEach) {
  for (const bool bias : {true, false}) {
    const Graph before = ValueLists(false, -1, bias);
    for (const int32_t default_id : {-1, 0, 3}) {
      const Graph after = ValueLists(true, default_id, bias);
      EXPECT_THAT(after.Describe(), HasSubstr("2 one-hot columns + 1 tabulated embedding + dense rest"));
      EXPECT_THAT(after.Describe(), HasSubstr("mean of up to 3 embeddings of 6 values")) << "a mean is no sum of rows";
      for (const int64_t rows : {1, 5, 200}) ExpectTheSameModel(before, after, ValueListBatch(rows));
    }
  }
}

TEST(LookupProducts, GradientsOfSeveralValues) {
  const Graph graph = ValueLists(true, 0);
  GraphRunner runner(graph, {.threads = 2, .slice_rows = 5});
  CheckGradients(graph, runner, ValueListBatch(13).Rows());
}

TEST(LookupProducts, SeveralValuesAreTheSameBitsForAnyThreads) {
  const Graph graph = ValueLists(true, 0);
  const TestBatch batch = ValueListBatch(200);
  GraphRunner one(graph, {.threads = 1, .slice_rows = 16}), three(graph, {.threads = 3, .slice_rows = 16});
  const RunResult a = one.Train(batch.Rows()), b = three.Train(batch.Rows());
  EXPECT_TRUE(SameBits(a.logits[0], b.logits[0]));
  for (size_t i = 0; i < a.gradients.size(); ++i)
    EXPECT_TRUE(SameBits(a.gradients[i], b.gradients[i])) << graph.parameters[i].name;
}

TEST(LookupProducts, ManyValuesAreSummedBeforeTheyAreMultiplied) {
  // 3·16·U + 5·B·K < 3·16·B: at 2 values of 10 tabulation pays, at 40 it does not.
  EXPECT_TRUE(TabulationPays(10, 16, 64, 512, 2));
  EXPECT_FALSE(TabulationPays(10, 16, 64, 512, 40));
  Graph graph;
  const int table = AddEmbedding(graph, "t", 10, 16, {Initializer::Kind::kUniform, -1.f, 1.f});
  const int larger = AddEmbedding(graph, "larger", 20, 16, {Initializer::Kind::kUniform, -1.f, 1.f});
  const Value x = Concat(graph, "input", {Lookup(graph, "a", {0, 40}, table), Lookup(graph, "b", 40, larger)});
  graph.AddOutput("y", Dense(graph, x, {1, 64}, "y"));
  LookUpInsteadOfMultiply(graph, {.batch_rows = 512});
  EXPECT_THAT(graph.Describe(), HasSubstr("sum of up to 40 embeddings of 10 values"));
  EXPECT_THAT(graph.Describe(), HasSubstr("1 tabulated embedding + dense rest")) << "the single values still are";
}

}  // namespace
}  // namespace manygate
