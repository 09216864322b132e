// SPDX-License-Identifier: Apache-2.0
// Expected numbers of the first tests: numpy and scipy, from the definitions (all pairs of rows, covariance matrices of
// the structural components, scipy.stats.t.ppf), not from this code's ranks.
#include "manygate/metrics/paired.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/base/random.h"

namespace manygate {
namespace {

using Seeds = std::vector<std::vector<float>>;

const std::vector<float> kLabels = {0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 1};
const std::vector<float> kWeights = {2, 2, 3, 1, 2, 2, 2, 3, 3, 1, 1, 3, 2, 3, 3, 3, 1, 1, 3, 2, 2, 1, 1, 1};
const std::vector<float> kOnes(24, 1.0f);
const Seeds kModel = {{0.45f, 0.55f, 0.05f, 0.55f, 0.40f, 0.60f, 0.35f, 0.60f, 0.60f, 0.35f, 0.20f, 0.55f,
                       0.40f, 0.10f, 0.45f, 0.15f, 0.85f, 0.55f, 0.00f, 0.65f, 0.15f, 0.60f, 0.40f, 0.20f},
                      {0.35f, 0.35f, 0.60f, 0.35f, 0.75f, 0.40f, 0.55f, 0.45f, 0.90f, 0.50f, 0.90f, 0.75f,
                       0.80f, 0.55f, 0.25f, 0.40f, 0.90f, 0.30f, 0.45f, 0.60f, 0.50f, 0.55f, 0.35f, 0.65f},
                      {0.40f, 0.20f, 0.55f, 0.35f, 0.35f, 0.35f, 0.80f, 0.55f, 0.40f, 0.15f, 0.45f, 0.40f,
                       0.35f, 0.50f, 0.15f, 0.35f, 0.60f, 0.30f, 0.40f, 0.90f, 0.30f, 0.35f, 0.00f, 0.55f}};
const Seeds kBaseline = {{0.35f, 0.50f, 0.35f, 0.45f, 0.40f, 0.45f, 0.60f, 0.50f, 0.60f, 0.80f, 0.55f, 0.25f,
                          0.90f, 0.50f, 0.25f, 0.60f, 0.55f, 0.30f, 0.30f, 0.35f, 0.45f, 0.75f, 0.35f, 0.65f},
                         {0.80f, 0.20f, 0.50f, 0.50f, 0.35f, 0.35f, 0.55f, 0.65f, 0.45f, 0.45f, 0.60f, 0.60f,
                          0.75f, 0.55f, 0.55f, 0.80f, 0.70f, 0.45f, 0.60f, 0.40f, 0.35f, 0.70f, 0.55f, 0.85f},
                         {0.45f, 0.15f, 0.85f, 0.80f, 0.35f, 0.85f, 0.55f, 0.20f, 0.50f, 0.35f, 0.75f, 0.40f,
                          0.50f, 0.40f, 0.35f, 0.25f, 0.60f, 0.65f, 0.55f, 0.35f, 0.20f, 0.60f, 0.30f, 0.45f}};

TEST(PairedAucTest, OneSeedIsDeLongsTest) {
  const PairedDifference paired = PairedAuc(kLabels, kOnes, {&kModel[0], 1}, {&kBaseline[0], 1});
  EXPECT_NEAR(paired.difference, 0.170138888889, 1e-12);
  EXPECT_NEAR(paired.row_error, 0.160222372389, 1e-12);
  EXPECT_EQ(paired.seed_error, 0);
  EXPECT_NEAR(paired.low, 0.170138888889 - 1.959963984540 * 0.160222372389, 1e-10);
  EXPECT_NEAR(paired.high, 0.170138888889 + 1.959963984540 * 0.160222372389, 1e-10);
}

TEST(PairedAucTest, SeedsAreAveragedAndAddTheirOwnVariance) {
  const PairedDifference paired = PairedAuc(kLabels, kOnes, kModel, kBaseline);
  EXPECT_NEAR(paired.difference, 0.170138888889, 1e-12);
  EXPECT_NEAR(paired.row_error, 0.075246858050, 1e-12);
  EXPECT_NEAR(paired.seed_error, 0.030070326520, 1e-12);
  EXPECT_NEAR(paired.low, -0.026050893652, 1e-10);
  EXPECT_NEAR(paired.high, 0.366328671430, 1e-10);
}

TEST(PairedAucTest, WeightsCountAsSamplingWeights) {
  const PairedDifference paired = PairedAuc(kLabels, kWeights, {&kModel[0], 1}, {&kBaseline[0], 1});
  EXPECT_NEAR(paired.difference, 0.225217391304, 1e-12);
  EXPECT_NEAR(paired.row_error, 0.164397910458, 1e-12);
  // A common factor changes nothing.
  std::vector<float> threefold = kWeights;
  for (float& weight : threefold) weight *= 3;
  const PairedDifference same = PairedAuc(kLabels, threefold, {&kModel[0], 1}, {&kBaseline[0], 1});
  EXPECT_NEAR(same.low, paired.low, 1e-12);
}

TEST(PairedAucTest, AModelAgainstItselfHasNoWidthAndTheMirrorIsNegative) {
  const PairedDifference none = PairedAuc(kLabels, kOnes, kModel, kModel);
  EXPECT_EQ(none.low, 0);
  EXPECT_EQ(none.high, 0);
  const PairedDifference there = PairedAuc(kLabels, kOnes, kModel, kBaseline);
  const PairedDifference back = PairedAuc(kLabels, kOnes, kBaseline, kModel);
  EXPECT_NEAR(there.low, -back.high, 1e-12);
  EXPECT_NEAR(there.high, -back.low, 1e-12);
}

TEST(PairedAucTest, WhatDoesNotExistIsNaN) {
  const Seeds two = {{0.1f, 0.2f}};
  EXPECT_TRUE(std::isnan(PairedAuc(std::vector<float>{1, 1}, std::vector<float>{1, 1}, two, two).difference));
  EXPECT_TRUE(std::isnan(PairedAuc(std::vector<float>{1, 0}, std::vector<float>{1, 1}, two, two).low));
  const Seeds none = {{}};
  EXPECT_TRUE(std::isnan(PairedAuc(std::vector<float>(), std::vector<float>(), none, none).difference));
  Seeds broken = kModel;
  broken[1][3] = NAN;
  EXPECT_TRUE(std::isnan(PairedAuc(kLabels, kOnes, broken, kBaseline).difference));
  ThreadPool pool(1);
  EXPECT_TRUE(std::isnan(PairedMean(kOnes, broken, kBaseline, pool).difference));
  EXPECT_TRUE(std::isnan(PairedMean(std::vector<float>(), none, none, pool).high));
}

// Standard normal numbers by place.
class Normals {
 public:
  explicit Normals(uint64_t stream) : random_(42, stream) {}
  double operator()() {
    if (next_ % 2 == 0) pair_ = NormalPair(random_.Block(next_ / 2));
    return pair_[next_++ % 2];
  }

