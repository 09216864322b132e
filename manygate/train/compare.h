// SPDX-License-Identifier: Apache-2.0
// Does sharing help? A model against each of its tasks alone, and against Shared-Bottom, on the same rows, with the same
// seeds and budget.
//
//   MG_ASSIGN_OR_RETURN(TransferTable table, Compare(loaded, {.model_dir = "out/compare", .num_seeds = 3}));
//   std::cout << TransferText(table);
//
// The data are read, split and encoded once. For each seed (train_config.seed, + 1, ...) the configured model, its
// Shared-Bottom twin (unless it is one) and the single-task twin of each tower (train/twins.h) are trained. They are
// compared on the test rows, or on the validation rows where no test rows are held out: AUC of binary tasks, log loss of
// classes, root mean squared error of numbers, counts and amounts; rows and their weights as in the task's metrics.
//
// What is left in model_dir:
//   <model>/seed-<s>/           the configured model and shared_bottom, a model directory each
//   alone-<tower>/seed-<s>/     the single-task twins; characters of a tower that no folder should have become "_"
//   transfer.json               the table (metrics/transfer.h); also in each directory of the configured model
#ifndef MANYGATE_TRAIN_COMPARE_H_
#define MANYGATE_TRAIN_COMPARE_H_

#include <atomic>
#include <iosfwd>
#include <string>

#include "manygate/base/status.h"
#include "manygate/config/load.h"
#include "manygate/metrics/transfer.h"

namespace manygate {

struct CompareOptions {
  std::string model_dir;
  int num_seeds = 3;
  bool gbdt = false;                 // XGBoost too (train/gbdt.h), one model per task
  std::string xgboost_library = {};  // its file; "": where the system has it
  int num_threads = 1;
  // Keep models that are complete and were trained with equal configuration and fitted features; the others start anew.
  bool resume = false;
  const std::atomic<bool>* stop = nullptr;  // set by Ctrl-C: return Cancelled
  std::ostream* log = nullptr;              // notes, and a line per training; null: silent
};

// loaded: as read; it is validated and resolved here. An ensemble is reduced to one network, with a note.
// InvalidInput: configuration or data; fewer than two towers; no rows held out; no library, or no validation rows, for
// gbdt. Failed: as Train. Cancelled: stopped; the message says how to go on.
StatusOr<TransferTable> Compare(config::LoadedPipeline loaded, const CompareOptions& options);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_COMPARE_H_
