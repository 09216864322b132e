// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "manygate/base/file.h"
#include "manygate/base/manifest.h"
#include "manygate/base/safetensors.h"
#include "manygate/catalog/catalog_testing.h"
#include "manygate/data/test_files.h"
#include "manygate/features/schema.h"
#include "manygate/graph/executor.h"
#include "manygate/ops/graph_runner_testing.h"

namespace manygate {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<std::vector<float>> Predict(Model& model, const TestBatch& batch) {
  ThreadPool pool(2);
  Executor executor(model.graph, *model.store, {.slice_rows = 64}, pool);
  std::vector<std::vector<float>> logits(model.graph.outputs.size(), std::vector<float>(batch.rows));
  executor.ParametersChanged();
  executor.Forward(batch.Rows(), [&](const Slice& slice) {
    for (size_t t = 0; t < logits.size(); ++t)
      for (int64_t r = 0; r < slice.rows; ++r)
        logits[t][slice.first_row + r] = slice.logits[t].data[r * slice.logits[t].stride];
  });
  return logits;
}

TEST(Model, ASavedModelPredictsTheSameBits) {
  for (const char* kind :
       {"mmoe { expert_mlp { hidden_units: [6, 4] use_bn: true } TOWERS }",
        "omoe { expert_mlp { hidden_units: 6 use_ln: true } TOWERS }",
        "shared_bottom { bottom_mlp { hidden_units: 6 dropout_ratio: 0.5 } TOWERS }", "simple_multi_task { TOWERS }"}) {
    SCOPED_TRACE(kind);
    const TestFolder folder;
    const auto model = MakeTrainingModel(TestPipeline(kind), TestSchema());
    const std::string dir = folder.Path("new/folder");
    Status status = SaveModel(*model, dir);
    ASSERT_TRUE(status.ok()) << status.message();

    auto loaded = LoadModel(dir);
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    const TestBatch batch = MakeTestBatch(200, {5, 4, 8}, 4, 1);
    const auto want = Predict(*model, batch), got = Predict(**loaded, batch);
    ASSERT_EQ(got.size(), 2u);
    for (size_t t = 0; t < want.size(); ++t) EXPECT_TRUE(SameBits(got[t], want[t])) << t;
    EXPECT_NE(want[1][0], want[1][1]) << "rows differ";
    ASSERT_EQ((*loaded)->tasks.size(), 2u);
    EXPECT_EQ((*loaded)->tasks[0].label, 0);
    EXPECT_EQ((*loaded)->tasks[1].label, 1);
    EXPECT_STREQ((*loaded)->tasks[1].losses[0].loss->name(), "l2_loss");
    EXPECT_EQ(config::PrintPipeline((*loaded)->pipeline), config::PrintPipeline(model->pipeline));

    // Saved again: the same files.
    ASSERT_TRUE(SaveModel(**loaded, folder.Path("again")).ok());
    for (const char* file : {kConfigFileName, features::kSchemaFileName, kWeightsFileName})
      EXPECT_EQ(FileContent(JoinPath(dir, file)), FileContent(folder.Path(std::string("again/") + file))) << file;
  }
}

TEST(Model, EmbeddingsThatNoTrainingRowReachesStartAtZero) {
  features::Schema schema = TestSchema();
  auto* state = schema.mutable_features(3);  // x, y, unknown, missing
  state->set_missing_count(1);
  const auto read = [&] {
    const auto model = MakeTrainingModel(TestPipeline(), schema);
    for (size_t i = 0; i < model->graph.parameters.size(); ++i)
      if (model->graph.parameters[i].name == "embeddings.state.weight") return model->store->Read(static_cast<int>(i));
    return std::vector<float>();
  };
  std::vector<float> values = read();
  ASSERT_EQ(values.size(), 16u);
  for (int id = 0; id < 4; ++id)
    for (int i = 0; i < 4; ++i) {
      if (id == 2) EXPECT_EQ(values[id * 4 + i], 0) << "unknown";
      if (id != 2) EXPECT_GE(values[id * 4 + i], 2) << id;
    }
  state->set_unknown_count(5);
  state->clear_missing_count();
  state->set_training_count(0, 0);
  values = read();
  for (const int id : {0, 3}) EXPECT_EQ(values[id * 4], 0) << id;
  for (const int id : {1, 2}) EXPECT_GE(values[id * 4], 2) << id;
}

TEST(Model, StatesAreThoseOfTheOptimizersAndNoneForPrediction) {
  EXPECT_EQ(MakeTrainingModel(TestPipeline(), TestSchema())->store->num_states(), 2);
  config::Pipeline pipeline = TestPipeline();
  pipeline.mutable_train_config()->mutable_sparse_optimizer()->mutable_adagrad_optimizer();
  const auto model = MakeTrainingModel(pipeline, TestSchema());
  for (size_t t = 0; t < model->graph.tables.size(); ++t)
    EXPECT_EQ(model->store->tables()[t]->num_states(), model->graph.tables[t].embedding ? 1 : 2);
  const auto predicting = MakePredictionModel(pipeline, TestSchema());
  EXPECT_EQ(predicting->store->num_states(), 0);
  for (const auto& table : predicting->store->tables()) EXPECT_EQ(table->num_states(), -1);
}

TEST(Model, TheSeedDecidesInitialWeights) {
  config::Pipeline pipeline = TestPipeline();
  const auto first = MakeTrainingModel(pipeline, TestSchema());
  const auto same = MakePredictionModel(pipeline, TestSchema());
  pipeline.mutable_train_config()->set_seed(4);
  const auto other = MakeTrainingModel(pipeline, TestSchema());
  EXPECT_EQ(first->store->Read(0), same->store->Read(0));
  EXPECT_NE(first->store->Read(0), other->store->Read(0));
}

class DamagedModel : public testing::Test {
 protected:
  DamagedModel() { MG_CHECK(SaveModel(*MakeTrainingModel(TestPipeline(), TestSchema()), dir_).ok(), "{}", dir_); }

