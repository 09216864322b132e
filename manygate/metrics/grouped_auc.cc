// SPDX-License-Identifier: Apache-2.0
// The AUC within groups, such as the rows of one user.
#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/metrics/ranked_rows.h"
#include "manygate/metrics/row_metric.h"

namespace manygate {
namespace {

struct GroupedRow {
  int32_t group;
  uint32_t key;         // orders as the score does
  float signed_weight;  // above 0: a positive row

  bool operator<(const GroupedRow& other) const { return std::tie(group, key) < std::tie(other.group, other.key); }
};

// Of one group, its rows sorted by score.
struct GroupArea {
  long double positives = 0.0L, negatives = 0.0L;  // weight
  long double won = 0.0L;                          // Σ over pairs that are ordered right
};

GroupArea AreaOf(std::vector<GroupedRow>::const_iterator row, std::vector<GroupedRow>::const_iterator end) {
  GroupArea area;
  while (row != end) {
    const uint32_t key = row->key;
    long double positives = 0.0L, negatives = 0.0L;
    for (; row != end && row->key == key; ++row) {
      if (row->signed_weight > 0.0f) {
        positives += row->signed_weight;
      } else {
        negatives -= row->signed_weight;
      }
    }
    area.won += positives * (area.negatives + 0.5L * negatives);
    area.positives += positives;
    area.negatives += negatives;
  }
  return area;
}

class GroupedAuc : public RowMetric {
 public:
  explicit GroupedAuc(std::string column) : column_(std::move(column)) {}
  const char* name() const override { return "grouped_auc"; }
  bool HigherIsBetter() const override { return true; }
  std::string GroupColumn() const override { return column_; }

 protected:
  std::string Title() const override { return fmt::format("grouped_auc by {}", column_); }

  void AddRow(const MetricRow& row) override {
    const bool positive = IsPositive(row.label);
    rows_.push_back({row.group, OrderedKey(row.predictions[0]), positive ? row.weight : -row.weight});
    (positive ? any_positive_ : any_negative_) = true;
    sorted_ = false;
  }

  void MergeRows(const RowMetric& other) override {
    const auto& auc = static_cast<const GroupedAuc&>(other);
    rows_.insert(rows_.end(), auc.rows_.begin(), auc.rows_.end());
    any_positive_ = any_positive_ || auc.any_positive_;
    any_negative_ = any_negative_ || auc.any_negative_;
    sorted_ = false;
  }

  std::string Undefined() const override {
    if (!any_positive_ || !any_negative_) return kOneClass;
    return Summed().mixed == 0.0L ? kOneClassPerGroup : "";
  }

  double Compute() const override {
    const Sums sums = Summed();
    return static_cast<double>(sums.areas / sums.mixed);
  }

 private:
  struct Sums {
    long double areas = 0.0L;  // Σ rows of the group · its AUC
    long double mixed = 0.0L;  // rows of the groups that have both classes
  };

  Sums Summed() const {
    if (!sorted_) std::sort(rows_.begin(), rows_.end());
    sorted_ = true;
    Sums sums;
    for (auto begin = rows_.cbegin(); begin != rows_.cend();) {
      const auto end =
          std::find_if(begin, rows_.cend(), [&](const GroupedRow& row) { return row.group != begin->group; });
      const GroupArea area = AreaOf(begin, end);
      if (area.positives > 0.0L && area.negatives > 0.0L) {
        const long double weight = area.positives + area.negatives;
        sums.areas += weight * (area.won / (area.positives * area.negatives));
        sums.mixed += weight;
      }
      begin = end;
    }
    return sums;
  }

  const std::string column_;
  mutable std::vector<GroupedRow> rows_;  // put in order for the sums; what it holds does not change
  mutable bool sorted_ = true;
  bool any_positive_ = false, any_negative_ = false;
};

}  // namespace

std::unique_ptr<Metric> MakeGroupedAuc(const config::GroupedAUC& config) {
  MG_CHECK(!config.grouping_key().empty(), "grouped_auc without a grouping_key");
  return std::make_unique<GroupedAuc>(config.grouping_key());
}

}  // namespace manygate
