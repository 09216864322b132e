// SPDX-License-Identifier: Apache-2.0
// Methods that compare the norms of gradients: GradNorm, MetaBalance, DB-MTL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "manygate/balancing/balancing_testing.h"

namespace manygate {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::FloatEq;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Two tasks at right angles, with these norms.
GradientProducts Norms(double first, double second) { return ProductsOf({{{first, 0}, {0, second}}}); }

TEST(GradNormTest, TwoTasksByHand) {
  config::GradNorm config;
  config.set_lr(0.1);
  const auto balancer = MakeGradNorm(config, PlainTasks(2));
  EXPECT_EQ(balancer->reads(), Balancer::Reads::kGradients);
  EXPECT_THAT(FactorsOf(*balancer, Norms(3, 1), {1, 1}), ElementsAre(1, 1, 1, 1));
  // Both losses are those of the first batch, so both targets are the mean norm 2; the gradients of w are 3 and -1;
  // Adam's first step leads to 0.9 and 1.1, whose sum is 2 already. All rows get the weights.
  EXPECT_THAT(FactorsOf(*balancer, Norms(2, 2), {0.5, 1}),
              ElementsAre(DoubleNear(0.9, 1e-6), DoubleNear(1.1, 1e-6), DoubleNear(0.9, 1e-6), DoubleNear(1.1, 1e-6)));
}

TEST(GradNormTest, ATaskThatLearnsSlowlyGetsMore) {
  const auto balancer = MakeGradNorm({}, PlainTasks(2));
  // Equal norms; the first loss falls to half, the second stays.
  FactorsOf(*balancer, Norms(1, 1), {1, 1});
  for (int step = 0; step < 5; ++step) FactorsOf(*balancer, Norms(1, 1), {0.5, 1});
  const std::vector<double> factors = FactorsOf(*balancer, Norms(1, 1), {0.5, 1});
  EXPECT_LT(factors[0], 0.95);
  EXPECT_NEAR(factors[0] + factors[1], 2, 1e-6);
}

// Computed by PyTorch in float64: autograd of Σ |w_k n_k - target_k| with the target detached, alpha 1.5, torch.optim's
// Adam with lr 0.025, then w *= 2 / sum(w).
TEST(GradNormTest, ThreeStepsAsAutograd) {
  const auto balancer = MakeGradNorm({}, PlainTasks(2));
  const double expected[] = {1, 0.9750000001645833, 0.9504981649838115, 0.9463993776061812};
  EXPECT_NEAR(FactorsOf(*balancer, Norms(3, 1), {1, 0.5})[0], expected[0], 1e-6);
  EXPECT_NEAR(FactorsOf(*balancer, Norms(2, 1.5), {0.5, 0.45})[0], expected[1], 1e-6);
  EXPECT_NEAR(FactorsOf(*balancer, Norms(1, 4), {0.4, 0.1})[0], expected[2], 1e-6);
  EXPECT_NEAR(FactorsOf(*balancer, Norms(1, 1), {0.4, 0.1})[0], expected[3], 1e-6);
}

TEST(GradNormTest, NothingIsLearntFromAMissingTask) {
  const auto balancer = MakeGradNorm({}, PlainTasks(2));
  FactorsOf(*balancer, Norms(0, 1), {kNan, 0.5});
  FactorsOf(*balancer, Norms(0, 0), {kNan, kNan});
  EXPECT_THAT(FactorsOf(*balancer, Norms(0, 1), {0.7, 0.5}), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(FactorsOf(*balancer, Norms(1, 1), {0.7, 0.5}), ElementsAre(1, 1, 1, 1));
}

TEST(GradNormTest, WeightsStayPositive) {
  config::GradNorm config;
  config.set_lr(10);
  const auto balancer = MakeGradNorm(config, PlainTasks(2));
  for (int step = 0; step < 5; ++step) {
    for (const double factor : FactorsOf(*balancer, Norms(100, 1), {1, 1})) EXPECT_GT(factor, 0);
  }
}

std::unique_ptr<Balancer> MetaBalance(const std::string& strategy, int target = 0, int parameters = 1) {
  config::MetaBalance config;
  config.set_strategy(strategy);
  BalancedTasks tasks = PlainTasks(2, parameters);
  tasks.target = target;
  return MakeMetaBalance(config, tasks);
}

TEST(MetaBalanceTest, TwoTasksByHand) {
  const auto balancer = MetaBalance("both", 0, 2);
  EXPECT_EQ(balancer->reads(), Balancer::Reads::kGradients);
  // Parameter 0: norms 5 and 2: 0.7 · 5 / 2 + 0.3 = 2.05. Parameter 1: norms 1 and 4: 0.7 / 4 + 0.3 = 0.475.
  const GradientProducts first = ProductsOf({{{3, 4}, {0, 2}}, {{1}, {4}}});
  EXPECT_THAT(FactorsOf(*balancer, first, {1, 1}),
              ElementsAre(1, DoubleNear(2.05, 1e-6), 1, DoubleNear(0.475, 1e-6), 1, 1));
  // Parameter 0: averages 0.9 · 5 + 0.1 · 10 = 5.5 and 2: 0.7 · 5.5 / 2 + 0.3 = 2.225. Parameter 1: nothing new.
  const GradientProducts second = ProductsOf({{{10, 0}, {0, 2}}, {{1}, {4}}});
  EXPECT_THAT(FactorsOf(*balancer, second, {1, 1}),
              ElementsAre(1, DoubleNear(2.225, 1e-6), 1, DoubleNear(0.475, 1e-6), 1, 1));
}

TEST(MetaBalanceTest, StrategiesRestrictTheDirection) {
  const GradientProducts products = ProductsOf({{{5}, {2}}, {{1}, {4}}});
  EXPECT_THAT(FactorsOf(*MetaBalance("reduce", 0, 2), products, {1, 1}),
              ElementsAre(1, 1, 1, DoubleNear(0.475, 1e-6), 1, 1));
  EXPECT_THAT(FactorsOf(*MetaBalance("enlarge", 0, 2), products, {1, 1}),
              ElementsAre(1, DoubleNear(2.05, 1e-6), 1, 1, 1, 1));
}

TEST(MetaBalanceTest, TheTargetKeepsItsGradient) {
  // Target 1: 0.7 · 2 / 5 + 0.3 = 0.58.
  EXPECT_THAT(FactorsOf(*MetaBalance("both", 1), Norms(5, 2), {1, 1}), ElementsAre(DoubleNear(0.58, 1e-6), 1, 1, 1));
}

TEST(MetaBalanceTest, AGradientOfZeroSaysNothing) {
  const auto balancer = MetaBalance("both");
  EXPECT_THAT(FactorsOf(*balancer, Norms(0, 2), {kNan, 1}), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(FactorsOf(*balancer, Norms(5, 0), {1, kNan}), ElementsAre(1, DoubleNear(2.05, 1e-6), 1, 1));
  EXPECT_THAT(balancer->State(), ElementsAre(FloatEq(5), FloatEq(2)));
}

TEST(DbMtlTest, TwoTasksByHand) {
  config::DbMtl config;
  config.set_beta_sigma(0.5);
  const auto balancer = MakeDbMtl(config, PlainTasks(2));
  EXPECT_EQ(balancer->reads(), Balancer::Reads::kGradients);
  EXPECT_TRUE(balancer->KeepsGradients());
  // The gradient of log(0.25) is 4 times that of 0.25; the first step has no past, the fourth keeps 0.9 / √4.
  EXPECT_NEAR(balancer->Prepare(0.25, 1).scale, 4, 1e-6);
  EXPECT_EQ(balancer->Prepare(0.25, 1).keep, 0);
  EXPECT_NEAR(balancer->Prepare(0.25, 4).keep, 0.45, 1e-7);
  // Norms 4 and 0.5 over both parameters: factors 1 and 8; own parameters as they are.
  const GradientProducts products = ProductsOf({{{4, 0}, {0, 0.3}}, {{0}, {0.4}}});
  EXPECT_THAT(FactorsOf(*balancer, products, {0.25, 1}),
              ElementsAre(1, DoubleNear(8, 1e-12), 1, DoubleNear(8, 1e-12), 1, 1));
}

TEST(DbMtlTest, AMissingTaskKeepsItsAverage) {
  const auto balancer = MakeDbMtl({}, PlainTasks(2));
  EXPECT_EQ(balancer->Prepare(kNan, 3).keep, 1);
  EXPECT_EQ(balancer->Prepare(kNan, 3).scale, 1);
  EXPECT_NEAR(balancer->Prepare(0, 3).scale, 1e8, 1);
  EXPECT_THAT(FactorsOf(*balancer, Norms(0, 3), {kNan, 1}), ElementsAre(1, 1, 1, 1));
}

TEST(DbMtlTest, WithoutAPastNothingIsKept) {
  config::DbMtl config;
  config.set_beta(0);
  const auto balancer = MakeDbMtl(config, PlainTasks(2));
  EXPECT_FALSE(balancer->KeepsGradients());
  EXPECT_EQ(balancer->Prepare(0.5, 9).keep, 0);
  EXPECT_EQ(balancer->Prepare(kNan, 9).keep, 0);
}

}  // namespace
}  // namespace manygate
