// SPDX-License-Identifier: Apache-2.0
// Plain-text tables with aligned columns.
//
//   TextTable table({{"task"}, {"auc", Align::kRight}});
//   table.AddRow({"income", "0.9473"});
//   table.ToString();
//   // task       auc
//   // ------  ------
//   // income  0.9473
#ifndef MANYGATE_REPORT_TEXT_TABLE_H_
#define MANYGATE_REPORT_TEXT_TABLE_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manygate/metrics/evaluation.h"
#include "manygate/metrics/transfer.h"

namespace manygate {

enum class Align { kLeft, kRight };

struct TableColumn {
  std::string title;
  Align align = Align::kLeft;
};

class TextTable {
 public:
  explicit TextTable(std::vector<TableColumn> columns) : columns_(std::move(columns)) {}
  // One cell per column.
  void AddRow(std::vector<std::string> cells);
  // Title, rule and rows, each ended by a line feed and without blanks at the end; two blanks between columns. Widths
  // are counted in UTF-8 characters.
  std::string ToString() const;

 private:
  std::vector<TableColumn> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// A metric's value as tables show it: 0.94731, 1234.567 (five decimals, or at least seven digits), or
// "n/a (one class)" where it does not exist. Empty if the task does not report it.
std::string FormatMetric(const TaskResult& task, std::string_view metric);

// Tasks down, metrics across, with the rows and positives that they rest on:
//   task      rows  positives      auc        auc 95 %  log_loss       r2
//   ------  ------  ---------  -------  --------------  --------  -------
//   income  49,881      3,094  0.94731  0.9440-0.9506    0.12345
//   hours   49,881                                                0.41234
// A cell is blank where a task has no such number. The columns "positives", "<metric> 95 %" and "missing" (rows without
// a label) appear when any task has them.
std::string EvaluationTable(const EvaluationResult& result);

// The same per value of a column, every task of a value in the order of the tasks, and at last all rows:
//   sex     task    rows  positives      auc
//   ------  ------  ----  ---------  -------
//   Female  income    40          3  0.91000
//   Male    income    60          9  0.90000
//   all     income   100         12  0.92000
std::string SliceTable(const EvaluationResult& all, const ColumnSlices& slices);

// Several models on the same data, one line per task and metric; with two models the difference second - first:
//   task    metric  shared_bottom     mmoe  difference
//   ------  ------  -------------  -------  ----------
//   income  auc           0.94530  0.94731    +0.00201
std::string ComparisonTable(const std::vector<std::pair<std::string, EvaluationResult>>& models);

// What sharing does to each task: a table and a sentence per task.
//   income: auc on 49,881 rows
//
//   model          mean ± sd          difference to alone            verdict
//   -------------  -----------------  -----------------------------  -------------
//   alone          0.94730 ± 0.00021
//   shared_bottom  0.94510 ± 0.00030  -0.00220 [-0.00310, -0.00130]  loses
//   mmoe           0.94761 ± 0.00025  +0.00031 [-0.00041, +0.00103]  no difference
//
//   income: no difference with mmoe; loses 0.0022 AUC from sharing with shared_bottom
// Differences are signed so that more is better. Numbers that do not exist are "n/a".
std::string TransferText(const TransferTable& table);

}  // namespace manygate

#endif  // MANYGATE_REPORT_TEXT_TABLE_H_
