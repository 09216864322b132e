// SPDX-License-Identifier: Apache-2.0
// Methods that look at the angles between gradients: PCGrad, CAGrad, Pareto; and the quadratic program below two.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "manygate/balancing/balancing_testing.h"
#include "manygate/balancing/simplex.h"

namespace manygate {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

const TaskGradients kThreeGradients = {{1.2, 0, 0}, {0, 1, 0.2}, {0.3, -0.4, 1}};
const TaskGradients kConflicts = {{2, 0, 1}, {-1, 1, 0}, {0.5, -2, 1}};

std::vector<double> Mix(const TaskGradients& gradients, const std::vector<double>& factors) {
  std::vector<double> sum(gradients[0].size(), 0);
  for (size_t k = 0; k < gradients.size(); ++k) {
    for (size_t n = 0; n < sum.size(); ++n) sum[n] += factors[k] * gradients[k][n];
  }
  return sum;
}

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t n = 0; n < a.size(); ++n) sum += a[n] * b[n];
  return sum;
}

// All weights of three tasks in steps of 1/50.
void ForEachWeights(const std::function<void(const std::vector<double>&)>& function) {
  for (int i = 0; i <= 50; ++i) {
    for (int j = 0; i + j <= 50; ++j) function({i / 50.0, j / 50.0, (50 - i - j) / 50.0});
  }
}

std::unique_ptr<Balancer> CaGrad(double c, int tasks) {
  config::CAGrad config;
  config.set_c(c);
  return MakeCaGrad(config, PlainTasks(tasks));
}

std::unique_ptr<Balancer> Pareto(std::vector<double> bounds) {
  BalancedTasks tasks = PlainTasks(static_cast<int>(bounds.size()));
  tasks.lower_bounds = std::move(bounds);
  return MakePareto({}, tasks);
}

TEST(SimplexTest, FindsInsidesAndCorners) {
  // ½ (4 x² + (1-x)²): 4x = 1 - x.
  EXPECT_THAT(MinimizeOnSimplex({4, 0, 0, 1}, {0, 0}), ElementsAre(DoubleNear(0.2, 1e-9), DoubleNear(0.8, 1e-9)));
  EXPECT_THAT(MinimizeOnSimplex({4, 0, 0, 1}, {3, 0}), ElementsAre(0, 1));
  EXPECT_THAT(MinimizeOnSimplex({1}, {7}), ElementsAre(1));
  // No quadratic part: the least linear one. Nothing at all: equal weights.
  EXPECT_THAT(MinimizeOnSimplex({1, 1, 1, 1}, {0, 0}), ElementsAre(DoubleNear(0.5, 1e-9), DoubleNear(0.5, 1e-9)));
  EXPECT_THAT(MinimizeOnSimplex({0, 0, 0, 0}, {0, 0}), ElementsAre(0.5, 0.5));
}

TEST(SimplexTest, MeetsTheConditionsOfAMinimumForManyTasks) {
  // Six gradients of ten numbers, of very different lengths; from the squares of a linear congruence.
  const int tasks = 6;
  uint32_t state = 1;
  for (int trial = 0; trial < 200; ++trial) {
    TaskGradients gradients(tasks, std::vector<double>(10));
    for (int k = 0; k < tasks; ++k) {
      for (double& number : gradients[k]) {
        state = state * 1664525 + 1013904223;
        number = (static_cast<double>(state >> 8) / (1 << 24) - 0.4) * std::pow(10, (k + trial) % 4);
      }
    }
    std::vector<double> quadratic;
    for (const auto& a : gradients) {
      for (const auto& b : gradients) quadratic.push_back(Dot(a, b));
    }
    const std::vector<double> weights = MinimizeOnSimplex(quadratic, std::vector<double>(tasks, 0));
    const std::vector<double> mix = Mix(gradients, weights);
    double sum = 0;
    for (int k = 0; k < tasks; ++k) {
      sum += weights[k];
      EXPECT_GE(weights[k], 0);
      // g_k · g_w >= |g_w|² for all, and equal where w_k > 0.
      const double excess = Dot(gradients[k], mix) - Dot(mix, mix), length = Dot(gradients[k], gradients[k]);
      EXPECT_GE(excess, -1e-6 * length) << trial;
      if (weights[k] > 0) {
        EXPECT_LE(excess, 1e-6 * length) << trial;
      }
    }
    EXPECT_NEAR(sum, 1, 1e-9);
  }
}

