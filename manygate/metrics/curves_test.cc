// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/curves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "manygate/metrics/metric.h"

namespace manygate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

MATCHER_P3(PointIs, x, y, threshold, "") {
  return std::fabs(arg.x - x) < 1e-7 && std::fabs(arg.y - y) < 1e-7 &&
         (arg.threshold == threshold || std::fabs(arg.threshold - threshold) < 1e-7);
}

// Two ties: 0.8 and 0.4 hold a positive and a negative row each.
const std::vector<float> kScores = {.9f, .8f, .8f, .7f, .55f, .5f, .4f, .4f, .3f, .1f};
const std::vector<float> kLabels = {1, 1, 0, 1, 0, 1, 0, 1, 0, 0};
const std::vector<float> kWeights = {1, 2, 1, .5f, 1, 1, 3, 1, 1, 2};

// Numbers of scikit-learn's roc_curve(drop_intermediate=False) and precision_recall_curve.
TEST(Curves, AsScikitLearn) {
  const ScoredRows rows{.predictions = kScores, .labels = kLabels};
  EXPECT_THAT(RocCurve(rows), ElementsAre(PointIs(0, 0, kInfinity), PointIs(0, .2, .9), PointIs(.2, .4, .8),
                                          PointIs(.2, .6, .7), PointIs(.4, .6, .55), PointIs(.4, .8, .5),
                                          PointIs(.6, 1, .4), PointIs(.8, 1, .3), PointIs(1, 1, .1)));
  EXPECT_THAT(PrecisionRecallCurve(rows),
              ElementsAre(PointIs(.2, 1, .9), PointIs(.4, 0.66666667, .8), PointIs(.6, .75, .7), PointIs(.6, .6, .55),
                          PointIs(.8, 0.66666667, .5), PointIs(1, .625, .4)));
}

TEST(Curves, AsScikitLearnWithWeights) {
  const ScoredRows rows{.predictions = kScores, .labels = kLabels, .weights = kWeights};
  EXPECT_THAT(RocCurve(rows),
              ElementsAre(PointIs(0, 0, kInfinity), PointIs(0, 0.18181818, .9), PointIs(.125, 0.54545455, .8),
                          PointIs(.125, 0.63636364, .7), PointIs(.25, 0.63636364, .55), PointIs(.25, 0.81818182, .5),
                          PointIs(.625, 1, .4), PointIs(.75, 1, .3), PointIs(1, 1, .1)));
  EXPECT_THAT(PrecisionRecallCurve(rows),
              ElementsAre(PointIs(0.18181818, 1, .9), PointIs(0.54545455, .75, .8), PointIs(0.63636364, 0.77777778, .7),
                          PointIs(0.63636364, 0.63636364, .55), PointIs(0.81818182, 0.69230769, .5),
                          PointIs(1, 0.52380952, .4)));
}

TEST(Curves, RowsThatHaveNoPartChangeNothing) {
  std::vector<float> scores = kScores, labels = kLabels, weights(kScores.size(), 1.f);
  for (const auto& [score, label, weight] : {std::array{.6f, kNaN, 1.f}, {.6f, 1.f, 0.f}, {kNaN, 1.f, 1.f}}) {
    scores.insert(scores.begin(), score);
    labels.insert(labels.begin(), label);
    weights.insert(weights.begin(), weight);
  }
  EXPECT_EQ(RocCurve({.predictions = scores, .labels = labels, .weights = weights}).size(), 9);
  EXPECT_EQ(PrecisionRecallCurve({.predictions = scores, .labels = labels, .weights = weights}).size(), 6);
  EXPECT_EQ(
      CalibrationBins({.predictions = scores, .labels = labels, .weights = weights}, 1, BinInterval::kShare).at(0).rows,
      10);
}

TEST(Curves, OneClassHasNoCurve) {
  const std::vector<float> scores = {.1f, .2f}, negative = {0, 0}, positive = {1, 1};
  EXPECT_THAT(RocCurve({.predictions = scores, .labels = negative}), IsEmpty());
  EXPECT_THAT(RocCurve({.predictions = scores, .labels = positive}), IsEmpty());
  EXPECT_THAT(RocCurve({}), IsEmpty());
  EXPECT_THAT(PrecisionRecallCurve({.predictions = scores, .labels = negative}), IsEmpty());
  EXPECT_THAT(PrecisionRecallCurve({.predictions = scores, .labels = positive}),
              ElementsAre(PointIs(.5, 1, .2), PointIs(1, 1, .1)));
}

