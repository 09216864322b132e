// SPDX-License-Identifier: Apache-2.0
// What holds for every method.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "manygate/balancing/balancing_testing.h"

namespace manygate {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Method {
  const char* name;
  std::function<std::unique_ptr<Balancer>(const BalancedTasks&)> make;
};

class BalancerTest : public ::testing::TestWithParam<Method> {
 protected:
  static constexpr int kTasks = 3;
  std::unique_ptr<Balancer> Make() const { return GetParam().make(PlainTasks(kTasks, 2)); }

  // One step of training as the trainer makes it, on gradients and losses that vary with the step; `missing`: a task
  // without a row, or -1.
  static std::vector<double> Step(Balancer& balancer, int step, int missing = -1) {
    std::vector<TaskGradients> gradients(2, TaskGradients(kTasks, std::vector<double>(4)));
    std::vector<double> losses(kTasks), after(kTasks);
    for (int k = 0; k < kTasks; ++k) {
      for (auto& parameter : gradients) {
        for (int n = 0; n < 4; ++n)
          parameter[k][n] =
              k == missing ? 0 : (k + 1) * std::sin(1.7 * step + 2.3 * k + n + (&parameter - &gradients[0]));
      }
      losses[k] = k == missing ? kNan : (k + 1) / std::sqrt(step + 1);
      after[k] = losses[k] * (0.99 - 0.02 * k * std::cos(step));
    }
    const bool reads_gradients = balancer.reads() == Balancer::Reads::kGradients;
    const std::vector<double> factors =
        reads_gradients
            ? FactorsOf(balancer, ProductsOf(gradients), losses, step)
            : FactorsOf(balancer, balancer.reads() == Balancer::Reads::kLosses ? losses : std::vector<double>{},
                        kTasks);
    balancer.AfterStep(losses, balancer.ReadsLossesAfter() ? after : std::vector<double>{});
    if (step % 5 == 0) balancer.AfterEpoch(losses);
    return factors;
  }
};

TEST_P(BalancerTest, ContinuesFromItsStateBitForBit) {
  const auto whole = Make(), first = Make();
  std::vector<std::vector<double>> expected;
  for (int step = 1; step <= 40; ++step) expected.push_back(Step(*whole, step, step % 7 - 4));
  for (int step = 1; step <= 23; ++step) Step(*first, step, step % 7 - 4);
  const auto resumed = Make();
  ASSERT_EQ(resumed->State().size(), first->State().size());
  std::copy(first->State().begin(), first->State().end(), resumed->State().begin());
  for (int step = 24; step <= 40; ++step) EXPECT_EQ(Step(*resumed, step, step % 7 - 4), expected[step - 1]) << step;
}

TEST_P(BalancerTest, FactorsAreFiniteAndNotNegative) {
  const auto balancer = Make();
  for (int step = 1; step <= 60; ++step) {
    for (const double factor : Step(*balancer, step, step % 5 - 2)) {
      EXPECT_TRUE(std::isfinite(factor)) << step;
      EXPECT_GE(factor, 0) << step;
    }
  }
}

TEST_P(BalancerTest, BatchesWithoutAnyRowLeaveTheStateAlone) {
  const auto balancer = Make();
  for (int step = 1; step <= 7; ++step) Step(*balancer, step);
  const std::vector<float> before(balancer->State().begin(), balancer->State().end());
  const std::vector<double> missing(kTasks, kNan);
  const GradientProducts zero(2, kTasks);
  if (balancer->reads() == Balancer::Reads::kGradients) {
    for (const double factor : FactorsOf(*balancer, zero, missing, 8)) EXPECT_TRUE(std::isfinite(factor));
  }
  balancer->AfterStep(missing, balancer->ReadsLossesAfter() ? missing : std::vector<double>{});
  balancer->AfterEpoch(missing);
  EXPECT_EQ(before, std::vector<float>(balancer->State().begin(), balancer->State().end()));
}

INSTANTIATE_TEST_SUITE_P(
    Methods, BalancerTest,
    ::testing::Values(Method{"uncertainty", [](const auto& tasks) { return MakeUncertaintyWeights({}, tasks); }},
                      Method{"dwa", [](const auto& tasks) { return MakeDynamicWeightAverage({}, tasks); }},
                      Method{"gradnorm", [](const auto& tasks) { return MakeGradNorm({}, tasks); }},
                      Method{"metabalance", [](const auto& tasks) { return MakeMetaBalance({}, tasks); }},
                      Method{"pcgrad", [](const auto& tasks) { return MakePcGrad({}, tasks); }},
                      Method{"cagrad", [](const auto& tasks) { return MakeCaGrad({}, tasks); }},
                      Method{"famo", [](const auto& tasks) { return MakeFamo({}, tasks); }},
                      Method{"db_mtl", [](const auto& tasks) { return MakeDbMtl({}, tasks); }},
                      Method{"pareto", [](const auto& tasks) { return MakePareto({}, tasks); }}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(GradientProductsTest, TotalAndCosineAreOverAllParameters) {
  const GradientProducts products = ProductsOf({{{3, 0}, {1, 1}}, {{4}, {-1}}});
  EXPECT_EQ(products.Total(0, 0), 25);
  EXPECT_EQ(products.Total(0, 1), -1);
  EXPECT_DOUBLE_EQ(products.Cosine(1, 0), -1 / (5 * std::sqrt(3)));
  EXPECT_TRUE(std::isnan(GradientProducts(1, 2).Cosine(0, 1)));
}

}  // namespace
}  // namespace manygate
