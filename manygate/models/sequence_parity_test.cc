// SPDX-License-Identifier: Apache-2.0
// Sequence encoders and embeddings of numbers against PyTorch in double precision: tests/parity/sequence_reference.py
// writes outputs and gradients of every parameter, for sequences of length 0, 1, some and all.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "manygate/base/thread_pool.h"
#include "manygate/graph/executor.h"
#include "manygate/graph/parameter_store.h"
#include "manygate/models/dense_embedding.h"
#include "manygate/models/sequence_encoder.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/lookup_products.h"
#include "manygate/ops/merge_products.h"
#include "manygate/ops/mix.h"
#include "manygate/ops/sequence.h"

namespace manygate {
namespace {

constexpr double kTolerance = 1e-5;
constexpr int kPositions = 5;
constexpr int64_t kVocabulary = 6, kDim = 3, kNumberDim = 3;

using Tensors = std::map<std::string, std::vector<double>>;

std::map<std::string, Tensors> ReadDump() {
  std::ifstream file(std::string(MANYGATE_SOURCE_DIR) + "/tests/parity/sequence_reference.dump");
  std::map<std::string, Tensors> sections;
  std::string line, values, kind, section, name;
  while (std::getline(file, line) && std::getline(file, values)) {
    std::istringstream(line) >> kind >> section >> name;
    std::istringstream words(values);
    std::vector<double>& tensor = sections[section][name];
    for (double value; words >> value;) tensor.push_back(value);
  }
  return sections;
}

config::MLP AttentionMlp(bool layer_norm) {
  config::MLP mlp;
  mlp.add_hidden_units(6);
  mlp.add_hidden_units(4);
  mlp.set_activation("nn.SiLU");
  mlp.set_use_ln(layer_norm);
  return mlp;
}

// The order of parameters plays no part: they are matched by name.
Graph ReferenceGraph() {
  Graph graph;
  const int table = AddEmbedding(graph, "item", kVocabulary, kDim, {});
  const SequencePart clicks = {.slots = {1, kPositions}, .table = table};
  const SequencePart prices = {.number_offset = 0, .width = 1, .positions = kPositions};
  const Value item = Lookup(graph, "item", 0, table);
  const Value sequence = Sequence(graph, "clicks", {clicks, prices}, kPositions);
  const Value length = SequenceLength(graph, "clicks.length", clicks);
  const Value query = Dense(graph, item, {1, kDim + 1}, "query", false);
  graph.AddOutput("din", DinEncoder(graph, item, sequence, length, AttentionMlp(false), "din"));
  graph.AddOutput("din_norm", DinEncoder(graph, query, sequence, length, AttentionMlp(true), "din_norm"));
  graph.AddOutput("attention", SimpleAttention(graph, query, sequence, length, "attention"));
  graph.AddOutput("sum", PoolingEncoder(graph, sequence, length, Pooling::kSum, "sum"));
  graph.AddOutput("mean", PoolingEncoder(graph, sequence, length, Pooling::kMean, "mean"));
  const Value ids = Sequence(graph, "ids", {clicks}, kPositions);
  graph.AddOutput("weighted", Mix(graph, ids, Numbers(graph, "weights", kPositions, kPositions), "weighted"));
  const Value scores = Numbers(graph, "numbers", 2 * kPositions, 3);
  const Value age = SliceColumns(graph, "age.number", scores, 0, {1, 1});
  graph.AddOutput("scores", MlpEmbedding(graph, scores, kNumberDim, "scores"));
  graph.AddOutput("age", MlpEmbedding(graph, age, kNumberDim, "age"));
  const AutoDis autodis = {.num_channels = 4, .temperature = 0.5f, .keep_prob = 0.75f};
  graph.AddOutput("price", AutoDisEmbedding(graph, age, kNumberDim, autodis, "price"));
  return graph;
}

// Slices of a batch of 7 rows, and whether the rewriting passes ran.
struct Form {
  int64_t slice_rows;
  bool rewritten;
};
class SequenceParity : public testing::TestWithParam<Form> {};

TEST_P(SequenceParity, OutputsAndGradientsEqualPyTorchs) {
  std::map<std::string, Tensors> dump = ReadDump();
  std::vector<int32_t> ids(dump["input"]["ids"].begin(), dump["input"]["ids"].end());
  std::vector<float> numbers(dump["input"]["numbers"].begin(), dump["input"]["numbers"].end());
  for (float& number : numbers)
    if (number == 1e9f) number = std::nanf("");
  const int64_t id_slots = kPositions + 1, number_width = 2 * kPositions + 3;
  const InputBatch batch{static_cast<int64_t>(ids.size()) / id_slots, ids.data(), id_slots, numbers.data(),
                         number_width};
  ASSERT_EQ(batch.rows, 7);

  Graph graph = ReferenceGraph();
  if (GetParam().rewritten) {
    MergeParallelProducts(graph);
    LookUpInsteadOfMultiply(graph);
  }
  ThreadPool pool(2);
  ParameterStore store(graph, {0, 0});
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const std::vector<double>& initial = dump["initial"][graph.parameters[i].name];
    ASSERT_EQ(static_cast<int64_t>(initial.size()), graph.parameters[i].size()) << graph.parameters[i].name;
    store.Write(static_cast<int>(i), std::vector<float>(initial.begin(), initial.end()));
  }
  EXPECT_EQ(graph.parameters.size(), dump["initial"].size());
  EXPECT_EQ(graph.outputs.size(), dump["output"].size());

  Executor executor(graph, store, {.training = true, .slice_rows = GetParam().slice_rows}, pool);
  executor.Touch(batch);
  executor.ForwardBackward(batch, 1, [&](const Slice& slice) {
    for (size_t t = 0; t < graph.outputs.size(); ++t) {
      const std::string& name = graph.outputs[t].name;
      const int64_t width = graph.shape(graph.outputs[t].logits).size();
      const std::vector<double>& want = dump.at("output").at(name);
      const std::vector<double>& target = dump.at("target").at(name);
      ASSERT_EQ(static_cast<int64_t>(want.size()), batch.rows * width) << name;
      for (int64_t r = 0; r < slice.rows; ++r) {
        for (int64_t j = 0; j < width; ++j) {
          const int64_t at = (slice.first_row + r) * width + j;
          const float got = slice.logits[t].data[r * slice.logits[t].stride + j];
          EXPECT_NEAR(got, want[at], kTolerance) << name << " [" << at << "]";
          slice.d_logits[t].data[r * slice.d_logits[t].stride + j] =
              (got - static_cast<float>(target[at])) / static_cast<float>(batch.rows);
        }
      }
    }
  });
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const std::string& name = graph.parameters[i].name;
    const std::vector<float> got = store.ReadGradient(static_cast<int>(i));
    const std::vector<double>& want = dump.at("gradient").at(name);
    ASSERT_EQ(got.size(), want.size()) << name;
    for (size_t j = 0; j < got.size(); ++j) EXPECT_NEAR(got[j], want[j], kTolerance) << name << " [" << j << "]";
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, SequenceParity, testing::Values(Form{256, false}, Form{2, false}, Form{256, true}),
                         [](const auto& info) {
                           return "rows_" + std::to_string(info.param.slice_rows) +
                                  (info.param.rewritten ? "_rewritten" : "_as_wired");
                         });

}  // namespace
}  // namespace manygate
