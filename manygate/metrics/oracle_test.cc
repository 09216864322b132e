// SPDX-License-Identifier: Apache-2.0
// Every metric against the numbers of tests/oracles/metrics_oracle.py (scikit-learn), to 1e-12.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "manygate/metrics/metric.h"

namespace manygate {
namespace {

struct Case {
  std::string name;
  std::map<std::string, double> expected;
  std::vector<float> scores, labels, weights;
};

std::vector<Case> ReadCases() {
  std::ifstream file(MANYGATE_SOURCE_DIR "/tests/oracles/metrics_oracle.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string first, second;
    words >> first >> second;
    if (first == "case") {
      cases.push_back({.name = second, .expected = {}, .scores = {}, .labels = {}, .weights = {}});
    } else if (first == "row") {
      std::string label, weight;
      words >> label >> weight;
      cases.back().scores.push_back(std::strtof(second.c_str(), nullptr));
      cases.back().labels.push_back(std::strtof(label.c_str(), nullptr));
      cases.back().weights.push_back(std::strtof(weight.c_str(), nullptr));
    } else {
      cases.back().expected[first] = std::stod(second);
    }
  }
  return cases;
}

std::unique_ptr<Metric> Auc(uint32_t thresholds) {
  config::AUC config;
  config.set_thresholds(thresholds);
  return MakeAuc(config);
}

std::map<std::string, std::unique_ptr<Metric>> AllMetrics() {
  std::map<std::string, std::unique_ptr<Metric>> metrics;
  metrics["auc"] = Auc(0);
  metrics["auc_7"] = Auc(7);
  metrics["auc_200"] = Auc(200);
  metrics["log_loss"] = MakeLogLoss(config::LogLoss());
  metrics["accuracy"] = MakeAccuracy(config::Accuracy());
  metrics["calibration"] = MakeCalibration(config::Calibration());
  metrics["mean_absolute_error"] = MakeMeanAbsoluteError(config::MeanAbsoluteError());
  metrics["mean_squared_error"] = MakeMeanSquaredError(config::MeanSquaredError());
  metrics["root_mean_squared_error"] = MakeRootMeanSquaredError(config::RootMeanSquaredError());
  return metrics;
}

double Tolerance(double expected) { return 1e-12 * std::max(1.0, std::fabs(expected)); }

TEST(OracleTest, FileIsWhole) {
  const std::vector<Case> cases = ReadCases();
  ASSERT_EQ(cases.size(), 14u);
  for (const Case& one : cases) {
    EXPECT_EQ(one.scores.size(), one.name == "two_rows" ? 2u : 240u) << one.name;
    EXPECT_EQ(one.expected.size(), AllMetrics().size()) << one.name;
  }
}

TEST(OracleTest, AllMetricsOfAllCases) {
  for (const Case& one : ReadCases()) {
    for (const auto& [name, metric] : AllMetrics()) {
      metric->Add(one.scores.data(), one.labels.data(), one.weights.data(), static_cast<int64_t>(one.scores.size()));
      const double expected = one.expected.at(name);
      EXPECT_NEAR(metric->Value(), expected, Tolerance(expected)) << one.name << " " << name;
      EXPECT_EQ(metric->Reason(), "") << one.name << " " << name;
    }
  }
}

TEST(OracleTest, InPartsAndMerged) {
  for (const Case& one : ReadCases()) {
    const int64_t rows = static_cast<int64_t>(one.scores.size());
    auto left = AllMetrics(), right = AllMetrics();
    for (const auto& [name, metric] : left) {
      const int64_t cut = rows / 3;
      metric->Add(one.scores.data(), one.labels.data(), one.weights.data(), cut);
      metric->Value();  // in between: must not disturb what follows
      for (int64_t i = cut; i < rows; ++i) right[name]->Add(&one.scores[i], &one.labels[i], &one.weights[i], 1);
      metric->Merge(*right[name]);
      const double expected = one.expected.at(name);
      EXPECT_NEAR(metric->Value(), expected, Tolerance(expected)) << one.name << " " << name;
    }
  }
}

}  // namespace
}  // namespace manygate
