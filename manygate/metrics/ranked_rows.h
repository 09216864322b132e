// SPDX-License-Identifier: Apache-2.0
// Scored rows of two classes, walked from the highest score to the lowest; below auc, multiclass_auc and pr_auc.
//
//   RankedRows rows;
//   for (each row) rows.Add(score, positive, weight);
//   rows.WalkDown([&](const RankedRows::Tie& tie) { ... });
//   double area = AreaUnderRoc(rows);
#ifndef MANYGATE_METRICS_RANKED_ROWS_H_
#define MANYGATE_METRICS_RANKED_ROWS_H_

#include <bit>
#include <cstdint>
#include <vector>

namespace manygate {

// Unsigned integers in the order of the floats; -0 and +0 are one score. By bits, because a processor that treats
// denormals as zero would tie scores that differ.
inline uint32_t OrderedKey(float score) {
  const uint32_t bits = std::bit_cast<uint32_t>(score);
  if ((bits << 1) == 0) return 0x80000000u;
  return (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
}

// The rows of one class and of equal score. In long double: counts up to 2^64 and their halves are exact.
struct TieSide {
  long double weight = 0.0L;   // Σ w
  long double squares = 0.0L;  // Σ w²
};

// 8 bytes per row, 16 while they are sorted. Scores are finite, weights above 0.
class RankedRows {
 public:
  struct Tie {
    TieSide positive, negative;
  };

  void Add(float score, bool positive, float weight) {
    (positive ? positives_ : negatives_).push_back({OrderedKey(score), weight});
    sorted_ = false;
  }
  void Append(const RankedRows& other);
  int64_t positives() const { return static_cast<int64_t>(positives_.size()); }
  int64_t negatives() const { return static_cast<int64_t>(negatives_.size()); }

  // visit(tie) for every distinct score, highest first.
  template <typename Visit>
  void WalkDown(Visit visit) const {
    Sort();
    auto positive = positives_.rbegin();
    auto negative = negatives_.rbegin();
    while (positive != positives_.rend() || negative != negatives_.rend()) {
      uint32_t key = 0;
      if (positive != positives_.rend()) key = positive->key;
      if (negative != negatives_.rend() && negative->key > key) key = negative->key;
      Tie tie;
      for (; positive != positives_.rend() && positive->key == key; ++positive) Count(positive->weight, &tie.positive);
      for (; negative != negatives_.rend() && negative->key == key; ++negative) Count(negative->weight, &tie.negative);
      visit(static_cast<const Tie&>(tie));
    }
  }
  // Both classes as a whole.
  Tie Totals() const;

 private:
  struct Row {
    uint32_t key;  // orders as the score does
    float weight;
  };
  static void Count(long double weight, TieSide* side) {
    side->weight += weight;
    side->squares += weight * weight;
  }
  static void RadixSort(std::vector<Row>* rows);
  void Sort() const;

  // WalkDown puts them in order; what they hold does not change.
  mutable std::vector<Row> positives_, negatives_;
  mutable bool sorted_ = true;
};

// The chance that a positive row scores above a negative one, ties counting one half. Both classes must have rows.
double AreaUnderRoc(const RankedRows& rows);

}  // namespace manygate

#endif  // MANYGATE_METRICS_RANKED_ROWS_H_
