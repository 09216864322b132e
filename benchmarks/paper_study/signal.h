// SPDX-License-Identifier: Apache-2.0
// The labels' distribution, which follows from alpha and beta alone: w.x is N(0, c^2) whatever the direction of w. With
// unlucky alpha and beta next to no signal is left, so the study states how it chose them.
//
//   const SineChoice choice = FirstStrongSines(10);
//   choice.signal.variance;   // what squared errors are divided by, noise included
#ifndef MANYGATE_BENCHMARKS_PAPER_STUDY_SIGNAL_H_
#define MANYGATE_BENCHMARKS_PAPER_STUDY_SIGNAL_H_

#include <cstdint>

#include "manygate/data/paper_rows.h"

namespace manygate::paper_study {

inline constexpr double kNoiseDeviation = 0.1;  // the paper's N(0, 0.01) read as a variance
inline constexpr double kMinVariance = 2.0;
inline constexpr double kMaxLinearShare = 0.5;

struct Signal {
  double mean = 0;
  double variance = 0;      // of a label, noise included
  double linear_share = 0;  // of the variance that the best straight line in w.x explains: R^2
};

// For c = 1, by the trapezium rule on [-10, 10].
Signal SignalOf(const PaperSines& sines, double noise_deviation);

struct SineChoice {
  uint64_t seed = 0;  // 0: not drawn
  PaperSines sines;
  double noise_deviation = kNoiseDeviation;
  Signal signal;
};

// alpha, beta ~ N(0, 1) of the first seed from 1 whose labels have a variance of at least kMinVariance, of which a line
// explains at most kMaxLinearShare: enough signal, and most of it not linear.
SineChoice FirstStrongSines(int num_sines);

// alpha_i = i, beta_i = (i - 1)^2 for i = 1 .. num_sines and noise of deviation 0.01: the generator published by
// colleagues of the paper's authors.
SineChoice RisingSines(int num_sines);

}  // namespace manygate::paper_study

#endif  // MANYGATE_BENCHMARKS_PAPER_STUDY_SIGNAL_H_
