// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/metrics_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "manygate/base/file.h"

namespace manygate {
namespace {

using testing::HasSubstr;

class MetricsLogTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() /
            ("manygate_metrics_" + std::to_string(getpid()) + "_" +
             testing::UnitTest::GetInstance()->current_test_info()->name() + ".jsonl");
    std::filesystem::remove(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }
  void Write(const std::string& text) { std::ofstream(path_, std::ios::binary) << text; }
  std::string Content() {
    const StatusOr<std::string> text = ReadFile(path_);
    return text.ok() ? *text : "unreadable: " + text.status().message();
  }
  std::string path_;
};

MetricsLine Line(int64_t step) {
  return {.step = step,
          .epoch = 1.5,
          .seconds = 2.25,
          .rows_per_second = 76800,
          .train_losses = {},
          .result = {.rows = 50,
                     .loss = 0.5,
                     .tasks = {{.tower = "income",
                                .rows = 40,
                                .positives = 3,
                                .missing = 10,
                                .metrics = {{"auc", 0.75}, {"x", std::numeric_limits<double>::quiet_NaN()}},
                                .reasons = {}}}}};
}

TEST_F(MetricsLogTest, HealthIsAnObjectOfItsOwn) {
  MetricsLine line = Line(100);
  line.health = {.rows = 9, .cosines = {{"income", "marital", 0.25}}};
  const std::string json = ToJson(line);
  EXPECT_THAT(json, HasSubstr(R"("loss": 0.5, "health": {"rows": 9, "gates": [], "banks": [], "cosines": )"
                              R"([{"a": "income", "b": "marital", "cosine": 0.25}], "alarms": []}, "rows": 50, )"));
  EXPECT_EQ(EvaluationFromJson(json).rows, 50) << "the evaluation reads back as without it";
  EXPECT_EQ(EvaluationFromJson(json).tasks.size(), 1u);
}

TEST_F(MetricsLogTest, OneLinePerEvaluation) {
  ASSERT_TRUE(AppendMetrics(path_, Line(100)).ok());
  MetricsLine second = Line(200);
  second.train_losses = {{"income", 0.25}, {"marital", 0.125}};
  ASSERT_TRUE(AppendMetrics(path_, second).ok());
  EXPECT_EQ(Content(),
            R"({"step": 100, "epoch": 1.5, "seconds": 2.25, "rows_per_second": 76800, "loss": 0.5, "rows": 50, )"
            R"("tasks": {"income": {"auc": 0.75, "x": null, "rows": 40, "positives": 3}}})"
            "\n"
            R"({"step": 200, "epoch": 1.5, "seconds": 2.25, "rows_per_second": 76800, "loss": 0.5, )"
            R"("train_loss": {"income": 0.25, "marital": 0.125}, "rows": 50, )"
            R"("tasks": {"income": {"auc": 0.75, "x": null, "rows": 40, "positives": 3}}})"
            "\n");
  EXPECT_TRUE(nlohmann::json::accept(ToJson(second)));
}

TEST_F(MetricsLogTest, DivergedLossIsNull) {
  MetricsLine line = Line(1);
  line.result.loss = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(nlohmann::json::parse(ToJson(line))["loss"].is_null());
}

TEST_F(MetricsLogTest, TruncatesLaterSteps) {
  for (const int64_t step : {100, 200, 300, 400}) ASSERT_TRUE(AppendMetrics(path_, Line(step)).ok());
  EXPECT_TRUE(TruncateAfter(path_, 400).ok());
  EXPECT_EQ(Content(),
            ToJson(Line(100)) + "\n" + ToJson(Line(200)) + "\n" + ToJson(Line(300)) + "\n" + ToJson(Line(400)) + "\n");
  EXPECT_TRUE(TruncateAfter(path_, 250).ok());
  EXPECT_EQ(Content(), ToJson(Line(100)) + "\n" + ToJson(Line(200)) + "\n");
  EXPECT_TRUE(TruncateAfter(path_, 0).ok());
  EXPECT_EQ(Content(), "");
}

TEST_F(MetricsLogTest, DropsWhatACrashLeft) {
  const std::string whole = ToJson(Line(100)) + "\n";
  for (const std::string rest : {R"({"step": 200, "epo)", R"({"step": 200})", "\n", "[1]\n", "{}\n",
                                 "{\"step\": \"2\"}\n", "{\"step\": 2.5}\n"}) {
    Write(whole + rest);
    EXPECT_TRUE(TruncateAfter(path_, 1000).ok());
    EXPECT_EQ(Content(), whole) << rest;
  }
}

TEST_F(MetricsLogTest, NoFileIsFine) {
  EXPECT_TRUE(TruncateAfter(path_, 5).ok());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(MetricsLogTest, ErrorsNameTheFile) {
  const std::string path = path_ + "/none/metrics.jsonl";
  const Status status = AppendMetrics(path, Line(1));
  EXPECT_EQ(status.code(), StatusCode::kFailed);
  EXPECT_EQ(status.message(), path + ": cannot open: No such file or directory");
}

TEST_F(MetricsLogTest, FullDiskIsReported) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full on this system";
  const Status status = AppendMetrics("/dev/full", Line(1));
  EXPECT_EQ(status.code(), StatusCode::kFailed);
  EXPECT_THAT(status.message(), HasSubstr("/dev/full: cannot write: No space left on device"));
}

}  // namespace
}  // namespace manygate
