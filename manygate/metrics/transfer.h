// SPDX-License-Identifier: Apache-2.0
// What sharing does to each task: models that train several tasks, and boosted trees, against each task trained alone on
// the same rows. `compare` fills it, prints it and writes it as transfer.json; the report shows it.
#ifndef MANYGATE_METRICS_TRANSFER_H_
#define MANYGATE_METRICS_TRANSFER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"

namespace manygate {

inline constexpr char kTransferFileName[] = "transfer.json";

enum class Verdict { kGains, kNoDifference, kLoses };
// "gains", "no difference", "loses".
const char* VerdictName(Verdict verdict);
// By where the interval of a difference lies; NaN: no difference.
Verdict VerdictOf(double low, double high);

// One model on one task. The difference is to the task alone, its sign such that more is better (for RMSE: alone minus
// model), with a 95 % interval over rows and seeds (metrics/paired.h).
struct TransferCell {
  std::string model;                         // "alone", "shared_bottom", "mmoe", "gbdt"
  std::vector<double> values = {};           // of the metric, by seed; NaN where the rows do not define it (one class)
  double mean = 0;                           // over the seeds
  double difference = 0, low = 0, high = 0;  // 0 for "alone"
  Verdict verdict = Verdict::kNoDifference;  // by whether the interval holds 0
};

struct TransferTask {
  std::string tower;
  std::string metric;  // "auc", "root_mean_squared_error", "log_loss"
  bool higher_is_better = true;
  int64_t rows = 0;
  std::vector<TransferCell> cells = {};  // "alone", "shared_bottom", the configured model, "gbdt"
};

struct TransferTable {
  std::string rows_name;  // "test rows of census-income.test.gz"
  std::vector<uint64_t> seeds = {};
  std::vector<TransferTask> tasks = {};
};

// On one line, keyed as the fields above: {"rows_name": ..., "seeds": [1, 2, 3], "tasks": [{"tower": ..., "cells": [...]}]}.
// NaN is written as null.
std::string ToJson(const TransferTable& table);
// InvalidInput, naming `name`: what is not as ToJson writes it.
StatusOr<TransferTable> TransferFromJson(std::string_view json, const std::string& name);

}  // namespace manygate

#endif  // MANYGATE_METRICS_TRANSFER_H_
