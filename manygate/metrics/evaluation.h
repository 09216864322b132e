// SPDX-License-Identifier: Apache-2.0
// The outcome of one evaluation: what training logs, early stopping and best checkpoints look at, `evaluate` prints.
//
//   EvaluationResult result{.rows = 99762, .loss = 0.21, .tasks = {income.Result(), marital.Result()}};
//   double value = result.Find("auc_income");   // also "mean_auc", "loss"
//   if (IsBetter("auc_income", value, best)) ...
//   std::string json = ToJson(result);
//   json = ToJson(result, {{.column = "sex", .values = {{"Female", of_women}, {"Male", of_men}}}});   // --by sex
#ifndef MANYGATE_METRICS_EVALUATION_H_
#define MANYGATE_METRICS_EVALUATION_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace manygate {

struct TaskResult {
  std::string tower;
  int64_t rows = 0;        // rows with a label and a weight
  int64_t positives = -1;  // of those, rows whose label is positive; -1: no binary task
  int64_t missing = 0;     // rows without a label
  std::vector<std::pair<std::string, double>> metrics = {};       // (name, value); NaN: the value does not exist
  std::vector<std::pair<std::string, std::string>> reasons = {};  // (name, why its value is NaN)
  // (name, 95 % interval from low to high), of the metrics that have one.
  std::vector<std::pair<std::string, std::pair<double, double>>> intervals = {};

  // Why `metric` is NaN; empty when it is a number or absent.
  std::string Reason(std::string_view metric) const;
  // NaN, NaN when there is none.
  std::pair<double, double> Interval(std::string_view metric) const;
};

struct EvaluationResult {
  int64_t rows = 0;   // rows read, with or without labels
  double loss = 0.0;  // weighted sum of the task losses, as in training, without regularisation
  std::vector<TaskResult> tasks = {};

  // "loss", "<metric>_<tower>" or "mean_<metric>". The mean is over the towers that have the metric; a tower whose data
  // do not define it (one class, no rows) is left out, one whose predictions are not finite makes the mean NaN.
  // NaN when there is no such name; Names() tells the names there are.
  double Find(std::string_view name) const;
  std::vector<std::string> Names() const;
};

// The rows of an evaluation once more, apart by the values of a column.
struct ColumnSlices {
  std::string column;
  std::vector<std::pair<std::string, EvaluationResult>> values =
      {};  // (value as text, its rows), in the order to print
};

// Of a name as Find() takes it.
bool HigherIsBetter(std::string_view name);
// Whether `candidate` is better than `best` by more than min_delta. A NaN candidate never is; any number is better than
// a NaN best. Calibration is better when it is nearer to 1.
bool IsBetter(std::string_view name, double candidate, double best, double min_delta = 0.0);

// {"rows": 9, "tasks": {"income": {"auc": 0.9, "auc_interval": [0.8, 1], "log_loss": 0.1, "rows": 9, "positives": 2}}}
// on one line; the numbers are the shortest that read back equal; NaN and infinities become null. Intervals and
// positives only where there are any.
std::string ToJson(const EvaluationResult& result);
// The same with slices: {"rows": 9, "tasks": {...}, "by": {"sex": {"Female": {"rows": 4, "tasks": {...}}, ...}}}.
std::string ToJson(const EvaluationResult& result, std::span<const ColumnSlices> by);
// The part of a task: {"auc": 0.9, "auc_interval": [0.8, 1], "log_loss": 0.1, "rows": 9, "positives": 2}.
std::string ToJson(const TaskResult& task);
// Reads what ToJson(EvaluationResult) wrote, also from among other fields, as in a line of metrics.jsonl ("loss" is
// taken from there). Fields of another type than expected are passed over; no JSON object: an empty result.
EvaluationResult EvaluationFromJson(std::string_view json);
// A JSON number, or null for NaN and infinities; and a JSON string with its quotes.
std::string JsonNumber(double value);
std::string JsonString(std::string_view text);

}  // namespace manygate

#endif  // MANYGATE_METRICS_EVALUATION_H_
