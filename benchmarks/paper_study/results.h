// SPDX-License-Identifier: Apache-2.0
// The study's results as JSON, which page.py makes the page and the figures from, and as a table to print.
//
// One top-level key a line; only "cost" differs between two runs of the same options:
//   meaningful   false: a quick run, whose numbers show that the program works and nothing else
//   settings     rows, steps, seed, ...        signal   alpha, beta, variance, noise floor
//   pilot        learning rates and their mean final losses by model
//   cells        correlation x model: final losses of every run and their summary, the mean curve and its quantiles
//   sparse       gates of MMoE with and without most labels of task 2
//   findings     number, paper, verdict, parts with claim, value, interval, range, verdict
//   cost         seconds and threads
#ifndef MANYGATE_BENCHMARKS_PAPER_STUDY_RESULTS_H_
#define MANYGATE_BENCHMARKS_PAPER_STUDY_RESULTS_H_

#include <string>
#include <vector>

#include "benchmarks/paper_study/findings.h"
#include "benchmarks/paper_study/schedule.h"

namespace manygate::paper_study {

struct Cost {
  double wall_seconds = 0, cpu_seconds = 0;
  int threads = 1;
};

std::string ResultsJson(const StudyOptions& options, const StudyResult& result, const std::vector<Finding>& findings,
                        const Cost& cost, bool meaningful);

// The nine cells and the five verdicts, for the terminal.
std::string ResultsText(const StudyOptions& options, const StudyResult& result, const std::vector<Finding>& findings);

}  // namespace manygate::paper_study

#endif  // MANYGATE_BENCHMARKS_PAPER_STUDY_RESULTS_H_
