// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl of a model directory: one JSON object per line and evaluation, in the order of the steps.
//
//   MG_RETURN_IF_ERROR(TruncateAfter(path, resumed_step));   // a resumed run repeats what came later
//   MG_RETURN_IF_ERROR(AppendMetrics(path, {.step = 6000, .epoch = 1, .seconds = 2.5, .result = result}));
//
// {"step": 6000, "epoch": 1, "seconds": 2.5, "rows_per_second": 76800, "loss": 0.21, "train_loss": {"income": 0.2},
//  "rows": 49881, "tasks": {"income": {"auc": 0.94, "auc_interval": [0.93, 0.95], "rows": 49881, "positives": 3094}}}
//                                                                                                 (on one line)
// NaN and infinities are null. "train_loss" is left out when there is none; so is "health", the gates and experts
// (metrics/gate_health.h) in an object of their own. Readers must ignore fields they do not know.
#ifndef MANYGATE_REPORT_METRICS_LOG_H_
#define MANYGATE_REPORT_METRICS_LOG_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/metrics/evaluation.h"
#include "manygate/metrics/gate_health.h"

namespace manygate {

struct MetricsLine {
  int64_t step = 0;
  double epoch = 0.0;            // epochs done; a part of one when the evaluation falls inside
  double seconds = 0.0;          // since the run began
  double rows_per_second = 0.0;  // of training
  std::vector<std::pair<std::string, double>> train_losses = {};  // (tower, mean since the last evaluation)
  EvaluationResult result = {};
  HealthReport health = {};
};

// Without the line feed.
std::string ToJson(const MetricsLine& line);

// Adds one line with one write; when that does not succeed in full, the file is cut back to its old length.
// Failed: names the file and the system's reason.
Status AppendMetrics(const std::string& path, const MetricsLine& line);

// Removes the lines of steps after `step`, and everything from the first line that is no whole JSON object with a step
// (left by a crash). A file that does not exist is fine.
Status TruncateAfter(const std::string& path, int64_t step);

}  // namespace manygate

#endif  // MANYGATE_REPORT_METRICS_LOG_H_