TEST(PcGradTest, TwoTasksByHand) {
  const auto balancer = MakePcGrad({}, PlainTasks(2));
  EXPECT_EQ(balancer->reads(), Balancer::Reads::kGradients);
  // g_0 = (2, 0), g_1 = (-1, 1), product -2, squares 4 and 2. g_0 becomes g_0 + g_1 = (1, 1); g_1 becomes
  // g_1 + 0.5 g_0 = (0, 1). Sum: 1.5 g_0 + 2 g_1 = (1, 2).
  const TaskGradients gradients = {{2, 0}, {-1, 1}};
  const std::vector<double> factors = FactorsOf(*balancer, ProductsOf({gradients}), {1, 1});
  EXPECT_THAT(factors, ElementsAre(1.5, 2, 1, 1));
  EXPECT_THAT(Mix(gradients, factors), ElementsAre(1, 2));
}

TEST(PcGradTest, WithoutAConflictItIsTheSum) {
  const auto balancer = MakePcGrad({}, PlainTasks(2));
  EXPECT_THAT(FactorsOf(*balancer, ProductsOf({{{2, 0}, {1, 1}}}), {1, 1}), Each(1));
}

TEST(PcGradTest, TheConflictIsThatOverAllParameters) {
  // Opposed in the first parameter, more agreed in the second.
  const auto balancer = MakePcGrad({}, PlainTasks(2, 2));
  EXPECT_THAT(FactorsOf(*balancer, ProductsOf({{{1}, {-1}}, {{2}, {2}}}), {1, 1}), Each(1));
}

TEST(PcGradTest, TwoTasksNeverConflictAfterwards) {
  const auto balancer = MakePcGrad({}, PlainTasks(2));
  for (int degrees = 91; degrees < 180; degrees += 4) {
    const double angle = degrees * std::acos(-1.0) / 180;
    const TaskGradients gradients = {{3, 0}, {std::cos(angle), std::sin(angle)}};
    const std::vector<double> sum = Mix(gradients, FactorsOf(*balancer, ProductsOf({gradients}), {1, 1}));
    EXPECT_GE(Dot(sum, gradients[0]), -1e-12);
    EXPECT_GE(Dot(sum, gradients[1]), -1e-12);
  }
}

// The order of the others matters for three tasks: every result is one that vectors give in some order, and the order
// varies from step to step by the seed alone.
TEST(PcGradTest, ThreeTasksAsVectorsInSomeOrder) {
  std::vector<std::vector<double>> possible[3];
  for (int i = 0; i < 3; ++i) {
    const int others[] = {(i + 1) % 3, (i + 2) % 3};
    for (int turn = 0; turn < 2; ++turn) {
      std::vector<double> left = kConflicts[i];
      for (int n = 0; n < 2; ++n) {
        const std::vector<double>& other = kConflicts[others[(n + turn) % 2]];
        const double product = Dot(left, other);
        for (size_t d = 0; product < 0 && d < left.size(); ++d) left[d] -= product / Dot(other, other) * other[d];
      }
      possible[i].push_back(left);
    }
  }
  const auto balancer = MakePcGrad({}, PlainTasks(3)), twin = MakePcGrad({}, PlainTasks(3));
  const GradientProducts products = ProductsOf({kConflicts});
  std::set<int> seen;
  for (int step = 1; step <= 64; ++step) {
    const std::vector<double> factors = FactorsOf(*balancer, products, {1, 1, 1}, step);
    EXPECT_EQ(factors, FactorsOf(*twin, products, {1, 1, 1}, step));
    const std::vector<double> sum = Mix(kConflicts, factors);
    bool found = false;
    for (int order = 0; order < 8; ++order) {
      double distance = 0;
      for (int d = 0; d < 3; ++d) {
        const double expected = possible[0][order & 1][d] + possible[1][order >> 1 & 1][d] + possible[2][order >> 2][d];
        distance += std::abs(sum[d] - expected);
      }
      if (distance > 1e-9) continue;
      seen.insert(order);
      found = true;
    }
    EXPECT_TRUE(found) << step;
  }
  EXPECT_EQ(seen.size(), 8u);
}