 private:
  Philox random_;
  uint64_t next_ = 0;
  std::array<double, 2> pair_{};
};

// 2,000 data sets on which two models are equally good: the scores of both are the label and noise, half of which they
// share; with a deviation between seeds or without one.
double ShareOfIntervalsWithZero(double seed_deviation) {
  constexpr int kSets = 2000, kRows = 200, kSeeds = 3;
  int hold = 0;
  for (int set = 0; set < kSets; ++set) {
    Normals normal(set);
    std::vector<float> labels(kRows), weights(kRows, 1.0f);
    Seeds model(kSeeds, std::vector<float>(kRows)), baseline = model;
    std::array<double, kSeeds> strength_a, strength_b;
    for (int s = 0; s < kSeeds; ++s) {
      strength_a[s] = 1 + seed_deviation * normal();
      strength_b[s] = 1 + seed_deviation * normal();
    }
    for (int i = 0; i < kRows; ++i) {
      labels[i] = i % 3 == 0 ? 1.f : 0.f;
      const double common = normal(), of_a = normal(), of_b = normal();
      for (int s = 0; s < kSeeds; ++s) {
        model[s][i] = static_cast<float>(strength_a[s] * labels[i] + common + of_a);
        baseline[s][i] = static_cast<float>(strength_b[s] * labels[i] + common + of_b);
      }
    }
    const PairedDifference paired = PairedAuc(labels, weights, model, baseline);
    hold += paired.low <= 0 && paired.high >= 0;
  }
  return static_cast<double>(hold) / kSets;
}

// The deviation of a share of 2,000 at 0.95 is 0.005.
TEST(PairedAucTest, TheIntervalHoldsZeroInNinetyFivePercentOfEqualModels) {
  const double share = ShareOfIntervalsWithZero(0);
  EXPECT_GT(share, 0.935);
  EXPECT_LT(share, 0.965);
}

TEST(PairedAucTest, WithNoiseBetweenSeedsTheIntervalIsRatherTooWide) {
  const double share = ShareOfIntervalsWithZero(0.3);
  EXPECT_GT(share, 0.94);
}

// Of losses whose difference is normal with deviation √2, the standard error of a mean is √(2 / n); the bootstrap's own
// noise is 1 / √2000 of it.
TEST(PairedMeanTest, TheBootstrapFindsTheStandardErrorOfAMean) {
  constexpr int kRows = 5000;
  Normals normal(7);
  Seeds model(1, std::vector<float>(kRows)), baseline = model;
  double sum = 0, squares = 0;
  for (int i = 0; i < kRows; ++i) {
    const double common = 10 * normal();
    model[0][i] = static_cast<float>(100 + common + normal());
    baseline[0][i] = static_cast<float>(100.5 + common + normal());
    const double difference = static_cast<double>(baseline[0][i]) - model[0][i];
    sum += difference;
    squares += difference * difference;
  }
  const double mean = sum / kRows, error = std::sqrt((squares / kRows - mean * mean) / kRows);
  ThreadPool pool(1);
  const PairedDifference paired = PairedMean(std::vector<float>(kRows, 2.0f), model, baseline, pool);
  EXPECT_NEAR(paired.difference, mean, 1e-9);
  EXPECT_NEAR(paired.row_error, error, 0.08 * error);
  EXPECT_NEAR(error, std::sqrt(2.0 / kRows), 0.05 * error);
  EXPECT_GT(paired.low, 0);  // 0.5 at an error of 0.02
}

TEST(PairedMeanTest, WeightsAndSeedsByHand) {
  // Weighted means: model (1·1 + 3·2) / 4 = 1.75 and (1·2 + 3·4) / 4 = 3.5, baseline 3 and 4.5.
  const std::vector<float> weights = {1, 3};
  const Seeds model = {{1, 2}, {2, 4}}, baseline = {{3, 3}, {0, 6}};
  ThreadPool pool(1);
  const PairedDifference mean = PairedMean(weights, model, baseline, pool);
  EXPECT_DOUBLE_EQ(mean.difference, (1.25 + 1.0) / 2);
  EXPECT_DOUBLE_EQ(mean.seed_error, 0.125 * std::sqrt(2.0) / std::sqrt(2.0));
  const PairedDifference root = PairedRootMean(weights, model, baseline, pool);
  EXPECT_NEAR(root.difference, (std::sqrt(3.0) - std::sqrt(1.75) + std::sqrt(4.5) - std::sqrt(3.5)) / 2, 1e-12);
}

// The delta method: the error of √m̂ is that of m̂ / (2 √m). Baseline losses are 0, so the difference is minus the root.
TEST(PairedRootMeanTest, TheErrorOfARootFollowsFromThatOfItsMean) {
  constexpr int kRows = 4000;
  Normals normal(9);
  Seeds model(1, std::vector<float>(kRows)), zero(1, std::vector<float>(kRows, 0.0f));
  for (float& loss : model[0]) loss = static_cast<float>(std::pow(normal(), 2));  // mean 1, variance 2
  ThreadPool pool(1);
  const PairedDifference paired = PairedRootMean(std::vector<float>(kRows, 1.0f), model, zero, pool);
  EXPECT_NEAR(paired.difference, -1, 0.05);
  const double error = std::sqrt(2.0 / kRows) / 2;
  EXPECT_NEAR(paired.row_error, error, 0.1 * error);
}

TEST(PairedMeanTest, ThreadsChangeNothing) {
  ThreadPool one(1), three(3);
  const PairedDifference a = PairedMean(kWeights, kModel, kBaseline, one);
  const PairedDifference b = PairedMean(kWeights, kModel, kBaseline, three);
  EXPECT_EQ(a.low, b.low);
  EXPECT_EQ(a.high, b.high);
  EXPECT_GT(a.row_error, 0);
}

TEST(StudentTest, QuantilesAreThoseOfTheTables) {
  const std::vector<std::pair<int, double>> table = {{1, 12.706204736175}, {2, 4.302652729749}, {3, 3.182446305284},
                                                     {4, 2.776445105198},  {9, 2.262157162798}, {30, 2.042272456301},
                                                     {100, 1.983971518524}};
  for (const auto& [degrees, quantile] : table) EXPECT_NEAR(StudentQuantile975(degrees), quantile, 1e-9) << degrees;
}

}  // namespace
}  // namespace manygate
