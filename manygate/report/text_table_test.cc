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
            "income  49,881      3,094          0.94731   0.12345                   -\n"
            "rare        10          0  n/a (one class)         -            12.50000\n");
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

}  // namespace
}  // namespace manygate
