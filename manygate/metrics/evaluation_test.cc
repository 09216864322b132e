// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace manygate {
namespace {

using testing::ElementsAre;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

EvaluationResult Result() {
  return {.rows = 100,
          .loss = 0.625,
          .tasks = {{.tower = "income",
                     .rows = 90,
                     .positives = 7,
                     .missing = 10,
                     .metrics = {{"auc", 0.75}, {"log_loss", 0.25}},
                     .intervals = {{"auc", {0.625, 0.875}}}},
                    {.tower = "net_income",
                     .rows = 100,
                     .missing = 0,
                     .metrics = {{"auc", kNaN}, {"mean_squared_error", 0.1}},
                     .reasons = {{"auc", "one class"}}},
                    {.tower = "marital",
                     .rows = 100,
                     .positives = 40,
                     .missing = 0,
                     .metrics = {{"auc", 0.5}, {"mean_squared_error", 0.3}},
                     .reasons = {}}}};
}

TEST(EvaluationTest, FindsByName) {
  const EvaluationResult result = Result();
  EXPECT_EQ(result.Find("loss"), 0.625);
  EXPECT_EQ(result.Find("auc_income"), 0.75);
  EXPECT_EQ(result.Find("auc_marital"), 0.5);
  EXPECT_EQ(result.Find("log_loss_income"), 0.25);
  EXPECT_EQ(result.Find("mean_squared_error_net_income"), 0.1);
  EXPECT_TRUE(std::isnan(result.Find("auc_net_income")));
  EXPECT_TRUE(std::isnan(result.Find("auc_none")));
  EXPECT_TRUE(std::isnan(result.Find("mean_recall")));
  EXPECT_TRUE(std::isnan(result.Find("")));
}

TEST(EvaluationTest, MeanOverTheTowersThatHaveIt) {
  EXPECT_EQ(Result().Find("mean_auc"), (0.75 + 0.5) / 2);
  EXPECT_EQ(Result().Find("mean_log_loss"), 0.25);
  EXPECT_EQ(Result().Find("mean_mean_squared_error"), (0.1 + 0.3) / 2);
}

TEST(EvaluationTest, DivergedTowerMakesTheMeanNaN) {
  EvaluationResult result = Result();
  result.tasks[1].reasons = {{"auc", "predictions not finite"}};
  EXPECT_TRUE(std::isnan(result.Find("mean_auc")));
}

TEST(EvaluationTest, NamesAreAllThatFindKnows) {
  EXPECT_THAT(
      Result().Names(),
      ElementsAre("loss", "auc_income", "log_loss_income", "auc_net_income", "mean_squared_error_net_income",
                  "auc_marital", "mean_squared_error_marital", "mean_auc", "mean_log_loss", "mean_mean_squared_error"));
}

TEST(EvaluationTest, Direction) {
  for (const char* name : {"auc_income", "mean_auc", "accuracy_x", "mean_accuracy", "grouped_auc_click", "mean_pr_auc",
                           "multiclass_auc_grade", "mean_xauc", "r2_spend", "mean_r2"})
    EXPECT_TRUE(HigherIsBetter(name)) << name;
  for (const char* name : {"loss", "log_loss_income", "mean_log_loss", "mean_absolute_error_auc", "calibration_income",
                           "mean_mean_squared_error", "root_mean_squared_error_x", "expected_calibration_error_x",
                           "normalized_entropy_auc", "mean_normalized_entropy", "aucx_income"})
    EXPECT_FALSE(HigherIsBetter(name)) << name;
}

TEST(EvaluationTest, Better) {
  EXPECT_TRUE(IsBetter("auc_income", 0.8, 0.7));
  EXPECT_FALSE(IsBetter("auc_income", 0.7, 0.7));
  EXPECT_TRUE(IsBetter("loss", 0.5, 0.6));
  EXPECT_FALSE(IsBetter("loss", 0.6, 0.5));
  EXPECT_FALSE(IsBetter("loss", 0.59, 0.6, 0.02));
  EXPECT_TRUE(IsBetter("loss", 0.57, 0.6, 0.02));
  EXPECT_TRUE(IsBetter("calibration_income", 1.05, 0.9));
  EXPECT_FALSE(IsBetter("mean_calibration", 0.8, 1.1));
  EXPECT_TRUE(IsBetter("expected_calibration_error_income", 0.01, 0.02));
  EXPECT_TRUE(IsBetter("normalized_entropy_income", 0.8, 0.9));
  EXPECT_TRUE(IsBetter("r2_spend", -0.1, -0.2));
  EXPECT_TRUE(IsBetter("auc_income", 0.1, kNaN));
  EXPECT_FALSE(IsBetter("auc_income", kNaN, 0.1));
  EXPECT_FALSE(IsBetter("auc_income", kNaN, kNaN));
}

TEST(EvaluationTest, Json) {
  EXPECT_EQ(ToJson(Result()),
            R"({"rows": 100, "tasks": {"income": {"auc": 0.75, "auc_interval": [0.625, 0.875], "log_loss": 0.25, )"
            R"("rows": 90, "positives": 7}, )"
            R"("net_income": {"auc": null, "mean_squared_error": 0.1, "rows": 100}, )"
            R"("marital": {"auc": 0.5, "mean_squared_error": 0.3, "rows": 100, "positives": 40}}})");
  EXPECT_EQ(ToJson(EvaluationResult()), R"({"rows": 0, "tasks": {}})");
}

TEST(EvaluationTest, JsonReadsBackEqualWhateverTheNames) {
  EvaluationResult result = Result();
  result.tasks[0].tower = "a \"b\"\n\xff";
  result.tasks[0].metrics = {{"auc", 0.1 + 0.2}, {"log_loss", 1e-300}, {"x", std::numeric_limits<double>::infinity()}};
  const nlohmann::ordered_json json = nlohmann::ordered_json::parse(ToJson(result));
  const auto& task = json["tasks"].begin().value();
  EXPECT_EQ(json["tasks"].begin().key(), "a \"b\"\n\xEF\xBF\xBD");
  EXPECT_EQ(task["auc"].get<double>(), 0.1 + 0.2);
  EXPECT_EQ(task["log_loss"].get<double>(), 1e-300);
  EXPECT_TRUE(task["x"].is_null());
}

TEST(EvaluationTest, JsonOfSlices) {
  EvaluationResult all = Result();
  all.tasks.resize(1);
  EvaluationResult women = all;
  women.rows = 40;
  women.tasks[0] = {.tower = "income", .rows = 1, .positives = 0, .metrics = {{"auc", kNaN}}};
  const std::string json =
      ToJson(all, std::vector<ColumnSlices>{{.column = "sex", .values = {{"Female", women}, {"\"M\"", all}}},
                                            {.column = "race", .values = {}}});
  const std::string whole = ToJson(all);
  EXPECT_EQ(json, whole.substr(0, whole.size() - 1) +
                      R"(, "by": {"sex": {"Female": {"rows": 40, "tasks": {"income": )"
                      R"({"auc": null, "rows": 1, "positives": 0}}}, "\"M\"": )" +
                      whole + R"(}, "race": {}}})");
  EXPECT_TRUE(nlohmann::json::accept(json));
}

TEST(EvaluationTest, ReadsItsJson) {
  const EvaluationResult result = Result();
  const EvaluationResult read = EvaluationFromJson(ToJson(result));
  EXPECT_EQ(ToJson(read), ToJson(result));
  EXPECT_EQ(read.tasks[0].Interval("auc"), std::make_pair(0.625, 0.875));
  EXPECT_EQ(read.tasks[1].positives, -1);
  EXPECT_EQ(EvaluationFromJson(R"({"step": 5, "loss": 0.5, "rows": 3})").loss, 0.5);
}

TEST(EvaluationTest, ReadsWhatIsNoResult) {
  for (const char* text : {"", "{", "[]", "null", R"({"rows": "3", "tasks": 5})", R"({"tasks": {"a": 5}})"})
    EXPECT_EQ(ToJson(EvaluationFromJson(text)), R"({"rows": 0, "tasks": {}})") << text;
  EXPECT_EQ(ToJson(EvaluationFromJson(R"({"tasks": {"a": {"auc": "x", "b": [1], "auc_interval": [1], "rows": 2}}})")),
            R"({"rows": 0, "tasks": {"a": {"rows": 2}}})");
}

}  // namespace
}  // namespace manygate
