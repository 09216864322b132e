// SPDX-License-Identifier: Apache-2.0
#include "manygate/optimizers/schedule.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace manygate {
namespace {

Schedule Make(const std::string& text, RunLength run = {.steps_per_epoch = 10, .total_steps = 100}) {
  config::Optimizer config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString("adam_optimizer { lr: 0.5 } " + text, &config));
  return Schedule(config, run);
}

TEST(Schedule, ConstantIsTheDefault) {
  EXPECT_EQ(Make("").LearningRate(1), 0.5);
  EXPECT_EQ(Make("constant_learning_rate {}").LearningRate(77), 0.5);
}

TEST(Schedule, ExponentialWarmsUpThenDecaysInStairs) {
  const Schedule s = Make(
      "exponential_decay_learning_rate { decay_size: 5 decay_factor: 0.5 warmup_learning_rate: 0.1 "
      "warmup_size: 4 min_learning_rate: 0.1 }");
  EXPECT_NEAR(s.LearningRate(1), 0.1, 1e-7);
  EXPECT_NEAR(s.LearningRate(3), 0.3, 1e-7);
  EXPECT_NEAR(s.LearningRate(5), 0.5, 1e-7);  // the decay counter starts after the warm-up
  EXPECT_NEAR(s.LearningRate(9), 0.5, 1e-7);
  EXPECT_NEAR(s.LearningRate(10), 0.25, 1e-7);
  EXPECT_NEAR(s.LearningRate(99), 0.1, 1e-7);
}

TEST(Schedule, ExponentialWithoutStairsIsSmooth) {
  const Schedule s = Make("exponential_decay_learning_rate { decay_size: 2 decay_factor: 0.25 staircase: false }");
  EXPECT_NEAR(s.LearningRate(2), 0.25, 1e-7);
}

TEST(Schedule, ManualStepsByEpoch) {
  const Schedule s =
      Make("manual_step_learning_rate { schedule_sizes: [1, 3] learning_rates: [0.2, 0.05] by_epoch: true }");
  EXPECT_NEAR(s.LearningRate(10), 0.5, 1e-7);
  EXPECT_NEAR(s.LearningRate(11), 0.2, 1e-7);
  EXPECT_NEAR(s.LearningRate(30), 0.2, 1e-7);
  EXPECT_NEAR(s.LearningRate(31), 0.05, 1e-7);
}

TEST(Schedule, CosineEndsAtTheMinimum) {
  const Schedule s = Make("cosine_annealing_learning_rate { min_learning_rate: 0.1 }");
  EXPECT_NEAR(s.LearningRate(1), 0.5, 1e-7);
  EXPECT_NEAR(s.LearningRate(51), 0.3, 1e-7);
  EXPECT_NEAR(s.LearningRate(101), 0.1, 1e-7);
}

// n = 2.5 * 10 = 25 steps, w = 0.2 * 25 = 5 of them warm-up: steps 1 .. 5 start at 0.1 + 0.4 * (s - 1) / 5.
TEST(Schedule, CosineByEpochs) {
  const Schedule s = Make(
      "cosine_annealing_learning_rate { epochs: 2.5 warmup_share: 0.2 warmup_learning_rate: 0.1 "
      "min_learning_rate: 0.3 }");
  EXPECT_NEAR(s.LearningRate(1), 0.1, 1e-7);
  EXPECT_NEAR(s.LearningRate(2), 0.18, 1e-7);
  EXPECT_NEAR(s.LearningRate(5), 0.42, 1e-7);
  EXPECT_NEAR(s.LearningRate(6), 0.5, 1e-7);
  EXPECT_NEAR(s.LearningRate(11), 0.3 + 0.2 * (1 + std::sqrt(0.5)) / 2, 1e-7);  // a quarter of the way
  EXPECT_NEAR(s.LearningRate(16), 0.4, 1e-7);
  EXPECT_NEAR(s.LearningRate(26), 0.3, 1e-7);
  EXPECT_NEAR(s.LearningRate(100), 0.3, 1e-7);
}

// torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(T_0=4, eta_min=0.1), (T_0=2, T_mult=2, eta_min=0.1) and (T_0=1,
// T_mult=3) of PyTorch 2.
TEST(Schedule, CosineThatStartsAgain) {
  const auto expect = [](const std::string& text, const std::vector<double>& rates) {
    const Schedule s = Make("cosine_annealing_warm_restarts_learning_rate { " + text + " }");
    for (size_t i = 0; i < rates.size(); ++i)
      EXPECT_NEAR(s.LearningRate(static_cast<int64_t>(i) + 1), rates[i], 1e-8) << text << " step " << i + 1;
  };
  expect("T_0: 4 min_learning_rate: 0.1",
         {0.5, 0.441421356, 0.3, 0.158578644, 0.5, 0.441421356, 0.3, 0.158578644, 0.5, 0.441421356});
  expect("T_0: 2 T_mult: 2 min_learning_rate: 0.1",
         {0.5, 0.3, 0.5, 0.441421356, 0.3, 0.158578644, 0.5, 0.484775907, 0.441421356, 0.376536686, 0.3, 0.223463314,
          0.158578644, 0.115224093, 0.5, 0.496157056});
  expect("T_0: 1 T_mult: 3", {0.5, 0.5, 0.375, 0.125, 0.5, 0.484923155, 0.441511111, 0.375, 0.293412044, 0.206587956,
                              0.125, 0.058488889, 0.015076845, 0.5, 0.498309589, 0.493261218});
  // Four steps from 0.1 to 0.5, then the first of them.
  expect("T_0: 4 min_learning_rate: 0.1 warmup_learning_rate: 0.1 warmup_size: 4",
         {0.1, 0.2, 0.3, 0.4, 0.5, 0.441421356, 0.3, 0.158578644, 0.5});
}

TEST(Schedule, CosineThatStartsAgainByEpoch) {
  const Schedule s = Make("cosine_annealing_warm_restarts_learning_rate { T_0: 2 by_epoch: true warmup_size: 1 }");
  EXPECT_NEAR(s.LearningRate(10), 0, 1e-9);
  for (const int64_t step : {11, 20, 31, 40}) EXPECT_NEAR(s.LearningRate(step), 0.5, 1e-9) << step;
  for (const int64_t step : {21, 30, 41}) EXPECT_NEAR(s.LearningRate(step), 0.25, 1e-9) << step;
}

TEST(Schedule, EveryOptimizerHasItsRate) {
  const auto* oneof = config::Optimizer::descriptor()->FindOneofByName("optimizer");
  for (int i = 0; i < oneof->field_count(); ++i) {
    config::Optimizer config;
    google::protobuf::Message* message = config.GetReflection()->MutableMessage(&config, oneof->field(i));
    message->GetReflection()->SetFloat(message, message->GetDescriptor()->FindFieldByName("lr"), 0.125f * (i + 1));
    EXPECT_EQ(Schedule(config, {}).LearningRate(1), 0.125 * (i + 1)) << oneof->field(i)->name();
  }
}

// The recipe of examples/census_income/accurate.config: 8 epochs, of which 6 are run; the rate is 7e-4 then.
TEST(Schedule, CosineThatARunLeavesEarly) {
  config::Optimizer config;
  ASSERT_TRUE(
      google::protobuf::TextFormat::ParseFromString("adamw_optimizer { lr: 0.004 } cosine_annealing_learning_rate { "
                                                    "epochs: 8 warmup_share: 0.1 warmup_learning_rate: "
                                                    "0.00016 }",
                                                    &config));
  const Schedule s(config, {.steps_per_epoch = 195, .total_steps = 1170});  // w = 156
  EXPECT_NEAR(s.LearningRate(1), 0.00016, 1e-9);
  EXPECT_NEAR(s.LearningRate(79), (0.00016 + 0.004) / 2, 1e-9);
  EXPECT_NEAR(s.LearningRate(157), 0.004, 1e-9);
  EXPECT_NEAR(s.LearningRate(859), 0.002, 1e-9);
  EXPECT_NEAR(s.LearningRate(1171), 0.002 * (1 + std::cos(std::numbers::pi * 1014 / 1404)), 1e-9);
  EXPECT_NEAR(s.LearningRate(1171), 7e-4, 2e-5);
}

TEST(Schedule, NoamPeaksAtTheEndOfItsWarmUp) {
  const Schedule s = Make("noam_learning_rate { warmup_size: 16 }");
  EXPECT_NEAR(s.LearningRate(4), 0.5 * 4 / 16, 1e-7);
  EXPECT_NEAR(s.LearningRate(16), 0.5, 1e-7);
  EXPECT_NEAR(s.LearningRate(64), 0.25, 1e-7);
}

}  // namespace
}  // namespace manygate
