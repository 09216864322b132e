// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/accessors.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace manygate::config {
namespace {

using ::testing::ElementsAre;

template <typename T>
T Parse(const std::string& text) {
  T message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

TEST(AccessorsTest, TowersOfEveryModel) {
  for (const char* name : {"simple_multi_task", "mmoe", "shared_bottom", "omoe"}) {
    ModelConfig model = Parse<ModelConfig>(std::string(name) + " { task_towers { label_name: 'a' } }");
    EXPECT_EQ(ModelName(model), name);
    ASSERT_EQ(TaskTowers(model).size(), 1) << name;
    MutableTaskTowers(&model)->Mutable(0)->set_label_name("b");
    EXPECT_EQ(TaskTowers(model)[0].label_name(), "b");
  }
  ModelConfig none;
  EXPECT_EQ(ModelName(none), "");
  EXPECT_TRUE(TaskTowers(none).empty());
  EXPECT_EQ(MutableTaskTowers(&none), nullptr);
}

// A model that this switch does not know would train without towers.
TEST(AccessorsTest, NoModelIsForgotten) {
  const auto* oneof = ModelConfig::descriptor()->FindOneofByName("model");
  for (int i = 0; i < oneof->field_count(); ++i) {
    ModelConfig model;
    model.GetReflection()->MutableMessage(&model, oneof->field(i));
    EXPECT_NE(MutableTaskTowers(&model), nullptr) << oneof->field(i)->name();
  }
}

TEST(AccessorsTest, NamesOfChoices) {
  EXPECT_EQ(LossName(TaskTower()), "binary_cross_entropy");
  EXPECT_EQ(LossName(Parse<TaskTower>("losses { l2_loss {} }")), "l2_loss");
  EXPECT_EQ(MetricName(Parse<MetricConfig>("log_loss {}")), "log_loss");
  EXPECT_EQ(MetricName(MetricConfig()), "");
  EXPECT_EQ(OptimizerName(Parse<Optimizer>("sgd_optimizer {} noam_learning_rate {}")), "sgd_optimizer");
  EXPECT_EQ(TowerName(Parse<TaskTower>("label_name: 'a'")), "a");
  EXPECT_EQ(TowerName(Parse<TaskTower>("label_name: 'a' tower_name: 't'")), "t");
}

TEST(AccessorsTest, EvaluationMetricNames) {
  const ModelConfig model = Parse<ModelConfig>(
      "mmoe { task_towers { label_name: 'a' metrics { auc {} } }"
      "       task_towers { label_name: 'b' metrics { auc {} } metrics { log_loss {} } }"
      "       task_towers { label_name: 'c' losses { l2_loss {} } } }");
  EXPECT_THAT(EvaluationMetricNames(model),
              ElementsAre("loss", "auc_a", "auc_b", "log_loss_b", "root_mean_squared_error_c", "mean_absolute_error_c",
                          "mean_auc", "mean_log_loss", "mean_root_mean_squared_error", "mean_mean_absolute_error"));
}

TEST(AccessorsTest, Columns) {
  EXPECT_EQ(FeatureColumn(Parse<FeatureConfig>("id_feature { feature_name: 'f' expression: 'user:c' }")), "c");
  EXPECT_EQ(FeatureColumn(Parse<FeatureConfig>("raw_feature { feature_name: 'f' expression: 'c' }")), "c");
  EXPECT_EQ(FeatureColumn(Parse<FeatureConfig>("raw_feature { feature_name: 'f:g' }")), "f:g");
  EXPECT_EQ(FeatureName(Parse<FeatureConfig>("raw_feature { feature_name: 'f' }")), "f");
  const DataConfig data =
      Parse<DataConfig>("label_configs { label_name: 'a' column: 'c' } label_configs { label_name: 'b' }");
  EXPECT_EQ(LabelColumn(data, "a"), "c");
  EXPECT_EQ(LabelColumn(data, "b"), "b");
  EXPECT_EQ(LabelColumn(data, "z"), "z");
}

}  // namespace
}  // namespace manygate::config
