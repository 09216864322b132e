// SPDX-License-Identifier: Apache-2.0
// One run of the study: several networks trained on the same fresh rows, step by step beside each other.
//
//   const Rows rows{.correlation = 0.9, .seed = 12, .sines = choice};
//   MG_ASSIGN_OR_RETURN(std::vector<Outcome> outcomes,
//                       TrainBeside(rows, {.variance = choice.signal.variance}, {{"omoe", 1e-3}, {"mmoe", 1e-3}}));
//
// Every row is seen once, so the loss of a batch before its step is the loss on unseen rows. One thread; the outcome
// depends on the arguments only, and a network's on its own trial, not on the others.
#ifndef MANYGATE_BENCHMARKS_PAPER_STUDY_TRAINING_H_
#define MANYGATE_BENCHMARKS_PAPER_STUDY_TRAINING_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "benchmarks/paper_study/signal.h"
#include "manygate/base/status.h"

namespace manygate::paper_study {

inline constexpr int kDimension = 100;
inline constexpr int kExperts = 8;

struct Rows {
  double correlation = 0.5;
  uint64_t seed = 1;  // of directions, inputs and noise; also of initial weights and removed labels
  SineChoice sines;
  double removed_share = 0;  // of the training labels of task 2, [0, 1)
};

struct Length {
  int64_t train_rows = 200'000;  // a multiple of batch_rows
  int64_t test_rows = 10'000;
  int batch_rows = 50;
  int curve_points = 40;  // <= steps
  double variance = 1;    // squared errors are divided by it
  int64_t steps() const { return train_rows / batch_rows; }
};

struct Trial {
  std::string model;  // "shared_bottom", "omoe", "mmoe"
  double learning_rate = 1e-3;
};

// How one gate spreads its weights over the experts, on the test rows.
struct GateUse {
  double entropy = 0;          // mean over the rows of -sum_e g_e ln g_e / ln E: 0 one expert, 1 all alike
  double top_expert_mean = 0;  // the largest mean weight of an expert, [1/E, 1]
};

struct Outcome {
  std::array<double, 2> loss{};  // squared error on the test rows / variance, by task
  std::vector<double> curve;     // [curve_points], of task 1: mean over the batches since the last point / variance
  std::vector<GateUse> gates;    // one per task (mmoe), one (omoe) or none
};

// Failed: a loss is not finite.
StatusOr<std::vector<Outcome>> TrainBeside(const Rows& rows, const Length& length, const std::vector<Trial>& trials);

// The configuration of a trial, as text.
std::string PipelineText(const Trial& trial, int batch_rows, uint64_t seed);

}  // namespace manygate::paper_study

#endif  // MANYGATE_BENCHMARKS_PAPER_STUDY_TRAINING_H_