  std::string File(const std::string& name) const { return JoinPath(dir_, name); }
  // As whoever wrote the damaged files himself would.
  void WriteManifestAgain() {
    const std::vector<std::string> files = {kConfigFileName, features::kSchemaFileName, kWeightsFileName};
    ASSERT_TRUE(WriteManifest(dir_, kModelFormatVersion, "test", files).ok());
  }
  void EditWeights(const std::function<void(std::vector<TensorEntry>&)>& edit) {
    auto entries = ReadSafetensors(File(kWeightsFileName));
    ASSERT_TRUE(entries.ok());
    edit(*entries);
    ASSERT_TRUE(WriteSafetensors(File(kWeightsFileName), *entries, {}).ok());
    WriteManifestAgain();
  }
  void EditSchema(const std::function<void(features::Schema&)>& edit) {
    features::Schema schema = TestSchema();
    edit(schema);
    ASSERT_TRUE(WriteFileAtomic(File(features::kSchemaFileName), features::SchemaToText(schema)).ok());
    WriteManifestAgain();
  }
  std::string LoadError() const {
    const auto loaded = LoadModel(dir_);
    EXPECT_EQ(loaded.status().code(), StatusCode::kInvalidInput);
    return loaded.status().message();
  }
  static TensorEntry& Find(std::vector<TensorEntry>& entries, const std::string& name) {
    for (TensorEntry& entry : entries)
      if (entry.name == name) return entry;
    MG_CHECK(false, "no {}", name);
    return entries[0];
  }

