// SPDX-License-Identifier: Apache-2.0
#include "manygate/train/report_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "manygate/train/evaluation.h"
#include "manygate/train/evaluation_rows.h"
#include "manygate/train/training_for_tests.h"

namespace manygate {
namespace {

using testing::HasSubstr;

double Area(const std::vector<CurvePoint>& curve) {
  double area = 0;
  for (size_t i = 1; i < curve.size(); ++i) area += (curve[i].x - curve[i - 1].x) * (curve[i].y + curve[i - 1].y) / 2;
  return area;
}

class ReportDataTest : public testing::Test {
 protected:
  ReportData MustCollect(const std::string& dir, const std::string& paths = "") {
    std::vector<std::string> notes;
    auto data = CollectReport(run_.Dir(dir), paths, pool_, &notes);
    EXPECT_TRUE(data.ok()) << data.status().message();
    return data.ok() ? std::move(*data) : ReportData();
  }

  FunnelRun run_{Recipe::kMmoe};
  ThreadPool pool_{1};
};

TEST_F(ReportDataTest, AModelDirectory) {
  run_.MustTrain("a");
  const ReportData data = MustCollect("a");
  EXPECT_EQ(data.name, "a");
  EXPECT_EQ(data.model, "mmoe");
  EXPECT_EQ(data.members, 1);
  EXPECT_GT(data.num_parameters, 1000);
  EXPECT_EQ(data.training_rows, 1500 - data.evaluation.rows - data.history[0].result.rows);
  EXPECT_EQ(data.rows_name, "test rows held out of " + run_.DataPath());
  ASSERT_EQ(data.history.size(), 2u);
  EXPECT_EQ(data.history[1].epoch, 2);
  ASSERT_EQ(data.tasks.size(), 3u);
  EXPECT_EQ(data.columns.size(), 6u);
  EXPECT_EQ(data.columns[0].name, "user_id");
  EXPECT_EQ(data.labels.size(), 3u);
  EXPECT_FALSE(data.transfer.has_value());
  EXPECT_FALSE(data.diagram.boxes.empty());
  EXPECT_EQ(data.configuration, run_.Content("a", "pipeline.config"));

  // The curves belong to the metrics: few rows, so that nothing is thinned.
  const ReportTask& click = data.tasks[0];
  EXPECT_EQ(click.kind, "binary");
  EXPECT_EQ(click.loss, "binary_cross_entropy");
  EXPECT_NEAR(Area(click.roc), data.evaluation.Find("auc_click"), 1e-9);
  EXPECT_DOUBLE_EQ(click.base_rate, static_cast<double>(data.evaluation.tasks[0].positives) /
                                        static_cast<double>(data.evaluation.tasks[0].rows));
  int64_t rows = 0;
  for (const CalibrationBin& bin : click.calibration) rows += bin.rows;
  EXPECT_EQ(rows, data.evaluation.tasks[0].rows);
  // Amounts are numbers, and missing for who bought nothing.
  EXPECT_EQ(data.tasks[2].kind, "regression");
  EXPECT_TRUE(data.tasks[2].roc.empty());
  EXPECT_TRUE(std::isnan(data.tasks[2].base_rate));
  rows = 0;
  for (const CalibrationBin& bin : data.tasks[2].calibration) rows += bin.rows;
  EXPECT_EQ(rows, data.evaluation.tasks[2].rows);
  EXPECT_LT(rows, data.evaluation.rows);

  // The same page at another number of threads.
  ThreadPool two(2);
  std::vector<std::string> notes;
  const auto again = CollectReport(run_.Dir("a"), "", two, &notes);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(DrawReport(*again), DrawReport(data));
}

TEST_F(ReportDataTest, OtherRows) {
  run_.MustTrain("a");
  const ReportData data = MustCollect("a", run_.DataPath());
  EXPECT_EQ(data.rows_name, run_.DataPath());
  EXPECT_EQ(data.evaluation.rows, 1500);
}

TEST_F(ReportDataTest, WithoutFurtherFiles) {
  run_.MustTrain("a");
  ASSERT_TRUE(RemoveTree(JoinPath(run_.Dir("a"), "metrics.jsonl")).ok());
  EXPECT_TRUE(MustCollect("a").history.empty());
}

TEST_F(ReportDataTest, TransferIsReadOrNamed) {
  run_.MustTrain("a");
  const std::string path = JoinPath(run_.Dir("a"), "transfer.json");
  ASSERT_TRUE(WriteFileAtomic(path, ToJson(TransferTable{.rows_name = "rows", .seeds = {1, 2}, .tasks = {}})).ok());
  const ReportData data = MustCollect("a");
  ASSERT_TRUE(data.transfer.has_value());
  EXPECT_EQ(data.transfer->seeds.size(), 2u);
  ASSERT_TRUE(WriteFileAtomic(path, "{").ok());
  std::vector<std::string> notes;
  const auto broken = CollectReport(run_.Dir("a"), "", pool_, &notes);
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(broken.status().message(), HasSubstr("transfer.json"));
}

TEST_F(ReportDataTest, NoModelDirectory) {
  std::vector<std::string> notes;
  const auto data = CollectReport(run_.Dir("nowhere"), "", pool_, &notes);
  ASSERT_FALSE(data.ok());
  EXPECT_EQ(data.status().code(), StatusCode::kInvalidInput);
  EXPECT_THAT(data.status().message(), HasSubstr("nowhere"));
}

TEST_F(ReportDataTest, NothingHeldOut) {
  run_.MustTrain("a", {.overrides = {"data_config.split.validation_fraction=0", "data_config.split.test_fraction=0"}});
  std::vector<std::string> notes;
  const auto data = CollectReport(run_.Dir("a"), "", pool_, &notes);
  ASSERT_FALSE(data.ok());
  EXPECT_THAT(data.status().message(),
              HasSubstr("its training held out no rows; name data to evaluate on: --data FILE"));
}

// Classes: bins of the likeliest class's probability; their mean label is the accuracy.
TEST(ReportData, ConfidenceOfClasses) {
  std::string csv = "x,kind\n";
  for (int i = 0; i < 300; ++i) csv += fmt::format("{},{}\n", (i * 7 % 30) / 10.0, i * 7 % 30 / 10);
  const FunnelRun run(PipelineText("dense_optimizer { adam_optimizer { lr: 0.05 } }",
                                   R"(shared_bottom { bottom_mlp { hidden_units: 8 } task_towers { label_name: "kind"
                                        num_class: 3 losses { softmax_cross_entropy {} } } })",
                                   R"(feature_configs { raw_feature { feature_name: "x" } }
                                      data_config { batch_size: 16 with_header: true cache_dir: "off"
                                        split { validation_fraction: 0.3 } })"),
                      csv);
  run.MustTrain("a");
  ThreadPool pool(1);
  std::vector<std::string> notes;
  const auto data = CollectReport(run.Dir("a"), "", pool, &notes);
  ASSERT_TRUE(data.ok()) << data.status().message();
  ASSERT_EQ(data->tasks.size(), 1u);
  EXPECT_EQ(data->tasks[0].kind, "multi-class");
  EXPECT_EQ(data->rows_name, "validation rows held out of " + run.DataPath());
  double right = 0, rows = 0;
  for (const CalibrationBin& bin : data->tasks[0].calibration) {
    right += bin.mean_label * static_cast<double>(bin.rows);
    rows += static_cast<double>(bin.rows);
    EXPECT_GE(bin.mean_prediction, 1.0 / 3);
    EXPECT_LE(bin.mean_prediction, 1);
  }
  EXPECT_EQ(rows, data->evaluation.rows);
  EXPECT_NEAR(right / rows, data->evaluation.Find("accuracy_kind"), 1e-9);
}

}  // namespace
}  // namespace manygate