TEST(CaGradTest, TwoTasksByHand) {
  // g_0 = (1.2, 0) and g_1 = (0, 1), c = 0.5. |mean|² = 2.44 / 4 = 0.61, s = c |mean|, s² = 0.1525. With x the weight of
  // g_0: F = 0.72 x + 0.5 (1 - x) + s √(2.44 x² - 2 x + 1); F' = 0 where u = 2.44 x - 1 fulfils
  // u² = 0.22² · 1.44 / (2.44 s² - 0.22²) = 0.069696 / 0.3237 = 0.215310, u < 0:
  // x = (1 - 0.464015) / 2.44 = 0.219666.
  // |g_w|² = 1.44 x² + (1 - x)² = 0.678406; s / |g_w| = 0.390512 / 0.823654 = 0.474122.
  // Factors (1 + 2 · 0.474122 w) / 1.25: 0.966637 and 1.391958.
  const auto balancer = CaGrad(0.5, 2);
  EXPECT_EQ(balancer->reads(), Balancer::Reads::kGradients);
  const std::vector<double> factors = FactorsOf(*balancer, ProductsOf({{{1.2, 0}, {0, 1}}}), {1, 1});
  EXPECT_THAT(factors, ElementsAre(DoubleNear(0.966637, 2e-6), DoubleNear(1.391958, 2e-6), 1, 1));
}

TEST(CaGradTest, OpposedTasksFollowTheWeaker) {
  // g_0 = 3, g_1 = -1, c = 0.5: mean 1; F = y + 0.5 |y| with y = g_w in [-1, 3] is least at y = -1. Factors 1 / 1.25
  // and (1 + 2 · 0.5) / 1.25; together 2.4 - 1.6 = 0.8 = 2 (1 - 0.5) / 1.25.
  EXPECT_THAT(FactorsOf(*CaGrad(0.5, 2), ProductsOf({{{3}, {-1}}}), {1, 1}),
              ElementsAre(DoubleNear(0.8, 1e-9), DoubleNear(1.6, 1e-9), 1, 1));
}

TEST(CaGradTest, WithoutARadiusItIsTheSum) {
  EXPECT_THAT(FactorsOf(*CaGrad(0, 3), ProductsOf({kConflicts}), {1, 1, 1}), Each(1));
}

// Computed by NumPy: F on a grid over the simplex, refined seven times around its least point; w = (0, 0.6926, 0.3074).
TEST(CaGradTest, ThreeTasksAsAGridSearch) {
  const std::vector<double> factors = FactorsOf(*CaGrad(0.5, 3), ProductsOf({kThreeGradients}), {1, 1, 1});
  EXPECT_THAT(factors,
              ElementsAre(DoubleNear(0.8, 1e-6), DoubleNear(1.5645081, 1e-6), DoubleNear(1.1393035, 1e-6), 1, 1, 1));
}

TEST(CaGradTest, NoPointOfAGridIsBetter) {
  for (const TaskGradients& gradients :
       {kThreeGradients, kConflicts, TaskGradients{{100, 1}, {-1, 0.1}, {0.01, 0.02}}}) {
    for (const double c : {0.1, 0.4, 0.9}) {
      const std::vector<double> mean = Mix(gradients, {1.0 / 3, 1.0 / 3, 1.0 / 3});
      const double s = c * std::sqrt(Dot(mean, mean));
      const auto objective = [&](const std::vector<double>& weights) {
        const std::vector<double> mix = Mix(gradients, weights);
        return Dot(mix, mean) + s * std::sqrt(Dot(mix, mix));
      };
      // The weights from the factors (1 + 3 λ w_k) / (1 + c²): λ is what makes their sum 1.
      const std::vector<double> factors = FactorsOf(*CaGrad(c, 3), ProductsOf({gradients}), {1, 1, 1});
      std::vector<double> weights(3);
      double sum = 0;
      for (int k = 0; k < 3; ++k) sum += weights[k] = factors[k] * (1 + c * c) - 1;
      for (double& weight : weights) weight /= sum;
      double least = std::numeric_limits<double>::infinity();
      ForEachWeights([&](const std::vector<double>& point) { least = std::min(least, objective(point)); });
      EXPECT_LE(objective(weights), least + 1e-6 * s) << c;
    }
  }
}

