// SPDX-License-Identifier: Apache-2.0
// Methods that weigh losses: uncertainty, DWA, FAMO.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "manygate/balancing/balancing_testing.h"

namespace manygate {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::FloatNear;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::unique_ptr<Balancer> Uncertainty(bool second_is_regression = true) {
  config::UncertaintyWeights config;
  config.set_lr(0.1);
  BalancedTasks tasks = PlainTasks(2);
  tasks.is_regression[1] = second_is_regression;
  return MakeUncertaintyWeights(config, tasks);
}

TEST(UncertaintyTest, TwoTasksByHand) {
  const auto balancer = Uncertainty();
  EXPECT_EQ(balancer->reads(), Balancer::Reads::kNothing);
  EXPECT_THAT(FactorsOf(*balancer, {}, 2), ElementsAre(1, 0.5));
  // Gradients of s: 1/2 - 2 = -1.5 and 1/2 - 0.5 · 0.6 = 0.2. Adam's first step is lr against the sign: s = 0.1, -0.1.
  balancer->AfterStep(std::vector<double>{2, 0.6}, {});
  EXPECT_THAT(FactorsOf(*balancer, {}, 2),
              ElementsAre(DoubleNear(std::exp(-0.1), 1e-7), DoubleNear(0.5 * std::exp(0.1), 1e-7)));
}

TEST(UncertaintyTest, EndsWhereTheWeightedLossIsOneHalf) {
  // ½ - e^{-s} l = 0: e^{-s} = 1 / (2 l); for regression e^{-s} = 1 / l, of which half is the factor: 1 / (2 l) too.
  const auto balancer = Uncertainty();
  for (int step = 0; step < 2000; ++step) balancer->AfterStep(std::vector<double>{2, 0.1}, {});
  EXPECT_THAT(FactorsOf(*balancer, {}, 2), ElementsAre(DoubleNear(0.25, 1e-3), DoubleNear(5, 1e-2)));
}

TEST(UncertaintyTest, ALossOfZeroStaysFinite) {
  const auto balancer = Uncertainty();
  for (int step = 0; step < 2000; ++step) balancer->AfterStep(std::vector<double>{0, 0}, {});
  EXPECT_THAT(FactorsOf(*balancer, {}, 2), ElementsAre(std::exp(30.0), 0.5 * std::exp(30.0)));
}

TEST(UncertaintyTest, NothingIsLearntFromAMissingTask) {
  const auto balancer = Uncertainty(false);
  balancer->AfterStep(std::vector<double>{kNan, 2}, {});
  EXPECT_THAT(FactorsOf(*balancer, {}, 2), ElementsAre(1, DoubleNear(std::exp(-0.1), 1e-7)));
}

TEST(DynamicWeightAverageTest, TwoTasksByHand) {
  config::DynamicWeightAverage config;
  config.set_temperature(0.5);
  const auto balancer = MakeDynamicWeightAverage(config, PlainTasks(2));
  EXPECT_EQ(balancer->reads(), Balancer::Reads::kNothing);
  EXPECT_THAT(FactorsOf(*balancer, {}, 2), ElementsAre(1, 1));
  balancer->AfterEpoch(std::vector<double>{2, 4});
  EXPECT_THAT(FactorsOf(*balancer, {}, 2), ElementsAre(1, 1));
  // r = 1.5 / 2 = 0.75 and 2 / 4 = 0.5; over the temperature 1.5 and 1; 2 e^0.5 / (1 + e^0.5) = 1.2449187.
  balancer->AfterEpoch(std::vector<double>{1.5, 2});
  EXPECT_THAT(FactorsOf(*balancer, {}, 2), ElementsAre(DoubleNear(1.2449187, 1e-6), DoubleNear(0.7550813, 1e-6)));
}

TEST(DynamicWeightAverageTest, AnEpochWithoutATaskChangesNothingOfIt) {
  const auto balancer = MakeDynamicWeightAverage({}, PlainTasks(2));
  balancer->AfterEpoch(std::vector<double>{2, 4});
  balancer->AfterEpoch(std::vector<double>{1, kNan});
  // r = 0.5, and 1 for the task with one epoch only: 2 / (1 + e^{0.5 / 2}) = 0.8756467.
  EXPECT_THAT(FactorsOf(*balancer, {}, 2), ElementsAre(DoubleNear(0.8756467, 1e-6), DoubleNear(1.1243533, 1e-6)));
}

TEST(FamoTest, TwoTasksByHand) {
  config::Famo config;
  config.set_lr(0.5);
  config.set_gamma(0);
  const auto balancer = MakeFamo(config, PlainTasks(2));
  EXPECT_EQ(balancer->reads(), Balancer::Reads::kLosses);
  EXPECT_TRUE(balancer->ReadsLossesAfter());
  // z = ½, ½: weights in proportion to 1 / l = 2 and 0.5, their sum 2.
  EXPECT_THAT(FactorsOf(*balancer, {0.5, 2}, 2), ElementsAre(DoubleNear(1.6, 1e-12), DoubleNear(0.4, 1e-12)));
  // The first loss halves, the second stays: the first logit falls, the second rises, by lr in Adam's first step. Then
  // z = 1 / (1 + e), e / (1 + e).
  balancer->AfterStep(std::vector<double>{0.5, 2}, std::vector<double>{0.25, 2});
  const double z = 1 / (1 + std::exp(1.0)), first = z / 0.5, second = (1 - z) / 2;
  EXPECT_THAT(FactorsOf(*balancer, {0.5, 2}, 2), ElementsAre(DoubleNear(2 * first / (first + second), 1e-7),
                                                             DoubleNear(2 * second / (first + second), 1e-7)));
}

// Computed by the authors' update in PyTorch: autograd of softmax with the falls of log l as output gradient,
// torch.optim's Adam with lr 0.025 and weight_decay 0.001, float64.
TEST(FamoTest, ThreeStepsAsTheAuthorsProgram) {
  const auto balancer = MakeFamo({}, PlainTasks(3));
  const std::vector<std::vector<double>> before = {{.5, 1, 2}, {.4, .9, 1.8}, {.3, .8, 1.5}};
  const std::vector<std::vector<double>> after = {{.4, .98, 1.9}, {.38, .7, 1.8}, {.2, .6, 1.6}};
  const std::vector<std::vector<double>> factors = {{1.7142857142857142, 0.8571428571428571, 0.42857142857142855},
                                                    {1.7638266820364263, 0.8241155470590839, 0.4120577709044898},
                                                    {1.8616959587778303, 0.733865649657351, 0.40443839156481864}};
  for (int step = 0; step < 3; ++step) {
    const std::vector<double> found = FactorsOf(*balancer, before[step], 3);
    for (int k = 0; k < 3; ++k) EXPECT_NEAR(found[k], factors[step][k], 1e-6) << step << " " << k;
    balancer->AfterStep(before[step], after[step]);
  }
  EXPECT_THAT(balancer->State().first(3),
              ElementsAre(FloatNear(-0.0508429f, 1e-6), FloatNear(0.0028042f, 1e-6), FloatNear(0.0706184f, 1e-6)));
}

TEST(FamoTest, AMissingTaskLeavesTheOthersAsIfAlone) {
  const auto three = MakeFamo({}, PlainTasks(3));
  EXPECT_THAT(FactorsOf(*three, {0.5, kNan, 2}, 3), ElementsAre(DoubleNear(1.6, 1e-12), 1, DoubleNear(0.4, 1e-12)));
  three->AfterStep(std::vector<double>{0.5, kNan, 2}, std::vector<double>{0.25, kNan, 2});
  EXPECT_THAT(three->State().first(3), ElementsAre(FloatNear(-0.025f, 1e-6), 0.0f, FloatNear(0.025f, 1e-6)));
  three->AfterStep(std::vector<double>{kNan, kNan, kNan}, std::vector<double>{kNan, kNan, kNan});
  EXPECT_THAT(three->State().first(3), ElementsAre(FloatNear(-0.025f, 1e-6), 0.0f, FloatNear(0.025f, 1e-6)));
  EXPECT_THAT(FactorsOf(*three, {kNan, kNan, kNan}, 3), ElementsAre(1, 1, 1));
}

TEST(FamoTest, ALossOfZeroDoesNotTakeAllTheWeight) {
  const auto balancer = MakeFamo({}, PlainTasks(3));
  EXPECT_THAT(FactorsOf(*balancer, {0.5, 0, 2}, 3), ElementsAre(DoubleNear(1.6, 1e-12), 1, DoubleNear(0.4, 1e-12)));
  // A loss that becomes 0 fell most.
  balancer->AfterStep(std::vector<double>{0.5, 0, 2}, std::vector<double>{0, 0, 2});
  EXPECT_THAT(balancer->State().first(3), ElementsAre(FloatNear(-0.025f, 1e-6), 0.0f, FloatNear(0.025f, 1e-6)));
}

}  // namespace
}  // namespace manygate
