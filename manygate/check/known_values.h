// SPDX-License-Identifier: Apache-2.0
// The values of a column in some rows, to ask how many of other values are among them.
//
//   const KnownValues known(*column.train, rows.train);
//   const Matches matches = known.Match(*column.evaluation, rows.evaluation);
//   matches.present - matches.known;   // unseen
#ifndef MANYGATE_CHECK_KNOWN_VALUES_H_
#define MANYGATE_CHECK_KNOWN_VALUES_H_

#include <cstdint>
#include <span>
#include <unordered_set>

#include "manygate/data/table.h"

namespace manygate::check {

struct Matches {
  int64_t known = 0, present = 0;
  double share() const { return present == 0 ? 1 : static_cast<double>(known) / static_cast<double>(present); }
};

// Missing values are left out. Numbers of which over half are different are measurements: known are then those between
// the smallest and the largest.
class KnownValues {
 public:
  KnownValues(const Column& column, std::span<const uint32_t> rows);
  Matches Match(const Column& column, std::span<const uint32_t> rows) const;

 private:
  bool HasNumber(const Column& column, uint32_t row) const;

  std::unordered_set<uint64_t> values_;
  bool is_range_ = false;
  float least_ = 0, most_ = 0;
};

}  // namespace manygate::check

#endif  // MANYGATE_CHECK_KNOWN_VALUES_H_
