// SPDX-License-Identifier: Apache-2.0
// The main path of the program: data, features, graph, steps, evaluations, checkpoints, saved model.
//
//   TrainOptions options{.model_dir = "out/mmoe", .num_threads = 2, .log = &std::cerr};
//   MG_ASSIGN_OR_RETURN(TrainResult result, Train(loaded, options));
//
// What a run leaves in model_dir besides the model (catalog/model.h):
//   metrics.jsonl             one line per evaluation (report/metrics_log.h)
//   events.out.tfevents.*     the same for TensorBoard
//   checkpoints/step-<n>/     train/checkpoint.h
// Same configuration, data and program: the same bytes of weights at any number of threads, after any resume.
#ifndef MANYGATE_TRAIN_TRAINER_H_
#define MANYGATE_TRAIN_TRAINER_H_

#include <atomic>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/config/load.h"
#include "manygate/metrics/evaluation.h"
#include "manygate/metrics/gate_health.h"

namespace manygate {

struct Dataset;

struct TrainOptions {
  std::string model_dir;
  int num_threads = 1;
  bool resume = false;                      // go on from the last checkpoint in model_dir
  const std::atomic<bool>* stop = nullptr;  // set by Ctrl-C: write a checkpoint and return Cancelled
  std::ostream* log = nullptr;              // progress and notes; null: silent
  bool log_is_terminal = false;
  int terminal_columns = 100;
  bool draw_model = false;  // print the drawing of the model before the first step
};

// Wall-clock seconds by phase of the run, for benchmarks and the last line of the log.
struct PhaseSeconds {
  double read = 0, batch = 0, settle = 0, forward_backward = 0, optimizer = 0, evaluate = 0, save = 0;
};

struct TrainResult {
  int64_t steps = 0;
  double epochs = 0;
  double seconds = 0;          // whole run
  double rows_per_second = 0;  // of the training steps
  PhaseSeconds phases;
  std::string best_metric;  // the metric that chose the saved weights; "" = the last ones
  int64_t best_step = 0;
  EvaluationResult validation, test;  // of the saved weights; test.rows = 0 without a test split
  HealthReport health;                // of the saved weights; empty for an ensemble, whose members' logs have it
};

// One network or, if the configuration has an ensemble, several (train/ensemble.h). loaded: as read; it is validated and
// resolved here.
// InvalidInput: configuration or data. Failed: disk, loss not finite. Cancelled: stopped; the message says how to go on.
StatusOr<TrainResult> Train(config::LoadedPipeline loaded, const TrainOptions& options);

// One network of a validated and resolved configuration without ensemble. data: its rows, or null to read them here.
// options.log is not null.
StatusOr<TrainResult> TrainNetwork(config::LoadedPipeline loaded, const TrainOptions& options, const Dataset* data);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_TRAINER_H_
