// SPDX-License-Identifier: Apache-2.0
// The outcome of one evaluation: what training logs, early stopping and best checkpoints look at, `evaluate` prints.
//
//   EvaluationResult result{.rows = 99762, .loss = 0.21, .tasks = {income.Result(), marital.Result()}};
//   double value = result.Find("auc_income");   // also "mean_auc", "loss"
//   if (IsBetter("auc_income", value, best)) ...
//   std::string json = ToJson(result);
#ifndef MANYGATE_METRICS_EVALUATION_H_
#define MANYGATE_METRICS_EVALUATION_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace manygate {

struct TaskResult {
  std::string tower;
  int64_t rows = 0;                                               // rows with a label and a weight
  int64_t positives = 0;                                          // of those, rows whose label is positive
  int64_t missing = 0;                                            // rows without a label
  std::vector<std::pair<std::string, double>> metrics = {};       // (name, value); NaN: the value does not exist
  std::vector<std::pair<std::string, std::string>> reasons = {};  // (name, why its value is NaN)

  // Why `metric` is NaN; empty when it is a number or absent.
  std::string Reason(std::string_view metric) const;
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

// Of a name as Find() takes it.
bool HigherIsBetter(std::string_view name);
// Whether `candidate` is better than `best` by more than min_delta. A NaN candidate never is; any number is better than
// a NaN best. Calibration is better when it is nearer to 1.
bool IsBetter(std::string_view name, double candidate, double best, double min_delta = 0.0);

// {"rows": 9, "tasks": {"income": {"auc": 0.9, "log_loss": 0.1, "rows": 9, "positives": 2}}} on one line; the numbers
// are the shortest that read back equal; NaN and infinities become null.
std::string ToJson(const EvaluationResult& result);
// The part of a task: {"auc": 0.9, "log_loss": 0.1, "rows": 9, "positives": 2}.
std::string ToJson(const TaskResult& task);
// A JSON number, or null for NaN and infinities; and a JSON string with its quotes.
std::string JsonNumber(double value);
std::string JsonString(std::string_view text);

}  // namespace manygate

#endif  // MANYGATE_METRICS_EVALUATION_H_
