// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/metric.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <random>
#include <vector>

#include "manygate/metrics/evaluation.h"
#include "manygate/metrics/metric_testing.h"

namespace manygate {
namespace {

using testing::ElementsAre;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

TEST(MetricTest, ByHand) {
  // Pairs (positive, negative): 0.8 beats 0.3 and 0.6; 0.3 ties with 0.3 and loses to 0.6: 2.5 of 4.
  const Rows rows{.predictions = {0.8f, 0.3f, 0.3f, 0.6f}, .labels = {1, 1, 0, 0}};
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
  const Rows soft{.predictions = {0.25f}, .labels = {0.5f}};
  EXPECT_NEAR(ValueOf(MakeLogLoss(config::LogLoss()), soft), -0.5 * std::log(0.25) - 0.5 * std::log(0.75), 1e-12);
  const Rows wrong{.predictions = {1.0f, 0.0f}, .labels = {0, 1}};
  EXPECT_NEAR(ValueOf(MakeLogLoss(config::LogLoss()), wrong), 23 * std::log(2.0), 1e-9);
}

TEST(MetricTest, AucOfZerosAndInfinitesimals) {
  // -0 and +0 tie; the smallest denormal is above both.
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(ValueOf(Auc(), {.predictions = {-0.0f, 0.0f}, .labels = {0, 1}}), 0.5);
  EXPECT_EQ(ValueOf(Auc(), {.predictions = {0.0f, tiny}, .labels = {0, 1}}), 1.0);
  EXPECT_EQ(ValueOf(Auc(), {.predictions = {-tiny, 0.0f}, .labels = {0, 1}}), 1.0);
  EXPECT_EQ(ValueOf(Auc(), {.predictions = {-5.0f, -7.0f, 3.0f}, .labels = {1, 0, 1}}), 1.0);
}

TEST(MetricTest, NormalizedEntropyByHand) {
  // The constant 1/4 has the entropy of one label in four.
  const Rows constant{.predictions = {0.25f, 0.25f, 0.25f, 0.25f}, .labels = {0, 1, 0, 0}};
  EXPECT_NEAR(ValueOf(MakeNormalizedEntropy(config::NormalizedEntropy()), constant), 1.0, 1e-15);
  const Rows rows{.predictions = {0.5f, 0.75f}, .labels = {0, 1}, .weights = {1, 3}};
  const double entropy = -0.25 * std::log(0.25) - 0.75 * std::log(0.75);
  EXPECT_NEAR(ValueOf(MakeNormalizedEntropy(config::NormalizedEntropy()), rows),
              (-std::log(0.5) - 3 * std::log(0.75)) / 4 / entropy, 1e-15);
  config::NormalizedEntropy config;
  config.set_eta(0.125);
  EXPECT_NEAR(ValueOf(MakeNormalizedEntropy(config), {.predictions = {1, 0}, .labels = {0, 1}}), 3.0, 1e-15);
}

TEST(MetricTest, CalibrationErrorByHand) {
  // Bins of a quarter: 0 and 0.125; 0.25, which is the next one's; 0.8, 1 and what is above.
  const Rows rows{.predictions = {0.0f, 0.125f, 0.25f, 0.75f, 1.0f, 1.25f}, .labels = {0, 1, 0, 1, 1, 0}};
  EXPECT_NEAR(ValueOf(CalibrationError(4), rows), (0.875 + 0.25 + 1.0) / 6, 1e-15);
  EXPECT_NEAR(ValueOf(CalibrationError(1), rows), std::fabs(3.375 - 3) / 6, 1e-15);
  Rows weighted = rows;
  weighted.weights = {1, 1, 4, 1, 1, 2};
  EXPECT_NEAR(ValueOf(CalibrationError(4), weighted), (0.875 + 4 * 0.25 + 2.25) / 10, 1e-15);
  EXPECT_EQ(ValueOf(CalibrationError(4), {.predictions = {-0.5f}, .labels = {0}}), 0.5);
}

TEST(MetricTest, R2ByHand) {
  // Mean 3, deviations -2, 0, 2; errors 1, 0, 1.
  const Rows rows{.predictions = {2, 3, 4}, .labels = {1, 3, 5}};
  EXPECT_NEAR(ValueOf(MakeR2(config::R2()), rows), 1 - 2.0 / 8, 1e-15);
  Rows weighted = rows;
  weighted.weights = {2, 1, 1};  // mean 2.5, deviations -1.5 twice, 0.5, 2.5
  EXPECT_NEAR(ValueOf(MakeR2(config::R2()), weighted), 1 - 3.0 / (4.5 + 0.25 + 6.25), 1e-15);
  const Rows far{.predictions = {1e7f + 2, 1e7f + 3, 1e7f + 4}, .labels = {1e7f + 1, 1e7f + 3, 1e7f + 5}};
  EXPECT_NEAR(ValueOf(MakeR2(config::R2()), far), 1 - 2.0 / 8, 1e-9);
}

TEST(MetricTest, ClassesByHand) {
  const Rows rows{
      .predictions = {0.5f, 0.25f, 0.25f, 0.25f, 0.25f, 0.5f, 0.125f, 0.125f, 0.75f}, .labels = {0, 1, 1}, .width = 3};
  EXPECT_NEAR(ValueOf(MakeLogLoss(config::LogLoss()), rows), (1 + 2 + 3) * std::log(2.0) / 3, 1e-15);
  EXPECT_NEAR(ValueOf(TopAccuracy(1), rows), 1.0 / 3, 1e-15);
  // Of equal probabilities the smaller class comes first: 1 is third in both.
  EXPECT_NEAR(ValueOf(TopAccuracy(2), rows), 1.0 / 3, 1e-15);
  EXPECT_EQ(ValueOf(TopAccuracy(3), rows), 1.0);
  Rows weighted = rows;
  weighted.weights = {2, 0, 1};
  EXPECT_NEAR(ValueOf(TopAccuracy(1), weighted), 2.0 / 3, 1e-15);
  EXPECT_NEAR(ValueOf(MakeLogLoss(config::LogLoss()), {.predictions = {1, 0}, .labels = {1}, .width = 2}),
              23 * std::log(2.0), 1e-12);
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
    EXPECT_FALSE(std::isnan(actual[i]->Value())) << actual[i]->name();
  }
}

TEST(MetricTest, ClassRowsWithoutLabelOrWeightAreSkipped) {
  const Rows kept{
      .predictions = {0.7f, 0.3f, 0.6f, 0.4f, 0.2f, 0.8f}, .labels = {0, 1, 1}, .weights = {1, 2, 1}, .width = 2};
  const Rows with_more{.predictions = {0.7f, 0.3f, 0.1f, 0.9f, 0.6f, 0.4f, kNaN, 0.5f, 0.2f, 0.8f},
                       .labels = {0, kNaN, 1, 7, 1},
                       .weights = {1, 3, 2, 0, 1},
                       .width = 2};
  auto expected = AllClassMetrics(), actual = AllClassMetrics();
  for (size_t i = 0; i < expected.size(); ++i) {
    Add(expected[i].get(), kept);
    Add(actual[i].get(), with_more);
    EXPECT_EQ(actual[i]->Value(), expected[i]->Value()) << actual[i]->name();
    EXPECT_FALSE(std::isnan(actual[i]->Value())) << actual[i]->name();
  }
}

TEST(MetricTest, MergedEqualsAllAtOnce) {
  const Rows rows{.predictions = {0.8f, 0.3f, 0.3f, 0.6f, 0.1f, 0.9f},
                  .labels = {1, 1, 0, 0, kNaN, 1},
                  .weights = {1, 2, 1, 0.5f, 1, 1},
                  .groups = {4, 5, 5, 4, 4, 5}};
  for (size_t cut = 0; cut <= rows.labels.size(); ++cut) {  // at the ends one of them has seen nothing
    auto whole = AllMetrics(), left = AllMetrics(), right = AllMetrics();
    for (size_t i = 0; i < whole.size(); ++i) {
      Add(whole[i].get(), rows);
      Add(left[i].get(), PartOf(rows, 0, cut));
      Add(right[i].get(), PartOf(rows, cut, rows.labels.size() - cut));
      left[i]->Merge(*right[i]);
      EXPECT_NEAR(left[i]->Value(), whole[i]->Value(), 1e-15) << left[i]->name() << " cut at " << cut;
    }
  }
  const Rows classes{.predictions = {0.7f, 0.3f, 0.6f, 0.4f, 0.2f, 0.8f}, .labels = {0, 1, 1}, .width = 2};
  for (size_t cut = 0; cut <= 3; ++cut) {
    auto whole = AllClassMetrics(), left = AllClassMetrics(), right = AllClassMetrics();
    for (size_t i = 0; i < whole.size(); ++i) {
      Add(whole[i].get(), classes);
      Add(left[i].get(), PartOf(classes, 0, cut));
      Add(right[i].get(), PartOf(classes, cut, 3 - cut));
      left[i]->Merge(*right[i]);
      EXPECT_NEAR(left[i]->Value(), whole[i]->Value(), 1e-15) << left[i]->name() << " cut at " << cut;
    }
  }
}

std::vector<std::string> Reasons(std::vector<std::unique_ptr<Metric>> metrics, const Rows& rows) {
  std::vector<std::string> reasons;
  for (const auto& metric : metrics) {
    Add(metric.get(), rows);
    reasons.push_back(metric->Reason());
    EXPECT_EQ(std::isnan(metric->Value()), !metric->Reason().empty()) << metric->name();
  }
  return reasons;
}

TEST(MetricTest, WhatDoesNotExistIsNaNWithAReason) {
  const std::vector<std::string> no_rows(16, "no rows"), not_finite(16, "predictions not finite");
  EXPECT_EQ(Reasons(AllMetrics(), {}), no_rows);
  EXPECT_EQ(Reasons(AllMetrics(), {.predictions = {0.5f}, .labels = {kNaN}}), no_rows);
  EXPECT_EQ(Reasons(AllMetrics(), {.predictions = {0.5f}, .labels = {1}, .weights = {0}}), no_rows);
  EXPECT_THAT(Reasons(AllMetrics(), {.predictions = {0.5f, 0.2f}, .labels = {0, 0}}),
              ElementsAre("one class", "one class", "", "", "no positives", "", "", "", "one class", "labels all equal",
                          "labels all equal", "", "no positives", "one class", "", "labels all equal"));
  EXPECT_THAT(Reasons(AllMetrics(), {.predictions = {0.5f, 0.2f}, .labels = {1, 1}}),
              ElementsAre("one class", "one class", "", "", "", "", "", "", "one class", "labels all equal",
                          "labels all equal", "", "", "one class", "", "labels all equal"));
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {kNaN, infinity, -infinity}) {
    EXPECT_EQ(Reasons(AllMetrics(), {.predictions = {0.5f, bad}, .labels = {1, 0}}), not_finite);
    EXPECT_EQ(Reasons(AllMetrics(), {.predictions = {bad, bad}, .labels = {0, 0}}), not_finite);
  }
}

