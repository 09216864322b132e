// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/override.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

namespace manygate::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kText[] = R"(
train_config { num_epochs: 1 dense_optimizer { adam_optimizer { lr: 0.1 } } }
data_config { missing_values: "?" }
feature_configs { id_feature { feature_name: "a" embedding_dim: 4 } }
feature_configs { raw_feature { feature_name: "b" boundaries: [1, 2] } }
model_config { mmoe { expert_mlp { hidden_units: [16, 8] } } }
)";

LoadedPipeline Load() {
  StatusOr<LoadedPipeline> loaded = LoadPipelineFromText("p.config", kText);
  EXPECT_TRUE(loaded.ok()) << loaded.status().message();
  return *std::move(loaded);
}

// The pipeline after the overrides.
LoadedPipeline With(std::vector<std::string> overrides) {
  LoadedPipeline loaded = Load();
  for (const std::string& text : overrides) {
    const Status status = ApplyOverride(text, &loaded);
    EXPECT_TRUE(status.ok()) << status.message();
  }
  return loaded;
}

TEST(OverrideTest, SetsValuesOfEveryType) {
  const Pipeline pipeline =
      With({"train_config.num_epochs=3", "train_config.use_tensorboard=false",
            "train_config.dense_optimizer"
            ".adam_optimizer.lr=1e-2",
            "data_config.split.validation_fraction=0.25", "model_dir=out/a b", "eval_input_path=\"x.csv\"",
            "data_config.input_fields+={input_name: \"c\" input_type: INT64}",
            "data_config.input_fields[0].input_type=STRING", "data_config.delimiter=;"})
          .pipeline;
  EXPECT_EQ(pipeline.train_config().num_epochs(), 3u);
  EXPECT_FALSE(pipeline.train_config().use_tensorboard());
  EXPECT_EQ(pipeline.train_config().dense_optimizer().adam_optimizer().lr(), 0.01f);
  EXPECT_EQ(pipeline.data_config().split().validation_fraction(), 0.25);
  EXPECT_EQ(pipeline.model_dir(), "out/a b");
  EXPECT_EQ(pipeline.eval_input_path(), "x.csv");
  EXPECT_EQ(pipeline.data_config().input_fields(0).input_type(), STRING);
  EXPECT_EQ(pipeline.data_config().delimiter(), ";");
}