// Thinned points lie on the full curve, and the area below them stays that of the exact AUC to a few parts in 10,000.
TEST(Curves, ThinnedPointsAreExactAndKeepTheArea) {
  std::vector<float> scores, labels;
  for (int i = 0; i < 5000; ++i) {
    scores.push_back(static_cast<float>(i * 7919 % 5003) / 5003.f);
    labels.push_back(i * 104729 % 1000 < 1000 * scores.back() * scores.back() ? 1.f : 0.f);
  }
  const ScoredRows rows{.predictions = scores, .labels = labels};
  const std::vector<CurvePoint> whole = RocCurve(rows, 100000), thin = RocCurve(rows, 100);
  EXPECT_EQ(whole.size(), 5001);
  EXPECT_LE(thin.size(), 101);
  EXPECT_GE(thin.size(), 90);
  double area = 0;
  for (size_t i = 1; i < thin.size(); ++i) area += (thin[i].x - thin[i - 1].x) * (thin[i].y + thin[i - 1].y) / 2;
  for (const CurvePoint& point : thin) {
    EXPECT_TRUE(std::any_of(whole.begin(), whole.end(), [&](const CurvePoint& other) {
      return other.x == point.x && other.y == point.y && other.threshold == point.threshold;
    }));
  }
  const std::unique_ptr<Metric> auc = MakeAuc(config::AUC());
  auc->Add({.predictions = scores.data(), .labels = labels.data(), .rows = 5000});
  EXPECT_NEAR(area, auc->Value(), 5e-4);
  EXPECT_THAT(thin.front(), PointIs(0, 0, kInfinity));
  EXPECT_THAT(thin.back(), PointIs(1, 1, 0));
  EXPECT_LE(PrecisionRecallCurve(rows, 100).size(), 101);
}

TEST(Curves, CalibrationBinsHoldEquallyManyRows) {
  const auto bins = CalibrationBins({.predictions = kScores, .labels = kLabels}, 2, BinInterval::kShare);
  ASSERT_EQ(bins.size(), 2);
  // .1 .3 .4 .4 .5 with labels 0 0 0 1 1; .55 .7 .8 .8 .9 with 0 1 1 0 1.
  EXPECT_EQ(bins[0].rows, 5);
  EXPECT_NEAR(bins[0].mean_prediction, 1.7 / 5, 1e-7);
  EXPECT_NEAR(bins[0].mean_label, .4, 1e-7);
  EXPECT_NEAR(bins[1].mean_prediction, 3.75 / 5, 1e-7);
  EXPECT_NEAR(bins[1].mean_label, .6, 1e-7);
  // Wilson's interval of 2 in 5.
  EXPECT_NEAR(bins[0].low, 0.11762077, 1e-7);
  EXPECT_NEAR(bins[0].high, 0.76927572, 1e-7);
}

TEST(Curves, TiesStayInOneBin) {
  // Six rows at 0.5: the middle of them is in the second of three bins, which is all there is besides the first.
  const std::vector<float> scores = {.1f, .1f, .5f, .5f, .5f, .5f, .5f, .5f}, labels = {0, 0, 0, 1, 0, 1, 0, 1};
  const auto bins = CalibrationBins({.predictions = scores, .labels = labels}, 3, BinInterval::kShare);
  ASSERT_EQ(bins.size(), 2);
  EXPECT_EQ(bins[0].rows, 2);
  EXPECT_EQ(bins[0].low, 0);
  EXPECT_EQ(bins[1].rows, 6);
  EXPECT_NEAR(bins[1].mean_label, .5, 1e-12);
  EXPECT_THAT(CalibrationBins({}, 3, BinInterval::kShare), IsEmpty());
}

TEST(Curves, CalibrationBinsWeighTheirRows) {
  const std::vector<float> scores = {.2f, .4f}, labels = {0, 1}, weights = {1, 3};
  const auto bins =
      CalibrationBins({.predictions = scores, .labels = labels, .weights = weights}, 1, BinInterval::kShare);
  ASSERT_EQ(bins.size(), 1);
  EXPECT_EQ(bins[0].rows, 2);
  EXPECT_NEAR(bins[0].mean_prediction, (.2 + 3 * .4) / 4, 1e-7);
  EXPECT_NEAR(bins[0].mean_label, .75, 1e-7);
  // Wilson's interval of a share of 0.75 in 16 / 10 effective rows.
  EXPECT_NEAR(bins[0].low, 0.16913790, 1e-7);
  EXPECT_NEAR(bins[0].high, 0.97788150, 1e-7);
}

TEST(Curves, IntervalOfAMean) {
  const std::vector<float> scores = {1, 1, 1, 9}, labels = {1, 2, 6, 7};
  const auto bins = CalibrationBins({.predictions = scores, .labels = labels}, 2, BinInterval::kMean);
  ASSERT_EQ(bins.size(), 2);
  // Mean 3, deviation √((4 + 1 + 9) / 2) = √7: 3 ± 1.96 √(7 / 3).
  EXPECT_NEAR(bins[0].mean_label, 3, 1e-12);
  EXPECT_NEAR(bins[0].high, 3 + 1.959963984540054 * std::sqrt(7.0 / 3), 1e-9);
  EXPECT_NEAR(bins[0].low, 3 - 1.959963984540054 * std::sqrt(7.0 / 3), 1e-9);
  EXPECT_TRUE(std::isnan(bins[1].low));  // a single row
}

}  // namespace
}  // namespace manygate
