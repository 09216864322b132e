// SPDX-License-Identifier: Apache-2.0
// Share of the pairs of rows that are ordered as their labels are.
#include <algorithm>
#include <tuple>
#include <vector>

#include "manygate/metrics/ranked_rows.h"
#include "manygate/metrics/row_metric.h"

namespace manygate {
namespace {

struct LabelledRow {
  uint32_t prediction, label;  // order as the numbers do
  float weight;

  bool operator<(const LabelledRow& other) const {
    return std::tie(prediction, label) < std::tie(other.prediction, other.label);
  }
};

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

class Xauc : public RowMetric {
 public:
  const char* name() const override { return "xauc"; }
  bool HigherIsBetter() const override { return true; }

 protected:
  void AddRow(const MetricRow& row) override {
    rows_.push_back({OrderedKey(row.predictions[0]), OrderedKey(row.label), row.weight});
    sorted_ = false;
  }

  void MergeRows(const RowMetric& other) override {
    const auto& xauc = static_cast<const Xauc&>(other);
    rows_.insert(rows_.end(), xauc.rows_.begin(), xauc.rows_.end());
    sorted_ = false;
  }

  std::string Undefined() const override {
    const bool equal =
        std::all_of(rows_.begin(), rows_.end(), [&](const LabelledRow& row) { return row.label == rows_[0].label; });
    return equal ? kEqualLabels : "";
  }

  // Upwards in the predictions: a row is ordered right against what has a smaller prediction and a smaller label, wrong
  // against a smaller prediction and a larger label, and half right against an equal prediction and another label.
  double Compute() const override {
    if (!sorted_) std::sort(rows_.begin(), rows_.end());
    sorted_ = true;
    const std::vector<uint32_t> labels = DistinctLabels();
    PrefixSums seen(labels.size());
    long double right = 0.0L, wrong = 0.0L, tied = 0.0L, weight_seen = 0.0L;
    for (auto begin = rows_.cbegin(), end = begin; begin != rows_.cend(); begin = end) {
      for (; end != rows_.cend() && end->prediction == begin->prediction; ++end) {
        const size_t rank = RankOf(end->label, labels);
        const long double smaller = seen.Before(rank);
        right += end->weight * smaller;
        wrong += end->weight * (weight_seen - seen.Before(rank + 1));
      }
      long double before = 0.0L;  // of this tie, with a smaller label
      for (auto row = begin; row != end;) {
        const uint32_t label = row->label;
        long double weight = 0.0L;
        for (; row != end && row->label == label; ++row) weight += row->weight;
        tied += weight * before;
        before += weight;
        seen.Add(RankOf(label, labels), weight);
      }
      weight_seen += before;
    }
    return static_cast<double>((right + 0.5L * tied) / (right + wrong + tied));
  }

 private:
  std::vector<uint32_t> DistinctLabels() const {
    std::vector<uint32_t> labels;
    labels.reserve(rows_.size());
    for (const LabelledRow& row : rows_) labels.push_back(row.label);
    std::sort(labels.begin(), labels.end());
    labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
    return labels;
  }

  static size_t RankOf(uint32_t label, const std::vector<uint32_t>& labels) {
    return static_cast<size_t>(std::lower_bound(labels.begin(), labels.end(), label) - labels.begin());
  }

  mutable std::vector<LabelledRow> rows_;  // Compute() puts them in order; what they hold does not change
  mutable bool sorted_ = true;
};

}  // namespace

std::unique_ptr<Metric> MakeXauc(const config::XAUC&) { return std::make_unique<Xauc>(); }

}  // namespace manygate
