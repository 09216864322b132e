// SPDX-License-Identifier: Apache-2.0
#include "manygate/report/text_table.h"

#include <gtest/gtest.h>

#include <limits>

namespace manygate {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(TextTableTest, AlignsColumns) {
  TextTable table({{"task"}, {"auc", Align::kRight}, {"note"}});
  table.AddRow({"income", "0.9473", "x"});
  table.AddRow({"a", "1", ""});
  EXPECT_EQ(table.ToString(),
            "task       auc  note\n"
            "------  ------  ----\n"
            "income  0.9473  x\n"
            "a            1\n");
}

TEST(TextTableTest, CountsCharactersNotBytes) {
  TextTable table({{"größe"}, {"n", Align::kRight}});
  table.AddRow({"café", "1"});
  table.AddRow({"plain", "22"});
  EXPECT_EQ(table.ToString(),
            "größe   n\n"
            "-----  --\n"
            "café    1\n"
            "plain  22\n");
}

TEST(TextTableTest, WithoutRows) { EXPECT_EQ(TextTable({{"task"}, {"auc"}}).ToString(), "task  auc\n----  ---\n"); }

TEST(TextTableDeathTest, EveryRowHasAllCells) {
  TextTable table({{"task"}, {"auc"}});
  EXPECT_DEATH(table.AddRow({"income"}), "1 cells for 2 columns");
}

EvaluationResult Result(double auc) {
  return {.rows = 49881,
          .loss = 0.2,
          .tasks = {{.tower = "income",
                     .rows = 49881,
                     .positives = 3094,
                     .missing = 0,
                     .metrics = {{"auc", auc}, {"log_loss", 0.123454}},
                     .reasons = {}},
                    {.tower = "rare",
                     .rows = 10,
                     .positives = 0,
                     .missing = 0,
                     .metrics = {{"auc", kNaN}, {"mean_squared_error", 12.5}},
                     .reasons = {{"auc", "one class"}}}}};
}

TEST(EvaluationTableTest, TasksDownMetricsAcross) {
  EXPECT_EQ(EvaluationTable(Result(0.94731)),
            "task      rows  positives              auc  log_loss  mean_squared_error\n"
            "------  ------  ---------  ---------------  --------  ------------------\n"
            "income  49,881      3,094          0.94731   0.12345\n"
            "rare        10          0  n/a (one class)                      12.50000\n");
}

TEST(EvaluationTableTest, IntervalsAndTaskKinds) {
  EvaluationResult result = Result(0.94731);
  result.tasks[0].intervals = {{"auc", {0.94404, 0.95166}}};
  result.tasks[1] = {.tower = "spend", .rows = 1234, .metrics = {{"mean_squared_error", 12345.678}, {"r2", -0.25}}};
  EXPECT_EQ(EvaluationTable(result),
            "task      rows  positives      auc       auc 95 %  log_loss  mean_squared_error        r2\n"
            "------  ------  ---------  -------  -------------  --------  ------------------  --------\n"
            "income  49,881      3,094  0.94731  0.9440-0.9517   0.12345\n"
            "spend    1,234                                                         12345.68  -0.25000\n");
  result.tasks.erase(result.tasks.begin());
  EXPECT_EQ(EvaluationTable(result),
            "task    rows  mean_squared_error        r2\n"
            "-----  -----  ------------------  --------\n"
            "spend  1,234            12345.68  -0.25000\n");
}

TEST(EvaluationTableTest, NumbersOfAnySize) {
  const auto text = [](double value) { return FormatMetric({.tower = "a", .metrics = {{"x", value}}}, "x"); };
  EXPECT_EQ(text(0.5), "0.50000");
  EXPECT_EQ(text(-99.5), "-99.50000");
  EXPECT_EQ(text(123.45678), "123.4568");
  EXPECT_EQ(text(-1234567.8), "-1234568");
  EXPECT_EQ(text(98765432109.0), "98765432109");
  EXPECT_EQ(text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(text(kNaN), "n/a");
}

TEST(SliceTableTest, ValuesThenAll) {
  EvaluationResult all = Result(0.94731), women = Result(0.93), men = Result(kNaN);
  all.tasks[0].intervals = {{"auc", {0.944, 0.951}}};
  for (EvaluationResult* result : {&all, &women, &men})
    result->tasks[1] = {.tower = "hours", .rows = 7, .metrics = {{"r2", 0.5}}};
  men.tasks[0] = {.tower = "income",
                  .rows = 1,
                  .positives = 1,
                  .missing = 2,
                  .metrics = {{"auc", kNaN}},
                  .reasons = {{"auc", "one class"}}};
  EXPECT_EQ(SliceTable(all, {.column = "sex", .values = {{"Female", women}, {"Male", men}}}),
            "sex     task      rows  positives  missing              auc       auc 95 %  log_loss       r2\n"
            "------  ------  ------  ---------  -------  ---------------  -------------  --------  -------\n"
            "Female  income  49,881      3,094        0          0.93000                  0.12345\n"
            "Female  hours        7                   0                                            0.50000\n"
            "Male    income       1          1        2  n/a (one class)\n"
            "Male    hours        7                   0                                            0.50000\n"
            "all     income  49,881      3,094        0          0.94731  0.9440-0.9510   0.12345\n"
            "all     hours        7                   0                                            0.50000\n");
}

TEST(EvaluationTableTest, MissingLabelsGetAColumn) {
  EvaluationResult result = Result(0.94731);
  result.tasks.resize(1);
  result.tasks[0].missing = 1234;
  EXPECT_EQ(EvaluationTable(result),
            "task      rows  positives  missing      auc  log_loss\n"
            "------  ------  ---------  -------  -------  --------\n"
            "income  49,881      3,094    1,234  0.94731   0.12345\n");
}

TEST(ComparisonTableTest, TwoModels) {
  EXPECT_EQ(ComparisonTable({{"shared_bottom", Result(0.9453)}, {"mmoe", Result(0.94731)}}),
            "task    metric                shared_bottom             mmoe  difference\n"
            "------  ------------------  ---------------  ---------------  ----------\n"
            "income  auc                         0.94530          0.94731    +0.00201\n"
            "income  log_loss                    0.12345          0.12345    +0.00000\n"
            "rare    auc                 n/a (one class)  n/a (one class)           -\n"
            "rare    mean_squared_error         12.50000         12.50000    +0.00000\n");
}

TEST(ComparisonTableTest, ModelsWithDifferentTasksAndMetrics) {
  EvaluationResult first = Result(0.9), second = Result(0.8);
  first.tasks.resize(1);
  first.tasks[0].metrics.resize(1);
  second.tasks.resize(1);
  EvaluationResult third = second;
  third.tasks[0].tower = "marital";
  EXPECT_EQ(ComparisonTable({{"a", first}, {"b", second}, {"c", third}}),
            "task     metric          a        b        c\n"
            "-------  --------  -------  -------  -------\n"
            "income   auc       0.90000  0.80000        -\n"
            "income   log_loss        -  0.12345        -\n"
            "marital  auc             -        -  0.80000\n"
            "marital  log_loss        -        -  0.12345\n");
}

TransferTask Transfer(double low, double high, Verdict verdict) {
  TransferTask task{.tower = "income", .metric = "auc", .rows = 49881};
  task.cells.push_back({.model = "alone", .values = {0.94, 0.95, 0.96}, .mean = 0.95});
  task.cells.push_back({.model = "shared_bottom",
                        .values = {0.93, 0.93, 0.93},
                        .mean = 0.93,
                        .difference = -0.02,
                        .low = -0.0225,
                        .high = -0.0175,
                        .verdict = Verdict::kLoses});
  task.cells.push_back({.model = "mmoe",
                        .values = {0.9512, 0.9512, 0.9512},
                        .mean = 0.9512,
                        .difference = 0.0012,
                        .low = low,
                        .high = high,
                        .verdict = verdict});
  return task;
}

TEST(TransferTextTest, ATablePerTaskThenASentencePerTask) {
  TransferTask spend{.tower = "spend", .metric = "root_mean_squared_error", .higher_is_better = false, .rows = 7};
  spend.cells.push_back({.model = "alone", .values = {20.5}, .mean = 20.5});
  spend.cells.push_back({.model = "mmoe",
                         .values = {8},
                         .mean = 8,
                         .difference = 12.5,
                         .low = 11,
                         .high = 14,
                         .verdict = Verdict::kGains});
  EXPECT_EQ(TransferText({.tasks = {Transfer(-0.001, 0.0034, Verdict::kNoDifference), spend}}),
            "income: auc on 49,881 rows\n\n"
            "model          mean ± sd          difference to alone            verdict\n"
            "-------------  -----------------  -----------------------------  -------------\n"
            "alone          0.95000 ± 0.01000\n"
            "shared_bottom  0.93000 ± 0.00000  -0.02000 [-0.02250, -0.01750]  loses\n"
            "mmoe           0.95120 ± 0.00000  +0.00120 [-0.00100, +0.00340]  no difference\n\n"
            "spend: root_mean_squared_error on 7 rows; less is better, and differences are alone - model\n\n"
            "model  mean ± sd  difference to alone               verdict\n"
            "-----  ---------  --------------------------------  -------\n"
            "alone  20.50000\n"
            "mmoe   8.00000    +12.50000 [+11.00000, +14.00000]  gains\n\n"
            "income: no difference with mmoe; loses 0.02 AUC from sharing with shared_bottom\n"
            "spend: gains 12 RMSE from sharing with mmoe\n");
}

TEST(TransferTextTest, WhatDoesNotExistIsNotCalledEqual) {
  TransferTask task{.tower = "rare", .metric = "auc", .rows = 3};
  task.cells.push_back({.model = "alone", .values = {NAN}, .mean = NAN});
  task.cells.push_back({.model = "mmoe", .values = {NAN}, .mean = NAN, .difference = NAN, .low = NAN, .high = NAN});
  EXPECT_EQ(TransferText({.tasks = {task}}),
            "rare: auc on 3 rows\n\n"
            "model  mean ± sd  difference to alone  verdict\n"
            "-----  ---------  -------------------  -------\n"
            "alone  n/a\n"
            "mmoe   n/a        n/a\n\n"
            "rare: cannot be compared with mmoe: its rows do not define the AUC\n");
}

}  // namespace
}  // namespace manygate
