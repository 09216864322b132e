// SPDX-License-Identifier: Apache-2.0
// The page that `manygate report` writes: all that is known of a trained model, with a table beside each picture.
// train/report_data.h gathers it; here it becomes text. Equal data, equal bytes.
//
//   ReportData data{.model = "mmoe", .tasks = {{.tower = "income", .kind = "binary"}}, ...};
//   std::string html = DrawReport(data);
#ifndef MANYGATE_REPORT_REPORT_PAGE_H_
#define MANYGATE_REPORT_REPORT_PAGE_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "manygate/metrics/curves.h"
#include "manygate/metrics/evaluation.h"
#include "manygate/metrics/gate_health.h"
#include "manygate/metrics/transfer.h"
#include "manygate/report/diagram.h"
#include "manygate/report/metrics_log.h"

namespace manygate {

// One task on the rows that the report is about, in the order of ReportData::evaluation.
struct ReportTask {
  std::string tower = {};
  std::string kind = {};  // "binary", "multi-class", "regression", "count", "amount"
  std::string label = {}, loss = {};
  std::vector<CurvePoint> roc = {}, precision_recall = {};      // binary tasks
  double base_rate = std::numeric_limits<double>::quiet_NaN();  // binary tasks: share of positive rows, weighted
  // Binary: probability and share of positives; classes: the largest probability and how often its class is right;
  // others: prediction and label.
  std::vector<CalibrationBin> calibration = {};
  std::string why_empty = {};  // why there are no curves or bins: "one class", "no rows"
};

struct ReportColumn {
  std::string name = {}, column = {}, kind = {}, input = {};
  int64_t values = -1;        // of a vocabulary; -1: a number
  int64_t missing_rows = -1;  // of the training rows; -1: unknown
};

struct ReportLabel {
  std::string name = {}, column = {}, kind = {};
  int64_t rows = 0;             // training rows that have it
  std::string statistics = {};  // "6.2 % positive", "mean 3.4, deviation 1.2"
};

struct ReportData {
  std::string name = {};   // of the model directory
  std::string model = {};  // "mmoe"
  std::string program_version = {};
  int members = 1;  // of an ensemble; history is then that of the first one
  int64_t num_parameters = 0;
  int64_t training_rows = 0;
  std::string rows_name = {};                  // "test rows held out of census.csv"
  EvaluationResult evaluation = {};            // of those rows
  std::vector<MetricsLine> history = {};  // by step; empty: no metrics.jsonl
  std::vector<ReportTask> tasks = {};
  std::optional<TransferTable> transfer = {};
  std::vector<ReportColumn> columns = {};
  std::vector<ReportLabel> labels = {};
  Diagram diagram = {};
  std::string configuration = {};       // resolved, as text
  std::vector<std::string> notes = {};  // what the reader should know of how the page was made
};

std::string DrawReport(const ReportData& data);

// What metrics.jsonl holds, in its order; lines that are no JSON object with a step are passed over, and fields of
// another type than expected read as absent (NaN).
std::vector<MetricsLine> HistoryFromText(std::string_view metrics_jsonl);

}  // namespace manygate

#endif  // MANYGATE_REPORT_REPORT_PAGE_H_
