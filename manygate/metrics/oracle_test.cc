// SPDX-License-Identifier: Apache-2.0
// Every metric against the numbers of tests/oracles/metrics_oracle.py (scikit-learn and definitions), to 1e-12.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "manygate/metrics/metric_testing.h"

namespace manygate {
namespace {

struct Case {
  std::string name;
  std::map<std::string, double> expected;
  Rows rows;
};

float NextFloat(std::istringstream* words) {
  std::string word;
  *words >> word;
  return std::strtof(word.c_str(), nullptr);
}

std::vector<Case> ReadCases() {
  std::ifstream file(MANYGATE_SOURCE_DIR "/tests/oracles/metrics_oracle.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first, second;
    words >> first;
    if (first == "case") {
      cases.emplace_back();
      words >> cases.back().name >> cases.back().rows.width;
    } else if (first == "row") {
      Rows& rows = cases.back().rows;
      for (int i = 0; i < rows.width; ++i) rows.predictions.push_back(NextFloat(&words));
      rows.labels.push_back(NextFloat(&words));
      rows.weights.push_back(NextFloat(&words));
      words >> rows.groups.emplace_back();
    } else {
      words >> second;
      cases.back().expected[first] = std::stod(second);
    }
  }
  return cases;
}

// By the name in the file.
std::unique_ptr<Metric> Make(const std::string& name) {
  static const std::map<std::string, std::function<std::unique_ptr<Metric>()>> metrics = {
      {"auc", [] { return Auc(0); }},
      {"auc_low", [] { return Auc(0); }},
      {"auc_high", [] { return Auc(0); }},
      {"auc_7", [] { return Auc(7); }},
      {"auc_200", [] { return Auc(200); }},
      {"grouped_auc", [] { return GroupedAucBy("user"); }},
      {"multiclass_auc_macro", [] { return MulticlassAuc("macro"); }},
      {"multiclass_auc_weighted", [] { return MulticlassAuc("weighted"); }},
      {"multiclass_auc_macro_7", [] { return MulticlassAuc("macro", 7); }},
      {"multiclass_auc_weighted_7", [] { return MulticlassAuc("weighted", 7); }},
      {"grouped_xauc", [] { return GroupedXaucBy("user"); }},
      {"flattened_auc", [] { return MakeFlattenedAuc(config::FlattenedAUC()); }},
      {"recall_at_k_3", [] { return Recall(3); }},
      {"pr_auc", [] { return MakePrAuc(config::PrAUC()); }},
      {"xauc", [] { return MakeXauc(config::XAUC()); }},
      {"log_loss", [] { return MakeLogLoss(config::LogLoss()); }},
      {"normalized_entropy", [] { return MakeNormalizedEntropy(config::NormalizedEntropy()); }},
      {"accuracy", [] { return TopAccuracy(1); }},
      {"accuracy_top_2", [] { return TopAccuracy(2); }},
      {"calibration", [] { return MakeCalibration(config::Calibration()); }},
      {"expected_calibration_error", [] { return CalibrationError(15); }},
      {"expected_calibration_error_4", [] { return CalibrationError(4); }},
      {"mean_absolute_error", [] { return MakeMeanAbsoluteError(config::MeanAbsoluteError()); }},
      {"mean_squared_error", [] { return MakeMeanSquaredError(config::MeanSquaredError()); }},
      {"root_mean_squared_error", [] { return MakeRootMeanSquaredError(config::RootMeanSquaredError()); }},
      {"r2", [] { return MakeR2(config::R2()); }}};
  return metrics.at(name)();
}

double NumberOf(const std::string& name, const Metric& metric) {
  if (name == "auc_low") return metric.Interval().first;
  if (name == "auc_high") return metric.Interval().second;
  return metric.Value();
}

double Tolerance(double expected) { return 1e-12 * std::max(1.0, std::fabs(expected)); }

TEST(OracleTest, FileIsWhole) {
  const std::vector<Case> cases = ReadCases();
  std::map<size_t, int> by_metrics;  // 20 for binary labels, 18 without an interval, 7 for numbers, 9 for classes
  for (const Case& one : cases) {
    EXPECT_EQ(one.rows.labels.size(), one.name == "two_rows" ? 2u : 240u) << one.name;
    EXPECT_EQ(one.rows.predictions.size(), one.rows.labels.size() * one.rows.width) << one.name;
    ++by_metrics[one.expected.size()];
  }
  EXPECT_EQ(by_metrics, (std::map<size_t, int>{{20, 10}, {18, 4}, {7, 4}, {9, 5}}));
}

TEST(OracleTest, AllMetricsOfAllCases) {
  for (const Case& one : ReadCases()) {
    for (const auto& [name, expected] : one.expected) {
      const std::unique_ptr<Metric> metric = Make(name);
      Add(metric.get(), one.rows);
      EXPECT_NEAR(NumberOf(name, *metric), expected, Tolerance(expected)) << one.name << " " << name;
      EXPECT_EQ(metric->Reason(), "") << one.name << " " << name;
    }
  }
}

TEST(OracleTest, NoIntervalOfASingleRow) {
  for (const Case& one : ReadCases()) {
    if (one.expected.contains("auc_low") || !one.expected.contains("auc")) continue;
    const auto auc = Auc();
    Add(auc.get(), one.rows);
    EXPECT_TRUE(std::isnan(auc->Interval().first) && std::isnan(auc->Interval().second)) << one.name;
  }
}

TEST(OracleTest, InPartsAndMerged) {
  for (const Case& one : ReadCases()) {
    for (const auto& [name, expected] : one.expected) {
      const size_t rows = one.rows.labels.size(), cut = rows / 3;
      const std::unique_ptr<Metric> left = Make(name), right = Make(name);
      Add(left.get(), PartOf(one.rows, 0, cut));
      left->Value();  // in between: must not disturb what follows
      for (size_t i = cut; i < rows; ++i) Add(right.get(), PartOf(one.rows, i, 1));
      left->Merge(*right);
      EXPECT_NEAR(NumberOf(name, *left), expected, Tolerance(expected)) << one.name << " " << name;
    }
  }
}

}  // namespace
}  // namespace manygate
