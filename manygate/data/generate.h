// SPDX-License-Identifier: Apache-2.0
// Data to start with. Both kinds are CSV with a header and depend on the options only (not on threads or time).
//
// Funnel: impression -> click -> purchase -> amount.
//   user_id, item_id, category, brand, city   text ids, Zipf-like frequencies (user_id grows with the rows)
//   device, hour                              phone / desktop / tablet / tv, 0 .. 23
//   price, age, past_clicks, past_purchases, days_since_visit   numbers; age and days_since_visit are sometimes missing
//   click, purchase                           0 / 1; purchase is 0 without click
//   amount                                    empty unless purchased; log-normal around the price
// Click is a logistic model over hidden user, item, category and interaction effects and the visible columns; purchase
// shares a part of them, so the tasks help each other. About 8 % of the rows are clicked and 15 % of the clicks buy.
// The summary says which AUC a model that knew every effect would reach (click: 0.80); a plain network of embeddings
// gets 0.74 for click from 300,000 rows.
//
// Paper: the synthetic regression tasks of Ma et al. 2018, "Modeling Task Relationships in Multi-task Learning with
// Multi-gate Mixture-of-Experts", section 3.2, equations 1-4:
//   w1 = c u1, w2 = c (p u1 + sqrt(1 - p^2) u2);  x ~ N(0, 1)^d;
//   y_k = w_k.x + sum_i sin(alpha_i w_k.x + beta_i) + noise.   Columns x_0 .. x_<d-1>, y_1, y_2.
// The paper prints neither c, m, alpha nor beta; here alpha_i, beta_i ~ N(0, 1) once per seed, as in later work.
// paper_rows.h makes the same rows in memory.
#ifndef MANYGATE_DATA_GENERATE_H_
#define MANYGATE_DATA_GENERATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "manygate/base/status.h"

namespace manygate {

struct FunnelOptions {
  int64_t rows = 100000;  // >= 1
  uint64_t seed = 1;
};

struct FunnelSummary {
  int64_t rows = 0;
  int64_t clicks = 0;
  int64_t purchases = 0;
  double amount_sum = 0;
  // AUC of the true probabilities: more cannot be expected of any model. Purchase: among the clicked rows.
  double best_click_auc = 0;
  double best_purchase_auc = 0;
};

struct PaperOptions {
  int64_t rows = 10000;  // >= 1
  uint64_t seed = 1;
  double correlation = 0.5;                   // p, the cosine of the two weight vectors; [-1, 1]
  int dimension = 100;                        // d, >= 2
  double scale = 1.0;                         // c, > 0
  int num_sines = 10;                         // m, >= 0
  double noise_deviation = 0.1;               // standard deviation, >= 0 (the paper's N(0, 0.01) read as a variance)
  std::vector<double> alpha = {}, beta = {};  // of the sines, equally many; empty: num_sines, drawn from seed
};

// What a reader of the results has to know, because the signal depends on alpha and beta.
struct PaperSummary {
  int64_t rows = 0;
  std::vector<double> alpha, beta;  // [num_sines]
  double mean[2] = {0, 0};          // of y_1, y_2
  double variance[2] = {0, 0};
  double label_correlation = 0;  // Pearson, of y_1 and y_2
  double noise_variance = 0;     // the least mean squared error any model can reach
};

// Write `path` (gzip when it ends in ".gz") atomically. InvalidInput: options out of range; Failed: writing failed.
StatusOr<FunnelSummary> GenerateFunnel(const FunnelOptions& options, const std::string& path);
StatusOr<PaperSummary> GeneratePaper(const PaperOptions& options, const std::string& path);

}  // namespace manygate

#endif  // MANYGATE_DATA_GENERATE_H_
