// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/accessors.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace manygate::config {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;

template <typename T>
T Parse(const std::string& text) {
  T message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

TEST(AccessorsTest, TowersOfEveryModel) {
  for (const std::string& name : ModelNames()) {
    ModelConfig model = Parse<ModelConfig>(name + " { task_towers { label_name: 'a' } }");
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

TEST(AccessorsTest, ModelNames) {
  const std::vector<std::string> names = ModelNames();
  EXPECT_THAT(names, IsSupersetOf({"simple_multi_task", "mmoe", "shared_bottom", "dselect_k"}));
  EXPECT_THAT(names, Not(Contains("feature_groups")));
  EXPECT_THAT(names, Not(Contains("cross")));
  const ModelConfig model = Parse<ModelConfig>("cgc { share_num: 7 }");
  EXPECT_EQ(ModelMessage(model), &model.cgc());
  EXPECT_EQ(ModelMessage(ModelConfig()), nullptr);
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

struct KindCase {
  const char* tower;
  TaskKind kind;
  int logits;
  std::vector<std::string> metrics;
};

TEST(AccessorsTest, WhatTheFirstLossDecides) {
  const std::vector<std::string> binary = {"auc", "log_loss", "accuracy", "calibration"};
  const std::vector<std::string> classes = {"accuracy", "multiclass_auc", "log_loss"};
  const std::vector<std::string> regression = {"root_mean_squared_error", "mean_absolute_error", "r2"};
  const std::vector<std::string> count = {"mean_absolute_error", "root_mean_squared_error", "calibration"};
  const std::vector<std::string> amount = {"root_mean_squared_error", "mean_absolute_error", "calibration", "xauc"};
  const KindCase cases[] = {
      {"", TaskKind::kBinary, 1, binary},
      {"losses { }", TaskKind::kBinary, 1, binary},
      {"losses { binary_cross_entropy {} } losses { pairwise_loss {} }", TaskKind::kBinary, 1, binary},
      {"losses { binary_focal_loss {} }", TaskKind::kBinary, 1, binary},
      {"losses { pairwise_loss {} }", TaskKind::kBinary, 1, binary},
      {"losses { jrc_loss {} } num_class: 2", TaskKind::kBinary, 2, binary},
      {"losses { softmax_cross_entropy {} } num_class: 5", TaskKind::kClasses, 5, classes},
      {"losses { l2_loss {} } losses { pairwise_loss {} }", TaskKind::kRegression, 1, regression},
      {"losses { huber_loss {} }", TaskKind::kRegression, 1, regression},
      {"losses { poisson_loss {} }", TaskKind::kCount, 1, count},
      {"losses { ziln_loss {} }", TaskKind::kAmount, 3, amount},
  };
  for (const KindCase& one : cases) {
    const TaskTower tower = Parse<TaskTower>(one.tower);
    EXPECT_EQ(KindOf(tower), one.kind) << one.tower;
    EXPECT_EQ(NumLogits(tower), one.logits) << one.tower;
    EXPECT_EQ(TowerMetricNames(tower), one.metrics) << one.tower;
  }
}

// A loss without a line in kLosses would stop the program at its first use.
TEST(AccessorsTest, NoLossIsForgotten) {
  const auto* oneof = LossConfig::descriptor()->FindOneofByName("loss");
  for (int i = 0; i < oneof->field_count(); ++i) {
    TaskTower tower = Parse<TaskTower>("num_class: 2 losses { " + oneof->field(i)->name() + " {} }");
    EXPECT_EQ(LossName(tower.losses(0)), oneof->field(i)->name());
    EXPECT_GE(NumLogits(tower), 1);
    EXPECT_STRNE(KindName(KindOf(tower.losses(0))), "");
  }
}

TEST(AccessorsTest, TowerWeights) {
  const std::string towers =
      " task_towers { weight: 3 } task_towers { losses { l2_loss {} } weight: 5 } task_towers { weight: 7 }"
      " task_towers { weight: 9 } }";
  const ModelConfig escm2 = Parse<ModelConfig>("escm2 { global_w: 0.25" + towers);
  EXPECT_EQ(TowerWeight(escm2, 0), 3);
  EXPECT_EQ(TowerWeight(escm2, 1), 5);
  EXPECT_EQ(TowerWeight(escm2, 2), 1.75);  // the second binary one
  EXPECT_EQ(TowerWeight(escm2, 3), 9);
  EXPECT_EQ(TowerWeight(Parse<ModelConfig>("mmoe {" + towers), 2), 7);
}

TEST(AccessorsTest, EvaluationMetricNames) {
  const ModelConfig model = Parse<ModelConfig>(
      "mmoe { task_towers { label_name: 'a' metrics { auc {} } }"
      "       task_towers { label_name: 'b' metrics { auc {} } metrics { log_loss {} } }"
      "       task_towers { label_name: 'c' losses { l2_loss {} } } }");
  EXPECT_THAT(
      EvaluationMetricNames(model),
      ElementsAre("loss", "auc_a", "auc_b", "log_loss_b", "root_mean_squared_error_c", "mean_absolute_error_c", "r2_c",
                  "mean_auc", "mean_log_loss", "mean_root_mean_squared_error", "mean_mean_absolute_error", "mean_r2"));
}

TEST(AccessorsTest, Columns) {
  const DataConfig data =
      Parse<DataConfig>("label_configs { label_name: 'a' column: 'c' } label_configs { label_name: 'b' }");
  EXPECT_EQ(LabelColumn(data, "a"), "c");
  EXPECT_EQ(LabelColumn(data, "b"), "b");
  EXPECT_EQ(LabelColumn(data, "z"), "z");
}

}  // namespace
}  // namespace manygate::config
