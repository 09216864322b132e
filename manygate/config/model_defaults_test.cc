// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/model_defaults.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include "manygate/config/accessors.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"

namespace manygate::config {
namespace {

using google::protobuf::util::MessageDifferencer;
using ::testing::StartsWith;

std::vector<TaskTower> TwoTowers() {
  std::vector<TaskTower> towers(2);
  towers[0].set_label_name("click");
  towers[1].set_label_name("buy");
  return towers;
}

std::vector<TaskTower> OneTower() { return {TwoTowers()[0]}; }

std::string Difference(const std::string& expected_text, const ModelConfig& model) {
  ModelConfig expected;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(expected_text, &expected)) << expected_text;
  std::string difference;
  MessageDifferencer differencer;
  differencer.ReportDifferencesToString(&difference);
  differencer.Compare(expected, model);
  return difference;
}

// R2 of the study on accuracy: SiLU, dropout, 1.7 above the first layer.
const NetworkDefaults kLarge = {
    .activation = "nn.SiLU", .dropout = 0.5f, .first_init_scale = 1, .init_scale = 1.5f, .num_expert = 4};

TEST(ModelDefaultsTest, NeededNetworks) {
  EXPECT_EQ(Difference("mmoe { expert_mlp { hidden_units: [128, 64] }"
                       " task_towers { label_name: 'click' mlp { hidden_units: 32 } }"
                       " task_towers { label_name: 'buy' mlp { hidden_units: 32 } } }",
                       *DefaultModel("mmoe", TwoTowers())),
            "");
  EXPECT_EQ(
      Difference("mmoe { num_expert: 4 expert_mlp { hidden_units: [128, 64] activation: 'nn.SiLU' dropout_ratio: 0.5 "
                 "init_scale: [1, 1.5] }"
                 " task_towers { label_name: 'click' mlp { hidden_units: 32 activation: 'nn.SiLU' dropout_ratio: 0.5 "
                 "init_scale: 1.5 } }"
                 " task_towers { label_name: 'buy' mlp { hidden_units: 32 activation: 'nn.SiLU' dropout_ratio: 0.5 "
                 "init_scale: 1.5 } } }",
                 *DefaultModel("mmoe", TwoTowers(), kLarge)),
      "");
}

TEST(ModelDefaultsTest, LevelsHaveALayerEach) {
  EXPECT_EQ(
      Difference("ple {"
                 " extraction_networks { task_expert_net { hidden_units: 128 } share_expert_net { hidden_units: 128 } }"
                 " extraction_networks { task_expert_net { hidden_units: 64 } share_expert_net { hidden_units: 64 } }"
                 " task_towers { label_name: 'click' mlp { hidden_units: 32 } } }",
                 *DefaultModel("ple", OneTower())),
      "");
  EXPECT_EQ(
      Difference("adatt { expert_mlps { hidden_units: 16 init_scale: 2 } expert_mlps { hidden_units: 8 init_scale: 3 }"
                 " expert_mlps { hidden_units: 4 init_scale: 3 } }",
                 *DefaultModel("adatt", {}, {.trunk = {16, 8, 4}, .first_init_scale = 2, .init_scale = 3})),
      "");
}

TEST(ModelDefaultsTest, WithoutATrunkTheTowersAreDeep) {
  for (const std::string name : {"simple_multi_task", "esmm"}) {
    EXPECT_EQ(
        Difference(name + " { task_towers { label_name: 'click' mlp { hidden_units: [128, 64, 32] init_scale: [1, 2, "
                          "2] } } }",
                   *DefaultModel(name, OneTower(), {.init_scale = 2})),
        "");
  }
}

TEST(ModelDefaultsTest, SpecialModels) {
  EXPECT_EQ(Difference("dbmtl { bottom_mlp { hidden_units: [128, 64] }"
                       " task_towers { label_name: 'click' mlp { hidden_units: 32 } }"
                       " task_towers { label_name: 'buy' mlp { hidden_units: 32 } relation_tower_names: 'click'"
                       " relation_mlp { hidden_units: 32 } } }",
                       *DefaultModel("dbmtl", TwoTowers())),
            "");
  EXPECT_EQ(Difference("dc2vr { bottom_mlp { hidden_units: [128, 64] }"
                       " task_towers { label_name: 'click' mlp { hidden_units: 32 } }"
                       " task_towers { label_name: 'buy' mlp { hidden_units: 32 } intervention_tower_names: 'click'"
                       " low_rank_dim: 8 } }",
                       *DefaultModel("dc2vr", TwoTowers())),
            "");
  EXPECT_EQ(Difference("pepnet { ppnet_hidden_units: [64, 32] ppnet_activation: 'nn.SiLU' ppnet_dropout_ratio: 0.5"
                       " task_towers { label_name: 'click' } task_towers { label_name: 'buy' } }",
                       *DefaultModel("pepnet", TwoTowers(), kLarge)),
            "");
}

TEST(ModelDefaultsTest, WhatIsThereStays) {
  ModelConfig model;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "escm2 { expert_mlp { hidden_units: 5 } num_expert: 9 task_towers { label_name: 'a' mlp { hidden_units: 7 } } }",
      &model));
  const ModelConfig before = model;
  FillModelDefaults(&model, kLarge);
  EXPECT_TRUE(MessageDifferencer::Equals(model, before)) << model.ShortDebugString();
}

// Also a model that is added later: its needed networks are found by name.
TEST(ModelDefaultsTest, EveryModelIsValid) {
  for (const std::string& name : ModelNames()) {
    for (const NetworkDefaults& defaults : {NetworkDefaults(), kLarge}) {
      StatusOr<LoadedPipeline> loaded = LoadPipelineFromText(
          "p.config", "data_config { with_header: true } feature_configs { raw_feature { feature_name: 'age' } }");
      ASSERT_TRUE(loaded.ok());
      StatusOr<ModelConfig> model = DefaultModel(name, TwoTowers(), defaults);
      ASSERT_TRUE(model.ok()) << model.status().message();
      *loaded->pipeline.mutable_model_config() = *model;
      EXPECT_EQ(ValidatePipeline(*loaded).message(), "") << name;
      ResolveDefaults(&loaded->pipeline);
      EXPECT_EQ(ValidatePipeline(*loaded).message(), "") << name;
    }
  }
}

TEST(ModelDefaultsTest, NoSuchModel) {
  EXPECT_THAT(DefaultModel("mmeo", {}).status().message(),
              StartsWith("no such model. Did you mean \"mmoe\"? Models: simple_multi_task, mmoe, "));
  EXPECT_EQ(DefaultModel("feature_groups", {}).status().code(), StatusCode::kInvalidInput);
}

}  // namespace
}  // namespace manygate::config
