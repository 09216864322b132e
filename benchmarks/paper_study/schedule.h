// SPDX-License-Identifier: Apache-2.0
// The study's trainings in their three phases, some at a time.
//
//   MG_ASSIGN_OR_RETURN(const StudyResult result, RunStudy({.runs = 200, .threads = 2}, [](const Progress& p) {...}));
//
// 1. Pilot: every model with every learning rate of kRates on the rows of pilot_runs runs and all correlations; each
//    model's rate is the one of the least mean final loss. Pilot runs have seeds of their own.
// 2. Main: runs x correlations; the three models of a run train on the same fresh rows. The runs of a number have the
//    same directions, inputs, noise and seed of initial weights at every correlation, so that comparisons are paired.
// 3. Sparse: MMoE once more on the first sparse_runs runs at correlation 0.9, without kRemovedShare of task 2's labels.
// A training runs on one thread; the result depends on the options but not on `threads`.
#ifndef MANYGATE_BENCHMARKS_PAPER_STUDY_SCHEDULE_H_
#define MANYGATE_BENCHMARKS_PAPER_STUDY_SCHEDULE_H_

#include <array>
#include <functional>
#include <vector>

#include "benchmarks/paper_study/findings.h"
#include "benchmarks/paper_study/signal.h"
#include "benchmarks/paper_study/training.h"
#include "manygate/base/status.h"

namespace manygate::paper_study {

inline constexpr std::array<double, 3> kRates = {1e-4, 1e-3, 1e-2};  // the paper's grid
inline constexpr double kRemovedShare = 0.9;
inline constexpr double kSparseCorrelation = 0.9;

struct StudyOptions {
  int runs = 200;  // >= 1
  int pilot_runs = 5;
  int sparse_runs = 50;  // <= runs
  uint64_t seed = 1;
  int threads = 2;
  SineChoice sines;
  Length length;
};

struct StudyResult {
  std::array<std::array<double, kRates.size()>, 3> pilot{};  // [model][rate], mean final loss of both tasks
  std::array<double, 3> rates{};                             // [model], chosen
  // [correlation][model][run]
  std::array<std::array<std::vector<Outcome>, 3>, 3> outcomes;
  std::vector<Outcome> sparse;  // [sparse run]
};

struct Progress {
  int64_t done = 0, total = 0;  // trainings
  double seconds = 0;           // since the start
};

// report is called after each group of trainings, by one thread at a time.
StatusOr<StudyResult> RunStudy(const StudyOptions& options, const std::function<void(const Progress&)>& report);

// What the findings are judged by.
Losses TaskOneLosses(const StudyResult& result);
GateEntropies EntropiesOf(const StudyResult& result);

}  // namespace manygate::paper_study

#endif  // MANYGATE_BENCHMARKS_PAPER_STUDY_SCHEDULE_H_
