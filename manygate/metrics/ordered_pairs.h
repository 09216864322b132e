// SPDX-License-Identifier: Apache-2.0
// Pairs of rows with different labels, and how predictions order them; below xauc and grouped_xauc.
//
//   std::sort(rows.begin(), rows.end());
//   const OrderedPairs pairs = CountPairs(rows);
//   double share = (pairs.right + 0.5L * pairs.tied) / pairs.all();
#ifndef MANYGATE_METRICS_ORDERED_PAIRS_H_
#define MANYGATE_METRICS_ORDERED_PAIRS_H_

#include <cstdint>
#include <span>
#include <tuple>

namespace manygate {

struct LabelledRow {
  uint32_t prediction, label;  // order as the numbers do: OrderedKey
  float weight;

  bool operator<(const LabelledRow& other) const {
    return std::tie(prediction, label) < std::tie(other.prediction, other.label);
  }
};

// A pair weighs the product of its rows' weights. Tied: of equal prediction.
struct OrderedPairs {
  long double right = 0.0L, wrong = 0.0L, tied = 0.0L;
  long double all() const { return right + wrong + tied; }
};

// rows: sorted. O(n log n).
OrderedPairs CountPairs(std::span<const LabelledRow> rows);

}  // namespace manygate

#endif  // MANYGATE_METRICS_ORDERED_PAIRS_H_
