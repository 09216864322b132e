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

// A metric's value as tables show it: 0.94731, or "n/a (one class)" where it does not exist.
std::string FormatMetric(const TaskResult& task, std::string_view metric);

// Tasks down, metrics across, with the rows and positives that they rest on:
//   task      rows  positives      auc  log_loss
//   ------  ------  ---------  -------  --------
//   income  49,881      3,094  0.94731   0.12345
// A metric that a task does not report is "-". A column "missing" appears when any task has rows without a label.
std::string EvaluationTable(const EvaluationResult& result);

// Several models on the same data, one line per task and metric; with two models the difference second - first:
//   task    metric  shared_bottom     mmoe  difference
//   ------  ------  -------------  -------  ----------
//   income  auc           0.94530  0.94731    +0.00201
std::string ComparisonTable(const std::vector<std::pair<std::string, EvaluationResult>>& models);

}  // namespace manygate

#endif  // MANYGATE_REPORT_TEXT_TABLE_H_
