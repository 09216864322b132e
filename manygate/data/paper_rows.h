// SPDX-License-Identifier: Apache-2.0
// The rows of generate.h's "paper" data, one by one and in memory.
//
//   MG_ASSIGN_OR_RETURN(const PaperRows rows, PaperRows::Create({.seed = 7, .correlation = 0.9}));
//   const std::array<double, 2> y = rows.Row(12, x.data());   // the 13th row of the file with these options
//
// A row depends on the options and its number only: options.rows does not matter here. Of two sets of options that
// differ in the correlation alone, all rows have the same x, the same y_1 and the same noise.
#ifndef MANYGATE_DATA_PAPER_ROWS_H_
#define MANYGATE_DATA_PAPER_ROWS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "manygate/base/random.h"
#include "manygate/base/status.h"
#include "manygate/data/generate.h"

namespace manygate {

// The m amplitudes inside and shifts of the sines.
struct PaperSines {
  std::vector<double> alpha, beta;  // [m]
  // z + noise + sum_i sin(alpha_i z + beta_i): a label, z being its w.x.
  double operator()(double z, double noise = 0) const;
};

// alpha_i, beta_i ~ N(0, 1): those of GeneratePaper with this seed.
PaperSines DrawPaperSines(uint64_t seed, int num_sines);

class PaperRows {
 public:
  // InvalidInput: options out of range, a line each.
  static StatusOr<PaperRows> Create(const PaperOptions& options);

  // x: [dimension], overwritten. Returns the two labels.
  std::array<double, 2> Row(uint64_t row, float* x) const;
  const PaperSines& sines() const { return sines_; }

 private:
  explicit PaperRows(const PaperOptions& options);

  size_t dimension_;
  double noise_deviation_;
  PaperSines sines_;
  std::array<std::vector<double>, 2> weights_;  // [task][dimension]
  Philox inputs_, noises_;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_PAPER_ROWS_H_
