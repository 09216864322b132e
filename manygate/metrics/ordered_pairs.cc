// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/ordered_pairs.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace manygate {
namespace {

// Sums of weights up to a position (Fenwick 1994).
class PrefixSums {
 public:
  explicit PrefixSums(size_t size) : sums_(size + 1) {}
  void Add(size_t position, long double weight) {
    for (size_t i = position + 1; i < sums_.size(); i += i & (~i + 1)) sums_[i] += weight;
  }
  // Of the positions before this one.
  long double Before(size_t position) const {
    long double sum = 0.0L;
    for (size_t i = position; i > 0; i -= i & (~i + 1)) sum += sums_[i];
    return sum;
  }

 private:
  std::vector<long double> sums_;
};

std::vector<uint32_t> DistinctLabels(std::span<const LabelledRow> rows) {
  std::vector<uint32_t> labels;
  labels.reserve(rows.size());
  for (const LabelledRow& row : rows) labels.push_back(row.label);
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  return labels;
}

size_t RankOf(uint32_t label, const std::vector<uint32_t>& labels) {
  return static_cast<size_t>(std::lower_bound(labels.begin(), labels.end(), label) - labels.begin());
}

}  // namespace

// Upwards in the predictions: a row is ordered right against what has a smaller prediction and a smaller label, wrong
// against a smaller prediction and a larger label, and half right against an equal prediction and another label.
OrderedPairs CountPairs(std::span<const LabelledRow> rows) {
  const std::vector<uint32_t> labels = DistinctLabels(rows);
  PrefixSums seen(labels.size());
  OrderedPairs pairs;
  long double weight_seen = 0.0L;
  for (auto begin = rows.begin(), end = begin; begin != rows.end(); begin = end) {
    for (; end != rows.end() && end->prediction == begin->prediction; ++end) {
      const size_t rank = RankOf(end->label, labels);
      const long double smaller = seen.Before(rank);
      pairs.right += end->weight * smaller;
      pairs.wrong += end->weight * (weight_seen - seen.Before(rank + 1));
    }
    long double before = 0.0L;  // of this tie, with a smaller label
    for (auto row = begin; row != end;) {
      const uint32_t label = row->label;
      long double weight = 0.0L;
      for (; row != end && row->label == label; ++row) weight += row->weight;
      pairs.tied += weight * before;
      before += weight;
      seen.Add(RankOf(label, labels), weight);
    }
    weight_seen += before;
  }
  return pairs;
}

}  // namespace manygate