TEST(CaGradTest, AMissingTaskLeavesTheOthersAsIfAlone) {
  const std::vector<double> factors = FactorsOf(*CaGrad(0.5, 3), ProductsOf({{{3}, {0}, {-1}}}), {1, kNan, 1});
  EXPECT_THAT(factors, ElementsAre(DoubleNear(0.8, 1e-9), 1, DoubleNear(1.6, 1e-9), 1, 1, 1));
  EXPECT_THAT(FactorsOf(*CaGrad(0.5, 2), ProductsOf({{{0}, {0}}}), {kNan, kNan}), Each(1));
}

TEST(ParetoTest, TwoTasksByHand) {
  // g_0 = (2, 0), g_1 = (0, 1): 4 w_0 = w_1, so 0.2 and 0.8; times 2. All rows.
  const auto balancer = Pareto({0, 0});
  EXPECT_EQ(balancer->reads(), Balancer::Reads::kGradients);
  const GradientProducts products = ProductsOf({{{2, 0}, {0, 1}}});
  EXPECT_THAT(FactorsOf(*balancer, products, {1, 1}),
              ElementsAre(DoubleNear(0.4, 1e-9), DoubleNear(1.6, 1e-9), DoubleNear(0.4, 1e-9), DoubleNear(1.6, 1e-9)));
  // The first weight is at least 0.35: the bound holds it there.
  const std::vector<double> bounded = FactorsOf(*Pareto({0.35, 0.1}), products, {1, 1});
  EXPECT_NEAR(bounded[0], 0.7, 1e-9);
  EXPECT_NEAR(bounded[1], 1.3, 1e-9);
}

// Computed by SciPy: minimize(w G w, method="SLSQP", ftol=1e-16), times 3.
TEST(ParetoTest, ThreeTasksAsSciPy) {
  const GradientProducts products = ProductsOf({kConflicts});
  const std::vector<double> free = FactorsOf(*Pareto({0, 0, 0}), products, {1, 1, 1});
  EXPECT_THAT(std::vector<double>(free.begin(), free.begin() + 3),
              ElementsAre(DoubleNear(0.516, 1e-7), DoubleNear(1.74, 1e-7), DoubleNear(0.744, 1e-7)));
  const std::vector<double> bounded = FactorsOf(*Pareto({0.05, 0.1, 0.4}), products, {1, 1, 1});
  EXPECT_THAT(std::vector<double>(bounded.begin(), bounded.begin() + 3),
              ElementsAre(DoubleNear(0.16363636, 1e-7), DoubleNear(1.63636364, 1e-7), DoubleNear(1.2, 1e-7)));
}

TEST(ParetoTest, WithoutBoundsNoTaskIsHarmed) {
  for (const TaskGradients& gradients : {kThreeGradients, kConflicts}) {
    const std::vector<double> factors = FactorsOf(*Pareto({0, 0, 0}), ProductsOf({gradients}), {1, 1, 1});
    const std::vector<double> direction = Mix(gradients, factors);
    // |g_w|² <= g_k · g_w; the direction is 3 g_w.
    for (const auto& gradient : gradients) EXPECT_GE(Dot(gradient, direction), Dot(direction, direction) / 3 - 1e-9);
  }
}

TEST(ParetoTest, AMissingTaskDoesNotTakeAllTheWeight) {
  const std::vector<double> factors =
      FactorsOf(*Pareto({0, 0, 0}), ProductsOf({{{2, 0}, {0, 0}, {0, 1}}}), {1, kNan, 1});
  EXPECT_THAT(std::vector<double>(factors.begin(), factors.begin() + 3),
              ElementsAre(DoubleNear(0.4, 1e-9), 1, DoubleNear(1.6, 1e-9)));
  EXPECT_THAT(FactorsOf(*Pareto({0, 0}), ProductsOf({{{0}, {0}}}), {kNan, kNan}), Each(1));
}

}  // namespace
}  // namespace manygate
