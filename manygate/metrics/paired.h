// SPDX-License-Identifier: Apache-2.0
// How much better one model is than another on the same rows, each trained with the same S seeds: the difference of a
// metric, meaned over the seeds, with a 95 % interval that holds both kinds of chance, which rows were held out and which
// seeds were drawn.
//
//   PairedDifference gain = PairedAuc(labels, weights, mmoe_by_seed, alone_by_seed);   // [seed][row] predictions
//   if (gain.low > 0) ...                                                              // mmoe is better
//   gain = PairedRootMean(weights, mmoe_squared_errors, alone_squared_errors, pool);   // [seed][row] losses
//
//   half width = sqrt(1.96² · variance over rows + t²_{S-1, 0.975} · sd²(differences by seed) / S)
//
// The two parts are squares of half widths, each as if it were alone. The first is of the mean over the seeds and so
// holds a part of the second already: the interval is rather too wide than too narrow. With one seed the second part is
// left out. Differences are signed so that more is better: for losses baseline - model.
//
// Variance over rows:
//   AUC     DeLong, DeLong & Clarke-Pearson 1988, for two models on the same rows. V_i is the share of the other class
//           that row i is on the right side of (ties one half), D_i the mean over seeds of V_i of the model minus that of
//           the baseline; then as in metric.h, MakeAuc: Σ over the two classes of
//             [e / (e - 1)] Σ w_i² (D_i - mean D)² / (Σ w_i)²,   e = (Σ w_i)² / Σ w_i².
//   others  the variance of the difference over 1,000 bootstrap resamples of the rows, the same for both models. A
//           resample gives each row a Poisson(1) number of copies (Hanley & MacGibbon 2006), drawn by counter from a
//           fixed seed: same rows, same interval, at any number of threads.
//
// Where a metric does not exist (no rows, one class, predictions that are not finite) all numbers are NaN.
#ifndef MANYGATE_METRICS_PAIRED_H_
#define MANYGATE_METRICS_PAIRED_H_

#include <span>
#include <vector>

#include "manygate/base/thread_pool.h"

namespace manygate {

struct PairedDifference {
  double difference = 0;  // mean over the seeds
  double low = 0, high = 0;
  double row_error = 0;   // standard error over rows
  double seed_error = 0;  // standard error over seeds, sd / √S
};

// One array of the rows per seed. Both models have the same seeds in the same order.
using RowsBySeed = std::span<const std::vector<float>>;

// labels: [rows], positive above one half; weights: [rows], > 0; predictions: [seeds][rows], any order-preserving score.
// NaN with fewer than two rows of a class.
PairedDifference PairedAuc(std::span<const float> labels, std::span<const float> weights, RowsBySeed model,
                           RowsBySeed baseline);

// Of the weighted mean of a loss per row: [seeds][rows], such as log losses.
PairedDifference PairedMean(std::span<const float> weights, RowsBySeed model_losses, RowsBySeed baseline_losses,
                            ThreadPool& pool);
// Of the root of the weighted mean, such as of squared errors; the mean over the seeds is of the roots.
PairedDifference PairedRootMean(std::span<const float> weights, RowsBySeed model_losses, RowsBySeed baseline_losses,
                                ThreadPool& pool);

// The area of each seed's predictions, as MakeAuc computes it; NaN where it does not exist.
double AucOf(std::span<const float> labels, std::span<const float> weights, std::span<const float> predictions);

// The quantile 0.975 of Student's t with that many degrees of freedom, >= 1.
double StudentQuantile975(int degrees);

}  // namespace manygate

#endif  // MANYGATE_METRICS_PAIRED_H_