TEST(MetricTest, WhatDoesNotExistForClasses) {
  EXPECT_EQ(Reasons(AllClassMetrics(), {.predictions = {}, .labels = {}, .width = 3}),
            std::vector<std::string>(8, "no rows"));
  EXPECT_THAT(Reasons(AllClassMetrics(), {.predictions = {0.5f, 0.5f, 0.25f, 0.75f}, .labels = {1, 1}, .width = 2}),
              ElementsAre("one class", "one class", "one class", "", "", "", "", ""));
  EXPECT_EQ(Reasons(AllClassMetrics(), {.predictions = {0.5f, 0.5f, kNaN, 0.75f}, .labels = {0, 1}, .width = 2}),
            std::vector<std::string>(8, "predictions not finite"));
}

TEST(MetricTest, NamesAndDirections) {
  std::vector<std::string> names, higher;
  std::vector<std::unique_ptr<Metric>> metrics = AllMetrics();
  metrics.push_back(MulticlassAuc("macro"));
  metrics.push_back(Recall(5));
  for (const auto& metric : metrics) {
    names.push_back(metric->name());
    if (metric->HigherIsBetter()) higher.push_back(metric->name());
    EXPECT_EQ(HigherIsBetter(metric->name() + std::string("_income")), metric->HigherIsBetter()) << metric->name();
    EXPECT_EQ(HigherIsBetter("mean_" + std::string(metric->name())), metric->HigherIsBetter()) << metric->name();
    EXPECT_EQ(metric->GroupColumn(), names.back().starts_with("grouped_") ? "user" : "");
  }
  EXPECT_THAT(names, ElementsAre("auc", "auc", "log_loss", "accuracy", "calibration", "mean_absolute_error",
                                 "mean_squared_error", "root_mean_squared_error", "grouped_auc", "xauc", "grouped_xauc",
                                 "flattened_auc", "pr_auc", "normalized_entropy", "expected_calibration_error", "r2",
                                 "multiclass_auc", "recall_at_k"));
  EXPECT_THAT(higher, ElementsAre("auc", "auc", "accuracy", "grouped_auc", "xauc", "grouped_xauc", "flattened_auc",
                                  "pr_auc", "r2", "multiclass_auc", "recall_at_k"));
  // Every metric of the configuration is among them.
  const auto* fields = config::MetricConfig::descriptor();
  for (int i = 0; i < fields->field_count(); ++i) EXPECT_THAT(names, testing::Contains(fields->field(i)->name()));
}