TEST(OverrideTest, TextsAreTakenAsTheyAre) {
  EXPECT_EQ(With({R"(model_dir=a"b\c#d)"}).pipeline.model_dir(), R"(a"b\c#d)");
  EXPECT_EQ(With({"model_dir="}).pipeline.model_dir(), "");
  EXPECT_EQ(With({"model_dir=a=b"}).pipeline.model_dir(), "a=b");
  EXPECT_EQ(With({R"(data_config.delimiter="\t")"}).pipeline.data_config().delimiter(), "\t");
}

TEST(OverrideTest, ListsAreReplacedAndAddedTo) {
  EXPECT_THAT(With({"model_config.mmoe.expert_mlp.hidden_units=[64,32,16]"})
                  .pipeline.model_config()
                  .mmoe()
                  .expert_mlp()
                  .hidden_units(),
              ElementsAre(64, 32, 16));
  EXPECT_THAT(
      With({"model_config.mmoe.expert_mlp.hidden_units=64"}).pipeline.model_config().mmoe().expert_mlp().hidden_units(),
      ElementsAre(64));
  EXPECT_THAT(With({"model_config.mmoe.expert_mlp.hidden_units[1]=9"})
                  .pipeline.model_config()
                  .mmoe()
                  .expert_mlp()
                  .hidden_units(),
              ElementsAre(16, 9));
  EXPECT_THAT(With({"data_config.missing_values+=NA", "data_config.missing_values+=[a, b]"})
                  .pipeline.data_config()
                  .missing_values(),
              ElementsAre("?", "NA", "a", "b"));
  EXPECT_THAT(With({"data_config.missing_values=[\"x,y\", 'z']"}).pipeline.data_config().missing_values(),
              ElementsAre("x,y", "z"));
  EXPECT_THAT(With({"data_config.missing_values=[]"}).pipeline.data_config().missing_values(), ElementsAre());
  EXPECT_EQ(
      With({"feature_configs[0].id_feature.embedding_dim=8"}).pipeline.feature_configs(0).id_feature().embedding_dim(),
      8u);
  EXPECT_EQ(With({"feature_configs+={raw_feature {feature_name: \"n\"}}"})
                .pipeline.feature_configs(2)
                .raw_feature()
                .feature_name(),
            "n");
}

TEST(OverrideTest, MessagesAreReplacedNotMerged) {
  const Pipeline pipeline =
      With({"train_config.ema={decay: 0.5}", "feature_configs[0]={id_feature {feature_name: \"z\"}}"}).pipeline;
  EXPECT_EQ(pipeline.train_config().ema().decay(), 0.5f);
  EXPECT_EQ(pipeline.feature_configs(0).id_feature().feature_name(), "z");
  EXPECT_FALSE(pipeline.feature_configs(0).id_feature().has_embedding_dim());
}

TEST(OverrideTest, ChoicesSwitch) {
  const Optimizer optimizer =
      With({"train_config.dense_optimizer.sgd_optimizer.lr=0.5"}).pipeline.train_config().dense_optimizer();
  EXPECT_FALSE(optimizer.has_adam_optimizer());
  EXPECT_EQ(optimizer.sgd_optimizer().lr(), 0.5f);
  EXPECT_TRUE(With({"model_config.omoe={expert_mlp {hidden_units: 4}}"}).pipeline.model_config().has_omoe());
}

TEST(OverrideTest, PlacesNameTheOverride) {
  const LoadedPipeline loaded = With(
      {"train_config.num_epochs=0", "train_config.ema={decay: 2}", "model_config.mmoe.expert_mlp.hidden_units=[0,1]",
       "data_config.missing_values+=NA", "feature_configs[1].raw_feature.boundaries[0]=7"});
  const Pipeline& pipeline = loaded.pipeline;
  EXPECT_EQ(loaded.Place(pipeline.train_config(), "num_epochs"), "--set train_config.num_epochs=0");
  EXPECT_EQ(loaded.Place(pipeline.train_config().ema(), "decay"), "--set train_config.ema={decay: 2}");
  EXPECT_EQ(loaded.Place(pipeline.model_config().mmoe().expert_mlp(), "hidden_units", 0),
            "--set model_config.mmoe.expert_mlp.hidden_units=[0,1]");
  EXPECT_EQ(loaded.Place(pipeline.data_config(), "missing_values", 0), "p.config:3:15");
  EXPECT_EQ(loaded.Place(pipeline.data_config(), "missing_values", 1), "--set data_config.missing_values+=NA");
  EXPECT_EQ(loaded.Place(pipeline.feature_configs(1).raw_feature(), "boundaries", 0),
            "--set feature_configs[1].raw_feature.boundaries[0]=7");
  EXPECT_EQ(loaded.Place(pipeline.feature_configs(1).raw_feature(), "boundaries", 1), "p.config:5:67");
  EXPECT_EQ(loaded.Place(pipeline.train_config().dense_optimizer().adam_optimizer(), "lr"), "p.config:2:65");
}

struct OverrideCase {
  const char* text;
  const char* problem;  // start of what follows "--set <text>: "
};

class OverrideErrorTest : public ::testing::TestWithParam<OverrideCase> {};

TEST_P(OverrideErrorTest, SaysWhatIsWrongAndChangesNothing) {
  LoadedPipeline loaded = Load();
  const Pipeline before = loaded.pipeline;
  const auto places_before = loaded.places;
  const Status status = ApplyOverride(GetParam().text, &loaded);
  EXPECT_EQ(status.code(), StatusCode::kInvalidInput);
  EXPECT_THAT(status.message(), StartsWith(std::string("--set ") + GetParam().text + ": " + GetParam().problem));
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(loaded.pipeline, before));
  EXPECT_EQ(loaded.places, places_before);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, OverrideErrorTest,
    ::testing::Values(
        OverrideCase{"train_config", "expected path=value"}, OverrideCase{"=3", "expected path=value"},
        OverrideCase{"train_config.num_epoch=3",
                     "unknown field \"num_epoch\" in TrainConfig. Did you mean \"num_epochs\"?"},
        OverrideCase{"trainconfig.num_epochs=3",
                     "unknown field \"trainconfig\" in Pipeline. Did you mean \"train_config\"?"},
        OverrideCase{"train_config..seed=3", "unknown field \"\" in TrainConfig."},
        OverrideCase{"train_config.num_epochs=many",
                     "num_epochs needs a whole number from 0 to 4294967295, found many"},
        OverrideCase{"train_config.num_epochs=-3", "num_epochs needs a whole number from 0 to 4294967295, found -3"},
        OverrideCase{"train_config.num_epochs=", "num_epochs has no value"},
        OverrideCase{"train_config.num_epochs=3 seed: 4", "expected one value for num_epochs"},
        OverrideCase{"train_config.use_tensorboard=maybe", "use_tensorboard needs true or false, found maybe"},
        OverrideCase{"data_config.dataset_type=Csv",
                     "dataset_type has no value \"Csv\". Did you mean \"CsvDataset\"? Values: CsvDataset, "
                     "ParquetDataset, TFRecordDataset, FieldListDataset"},
        OverrideCase{"train_config.ema=0.9", "ema needs fields in { }, found \"0.9\""},
        OverrideCase{"train_config.ema={rate: 0.9}", "unknown field \"rate\" in Ema. Fields: decay"},
        OverrideCase{"train_config.seed.x=1", "seed is a value, it has no fields"},
        OverrideCase{"train_config[0].seed=1", "train_config is no list, it takes no [index]"},
        OverrideCase{"train_config.seed+=1", "+= needs a list, train_config.seed is none"},
        OverrideCase{"feature_configs.id_feature.embedding_dim=1",
                     "feature_configs is a list: write feature_configs[0] to feature_configs[1]"},
        OverrideCase{"feature_configs[2].id_feature.embedding_dim=1",
                     "feature_configs[2] does not exist: the list has 2 elements; add to it with +="},
        OverrideCase{"feature_configs[-1].id_feature.embedding_dim=1",
                     "\"feature_configs[-1]\": expected feature_configs[index], counted from 0"},
        OverrideCase{"feature_configs[1=1", "\"feature_configs[1\": expected feature_configs[index]"},
        OverrideCase{"data_config.input_fields.input_name=a",
                     "input_fields is empty; add to it with input_fields+={...}"},
        OverrideCase{"model_config.omoe.task_towers[0].weight=2",
                     "task_towers[0] does not exist: the list has 0 elements"},
        OverrideCase{"model_config.mmoe.expert_mlp.hidden_units=[1,x]",
                     "hidden_units needs a whole number from 0 to 4294967295, found x"},
        OverrideCase{"model_config.mmoe.expert_mlp.hidden_units[0]=[1,2]", "expected one value for hidden_units"}));

TEST(OverrideTest, AllOverridesAreReported) {
  const std::vector<std::string> overrides = {"train_config.num_epochs=x", "nothing=1", "train_config.seed=5"};
  const Status status = LoadPipelineFromText("p.config", kText, overrides).status();
  EXPECT_THAT(status.message(), HasSubstr("--set train_config.num_epochs=x: num_epochs needs"));
  EXPECT_THAT(status.message(), HasSubstr("\n--set nothing=1: unknown field \"nothing\" in Pipeline."));
}

}  // namespace
}  // namespace manygate::config
