// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/metric.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>
#include <vector>

namespace manygate {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::unique_ptr<Metric> Auc(uint32_t thresholds = 0) {
  config::AUC config;
  config.set_thresholds(thresholds);
  return MakeAuc(config);
}

std::vector<std::unique_ptr<Metric>> AllMetrics() {
  std::vector<std::unique_ptr<Metric>> metrics;
  metrics.push_back(Auc());
  metrics.push_back(Auc(5));
  metrics.push_back(MakeLogLoss(config::LogLoss()));
  metrics.push_back(MakeAccuracy(config::Accuracy()));
  metrics.push_back(MakeCalibration(config::Calibration()));
  metrics.push_back(MakeMeanAbsoluteError(config::MeanAbsoluteError()));
  metrics.push_back(MakeMeanSquaredError(config::MeanSquaredError()));
  metrics.push_back(MakeRootMeanSquaredError(config::RootMeanSquaredError()));
  return metrics;
}

struct Rows {
  std::vector<float> predictions, labels, weights;
};

void Add(Metric* metric, const Rows& rows) {
  metric->Add(rows.predictions.data(), rows.labels.data(), rows.weights.empty() ? nullptr : rows.weights.data(),
              static_cast<int64_t>(rows.predictions.size()));
}

double ValueOf(std::unique_ptr<Metric> metric, const Rows& rows) {
  Add(metric.get(), rows);
  return metric->Value();
}

TEST(MetricTest, ByHand) {
  // Pairs (positive, negative): 0.8 beats 0.3 and 0.6; 0.3 ties with 0.3 and loses to 0.6: 2.5 of 4.
  const Rows rows{.predictions = {0.8f, 0.3f, 0.3f, 0.6f}, .labels = {1, 1, 0, 0}, .weights = {}};
  EXPECT_EQ(ValueOf(Auc(), rows), 2.5 / 4);
  EXPECT_EQ(ValueOf(MakeAccuracy(config::Accuracy()), rows), 0.5);
  EXPECT_NEAR(ValueOf(MakeCalibration(config::Calibration()), rows), 2.0 / 2.0, 1e-7);
  EXPECT_NEAR(ValueOf(MakeLogLoss(config::LogLoss()), rows),
              -(std::log(0.8) + std::log(0.3) + std::log(0.7) + std::log(0.4)) / 4, 1e-7);
  EXPECT_NEAR(ValueOf(MakeMeanAbsoluteError(config::MeanAbsoluteError()), rows), (0.2 + 0.7 + 0.3 + 0.6) / 4, 1e-7);
  EXPECT_NEAR(ValueOf(MakeMeanSquaredError(config::MeanSquaredError()), rows), (0.04 + 0.49 + 0.09 + 0.36) / 4, 1e-7);
  EXPECT_NEAR(ValueOf(MakeRootMeanSquaredError(config::RootMeanSquaredError()), rows),
              std::sqrt((0.04 + 0.49 + 0.09 + 0.36) / 4), 1e-7);
}

TEST(MetricTest, AccuracyThreshold) {
  config::Accuracy config;
  config.set_threshold(0.25f);
  // At the threshold counts as negative.
  const Rows rows{.predictions = {0.25f, 0.26f, 0.9f}, .labels = {0, 1, 0}, .weights = {1, 1, 2}};
  EXPECT_EQ(ValueOf(MakeAccuracy(config), rows), 0.5);
}

TEST(MetricTest, LogLossOfSoftAndCertain) {
  const Rows soft{.predictions = {0.25f}, .labels = {0.5f}, .weights = {}};
  EXPECT_NEAR(ValueOf(MakeLogLoss(config::LogLoss()), soft), -0.5 * std::log(0.25) - 0.5 * std::log(0.75), 1e-12);
  const Rows wrong{.predictions = {1.0f, 0.0f}, .labels = {0, 1}, .weights = {}};
  EXPECT_NEAR(ValueOf(MakeLogLoss(config::LogLoss()), wrong), 23 * std::log(2.0), 1e-9);
}

TEST(MetricTest, AucOfZerosAndInfinitesimals) {
  // -0 and +0 tie; the smallest denormal is above both.
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(ValueOf(Auc(), {.predictions = {-0.0f, 0.0f}, .labels = {0, 1}, .weights = {}}), 0.5);
  EXPECT_EQ(ValueOf(Auc(), {.predictions = {0.0f, tiny}, .labels = {0, 1}, .weights = {}}), 1.0);
  EXPECT_EQ(ValueOf(Auc(), {.predictions = {-tiny, 0.0f}, .labels = {0, 1}, .weights = {}}), 1.0);
  EXPECT_EQ(ValueOf(Auc(), {.predictions = {-5.0f, -7.0f, 3.0f}, .labels = {1, 0, 1}, .weights = {}}), 1.0);
}

TEST(MetricTest, RowsWithoutLabelOrWeightAreSkipped) {
  const Rows kept{.predictions = {0.8f, 0.3f, 0.6f, 0.1f}, .labels = {1, 1, 0, 0}, .weights = {1, 2, 1, 1}};
  const Rows with_more{.predictions = {0.8f, 0.9f, 0.3f, kNaN, 0.6f, 0.1f, kNaN},
                       .labels = {1, kNaN, 1, kNaN, 0, 0, 1},
                       .weights = {1, 3, 2, 0, 1, 1, 0}};
  auto expected = AllMetrics(), actual = AllMetrics();
  for (size_t i = 0; i < expected.size(); ++i) {
    Add(expected[i].get(), kept);
    Add(actual[i].get(), with_more);
    EXPECT_EQ(actual[i]->Value(), expected[i]->Value()) << actual[i]->name();
  }
}

TEST(MetricTest, WhatDoesNotExistIsNaNWithAReason) {
  const auto reasons = [](const Rows& rows) {
    std::vector<std::string> result;
    for (const auto& metric : AllMetrics()) {
      Add(metric.get(), rows);
      result.push_back(metric->Reason());
      EXPECT_EQ(std::isnan(metric->Value()), !metric->Reason().empty()) << metric->name();
    }
    return result;
  };
  EXPECT_EQ(reasons({}), std::vector<std::string>(8, "no rows"));
  EXPECT_EQ(reasons({.predictions = {0.5f}, .labels = {kNaN}, .weights = {}}), std::vector<std::string>(8, "no rows"));
  EXPECT_EQ(reasons({.predictions = {0.5f, 0.2f}, .labels = {0, 0}, .weights = {}}),
            (std::vector<std::string>{"one class", "one class", "", "", "no positives", "", "", ""}));
  EXPECT_EQ(reasons({.predictions = {0.5f, 0.2f}, .labels = {1, 1}, .weights = {}}),
            (std::vector<std::string>{"one class", "one class", "", "", "", "", "", ""}));
  EXPECT_EQ(reasons({.predictions = {0.5f, kNaN}, .labels = {1, 0}, .weights = {}}),
            std::vector<std::string>(8, "predictions not finite"));
}

TEST(MetricTest, NamesAndDirections) {
  std::vector<std::string> names, higher;
  for (const auto& metric : AllMetrics()) {
    names.push_back(metric->name());
    if (metric->HigherIsBetter()) higher.push_back(metric->name());
  }
  EXPECT_EQ(names, (std::vector<std::string>{"auc", "auc", "log_loss", "accuracy", "calibration", "mean_absolute_error",
                                             "mean_squared_error", "root_mean_squared_error"}));
  EXPECT_EQ(higher, (std::vector<std::string>{"auc", "auc", "accuracy"}));
}

TEST(MetricDeathTest, MergingDifferentKindsStops) {
  EXPECT_DEATH(Auc()->Merge(*Auc(5)), "merging auc into an exact auc");
  EXPECT_DEATH(Auc(5)->Merge(*Auc(6)), "merging auc into an auc of 5 thresholds");
  EXPECT_DEATH(MakeLogLoss(config::LogLoss())->Merge(*MakeAccuracy(config::Accuracy())),
               "merging accuracy into log_loss");
}

TEST(MetricTest, ExactAucOfManyRowsIsFastAndRight) {
  constexpr int64_t kRows = 50000;
  std::mt19937 random(1);
  std::vector<float> scores(kRows), labels(kRows);
  for (int64_t i = 0; i < kRows; ++i) {
    scores[i] = std::uniform_real_distribution<float>(0, 1)(random);
    labels[i] = random() % 16 == 0;
  }
  double best_seconds = 1.0, value = 0.0;
  for (int round = 0; round < 5; ++round) {
    const auto start = std::chrono::steady_clock::now();
    const auto auc = Auc();
    auc->Add(scores.data(), labels.data(), nullptr, kRows);
    value = auc->Value();
    best_seconds =
        std::min(best_seconds, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  // Mann-Whitney from ranks, ties are next to impossible to matter here: average rank of equal scores.
  std::vector<std::pair<float, float>> sorted;
  for (int64_t i = 0; i < kRows; ++i) sorted.emplace_back(scores[i], labels[i]);
  std::sort(sorted.begin(), sorted.end());
  double rank_sum = 0.0, positives = 0.0;
  for (int64_t begin = 0, end; begin < kRows; begin = end) {
    for (end = begin; end < kRows && sorted[end].first == sorted[begin].first; ++end) {
    }
    for (int64_t i = begin; i < end; ++i) {
      rank_sum += sorted[i].second * (static_cast<double>(begin + 1 + end) / 2);
      positives += sorted[i].second;
    }
  }
  const double expected = (rank_sum - positives * (positives + 1) / 2) / (positives * (kRows - positives));
  EXPECT_NEAR(value, expected, 1e-12);
  RecordProperty("milliseconds", std::to_string(best_seconds * 1e3));
  EXPECT_LT(best_seconds, 0.1);  // measured 1 ms; room for sanitizers and busy machines
}

}  // namespace
}  // namespace manygate