TEST(MetricDeathTest, MergingDifferentKindsStops) {
  EXPECT_DEATH(Auc()->Merge(*Auc(5)), "merging auc over 5 thresholds into auc");
  EXPECT_DEATH(Auc(5)->Merge(*Auc(6)), "merging auc over 6 thresholds into auc over 5 thresholds");
  EXPECT_DEATH(MakeLogLoss(config::LogLoss())->Merge(*TopAccuracy(2)),
               "merging accuracy above 0.5, top 2 into log_loss");
  EXPECT_DEATH(TopAccuracy(1)->Merge(*TopAccuracy(2)), "top 2 into accuracy above 0.5, top 1");
  EXPECT_DEATH(CalibrationError(4)->Merge(*CalibrationError(5)), "over 5 bins into expected_calibration_error over 4");
  EXPECT_DEATH(MakeMeanSquaredError({})->Merge(*MakeRootMeanSquaredError({})),
               "merging root_mean_squared_error into mean_squared_error");
}

TEST(MetricDeathTest, WidthStaysTheSame) {
  const auto metric = TopAccuracy(1);
  Add(metric.get(), {.predictions = {0.5f}, .labels = {1}});
  EXPECT_DEATH(Add(metric.get(), {.predictions = {0.5f, 0.5f}, .labels = {1}, .width = 2}),
               "accuracy of 2 predictions per row after 1");
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
    auc->Add({.predictions = scores.data(), .labels = labels.data(), .rows = kRows});
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
