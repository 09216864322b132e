// SPDX-License-Identifier: Apache-2.0
// Summaries of numbers over runs, and intervals of anything computed from runs.
//
//   const Summary summary = Summarise(losses);
//   const Interval difference =
//       Bootstrap(200, [&](std::span<const uint32_t> runs) { return Mean(a, runs) - Mean(b, runs); });
#ifndef MANYGATE_BENCHMARKS_PAPER_STUDY_STATISTICS_H_
#define MANYGATE_BENCHMARKS_PAPER_STUDY_STATISTICS_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace manygate::paper_study {

struct Summary {
  double mean = 0, sd = 0;  // sd: n - 1 in the denominator, 0 for one number
  double min = 0, q05 = 0, q25 = 0, q50 = 0, q75 = 0, q95 = 0, max = 0;
};
Summary Summarise(std::vector<double> values);  // not empty

// With linear interpolation between neighbours (R's type 7). sorted: ascending, not empty; share in [0, 1].
double Quantile(std::span<const double> sorted, double share);

// Of the values of some runs; a run may occur more than once.
double Mean(std::span<const double> values, std::span<const uint32_t> runs);
double Variance(std::span<const double> values, std::span<const uint32_t> runs);
double Quantile(std::span<const double> values, std::span<const uint32_t> runs, double share);

struct Interval {
  double low = 0, high = 0;
};

// 95 % percentile interval over 2,000 resamples of the runs (Efron & Tibshirani 1993, section 13.3). Runs are drawn
// whole, so what is compared within a run stays paired. The resamples are the same in every call. Those for which the
// statistic is not finite are left out (a ratio of variances of one run drawn again and again); all of them: (-inf,
// inf).
Interval Bootstrap(uint32_t num_runs, const std::function<double(std::span<const uint32_t> runs)>& statistic);

}  // namespace manygate::paper_study

#endif  // MANYGATE_BENCHMARKS_PAPER_STUDY_STATISTICS_H_
