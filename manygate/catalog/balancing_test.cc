// SPDX-License-Identifier: Apache-2.0
#include "manygate/catalog/balancing.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace manygate {
namespace {

using ::testing::ElementsAre;

config::Pipeline PipelineWith(const std::string& balancing) {
  config::Pipeline pipeline;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString("train_config { seed: 7 " + balancing + R"( }
    model_config { mmoe {
      task_towers { label_name: "click" pareto_min_loss_weight: 0.25 }
      task_towers { tower_name: "hours" label_name: "time" losses { l2_loss {} } }
      task_towers { label_name: "spend" losses { huber_loss {} } losses { binary_cross_entropy {} } }
    } })",
                                                            &pipeline));
  return pipeline;
}

TEST(MakeBalancerTest, WithoutAMethodThereIsNone) { EXPECT_EQ(MakeBalancer(PipelineWith(""), 3), nullptr); }

TEST(MakeBalancerTest, EveryMethodOfTheConfigurationIsMade) {
  const auto* method = config::Balancing::descriptor()->FindOneofByName("method");
  for (int i = 0; i < method->field_count(); ++i) {
    const std::string name = method->field(i)->name();
    const auto balancer = MakeBalancer(PipelineWith("balancing { " + name + " {} }"), 3);
    ASSERT_NE(balancer, nullptr) << name;
    using Reads = Balancer::Reads;
    const Reads expected = name == "uncertainty" || name == "dwa" ? Reads::kNothing
                           : name == "famo"                       ? Reads::kLosses
                                                                  : Reads::kGradients;
    EXPECT_EQ(balancer->reads(), expected) << name;
  }
}

TEST(BalancedTasksTest, AreReadFromTheTowers) {
  const BalancedTasks tasks = BalancedTasksOf(PipelineWith("balancing { metabalance { target_tower: \"hours\" } }"), 3);
  EXPECT_EQ(tasks.size(), 3);
  EXPECT_THAT(tasks.is_regression, ElementsAre(false, true, true));
  EXPECT_THAT(tasks.lower_bounds, ElementsAre(0.25, 0, 0));
  EXPECT_EQ(tasks.target, 1);
  EXPECT_EQ(tasks.shared_parameters, 3);
  EXPECT_EQ(tasks.seed, 7u);
  EXPECT_EQ(BalancedTasksOf(PipelineWith("balancing { metabalance {} }"), 3).target, 0);
}

}  // namespace
}  // namespace manygate