  const TestFolder folder_;
  const std::string dir_ = folder_.Path("model");
};

TEST_F(DamagedModel, IsNoModelDirectory) {
  std::filesystem::remove(File("MANIFEST.json"));
  EXPECT_THAT(LoadError(), HasSubstr(File("MANIFEST.json")));
}

TEST_F(DamagedModel, AFileIsMissingOrChanged) {
  for (const char* name : {kConfigFileName, features::kSchemaFileName, kWeightsFileName}) {
    const std::string content = FileContent(File(name));
    std::filesystem::remove(File(name));
    EXPECT_THAT(LoadError(), HasSubstr(File(name)));
    std::string changed = content;
    changed[changed.size() / 2] ^= 1;
    ASSERT_TRUE(WriteFileAtomic(File(name), changed).ok());
    EXPECT_THAT(LoadError(), HasSubstr(File(name)));
    ASSERT_TRUE(WriteFileAtomic(File(name), content).ok());
  }
  EXPECT_TRUE(LoadModel(dir_).ok()) << "all mended";
}

TEST_F(DamagedModel, AWeightIsMissing) {
  EditWeights([](auto& entries) {
    std::erase_if(entries, [](const TensorEntry& e) { return e.name == "towers.income.output.weight"; });
  });
  EXPECT_EQ(LoadError(), File(kWeightsFileName) +
                             ": parameter \"towers.income.output.weight\" is missing; "
                             "pipeline.config says that it has shape [3, 1]");
}

TEST_F(DamagedModel, AWeightHasAnotherShape) {
  EditWeights([](auto& entries) { Find(entries, "towers.income.output.weight").shape = {1, 3}; });
  EXPECT_EQ(LoadError(), File(kWeightsFileName) +
                             ": parameter \"towers.income.output.weight\" has shape [1, 3], "
                             "pipeline.config expects [3, 1]");
}

TEST_F(DamagedModel, AWeightIsNoPartOfTheModel) {
  EditWeights([](auto& entries) { entries.push_back({"towers.age.output.bias", {1}, {0.5f}}); });
  EXPECT_EQ(LoadError(), File(kWeightsFileName) + ": parameter \"towers.age.output.bias\" is not part of this model");
}

TEST_F(DamagedModel, AWeightIsNotFinite) {
  EditWeights([](auto& entries) {
    Find(entries, "gates.hours.output.bias").values[1] = std::nanf("");
    Find(entries, "embeddings.state.weight").values[5] = -INFINITY;
  });
  EXPECT_THAT(LoadError(),
              AllOf(StartsWith(File(kWeightsFileName)),
                    HasSubstr("\"gates.hours.output.bias\" holds nan; every weight must be a finite number"),
                    HasSubstr("\"embeddings.state.weight\" holds -inf; every weight must be a finite number")));
}

TEST_F(DamagedModel, AllProblemsOfTheWeightsAreNamed) {
  EditWeights([](auto& entries) {
    Find(entries, "towers.income.output.bias").name = "towers.income.output.bios";
    Find(entries, "towers.hours.output.bias").shape = {1, 1};
  });
  const std::string error = LoadError();
  EXPECT_EQ(std::count(error.begin(), error.end(), '\n'), 2) << error;
}

TEST_F(DamagedModel, TheSchemaLacksAFeatureOrALabel) {
  EditSchema([](features::Schema& schema) {
    schema.mutable_features()->RemoveLast();  // height
    schema.set_number_width(3);
  });
  EXPECT_EQ(LoadError(), File("schema.pbtxt") +
                             ": feature \"height\" of pipeline.config is missing. Both files must "
                             "come from one training.");
  EditSchema([](features::Schema& schema) { schema.mutable_labels()->RemoveLast(); });
  EXPECT_EQ(LoadError(), File("schema.pbtxt") +
                             ": label \"hours\" of pipeline.config is missing. Both files must come "
                             "from one training.");
}

TEST_F(DamagedModel, TheVocabularyHasAnotherSize) {
  EditSchema([](features::Schema& schema) {
    auto* job = schema.mutable_features(2);
    job->add_value("d");
    job->add_training_count(0);
    job->set_vocabulary_size(6);
  });
  EXPECT_THAT(LoadError(), AllOf(StartsWith(File(kWeightsFileName)), HasSubstr("experts.layers.0.weight\" has shape")));
}

TEST_F(DamagedModel, ConfigurationOrSchemaIsNoText) {
  ASSERT_TRUE(WriteFileAtomic(File(features::kSchemaFileName), "features {").ok());
  WriteManifestAgain();
  EXPECT_THAT(LoadError(), StartsWith(File("schema.pbtxt:1:")));
  ASSERT_TRUE(WriteFileAtomic(File(kConfigFileName), "model_config { mmoo {} }").ok());
  WriteManifestAgain();
  EXPECT_THAT(LoadError(), AllOf(StartsWith(File("pipeline.config:1:")), HasSubstr("mmoo")));
}

TEST_F(DamagedModel, AConfigurationOutOfRange) {
  std::string text = FileContent(File(kConfigFileName));
  const size_t at = text.find("lr: 0.01");
  ASSERT_NE(at, std::string::npos);
  ASSERT_TRUE(WriteFileAtomic(File(kConfigFileName), text.replace(at, 8, "lr: -1.0")).ok());
  WriteManifestAgain();
  EXPECT_THAT(LoadError(), StartsWith(File("pipeline.config:")));
}

}  // namespace
}  // namespace manygate
