// SPDX-License-Identifier: Apache-2.0
// Share of the pairs of rows that are ordered as their labels are: of all rows, and within groups such as those of one
// user.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/metrics/metric.h"
#include "manygate/metrics/ordered_pairs.h"
#include "manygate/metrics/ranked_rows.h"
#include "manygate/metrics/row_metric.h"

namespace manygate {
namespace {

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

  double Compute() const override {
    if (!sorted_) std::sort(rows_.begin(), rows_.end());
    sorted_ = true;
    const OrderedPairs pairs = CountPairs(rows_);
    return static_cast<double>((pairs.right + 0.5L * pairs.tied) / pairs.all());
  }

 private:
  mutable std::vector<LabelledRow> rows_;  // Compute() puts them in order; what they hold does not change
  mutable bool sorted_ = true;
};

// A group's XAUC weighted by its pairs is the share of all pairs within groups.
class GroupedXauc : public RowMetric {
 public:
  explicit GroupedXauc(std::string column) : column_(std::move(column)) {}
  const char* name() const override { return "grouped_xauc"; }
  bool HigherIsBetter() const override { return true; }
  std::string GroupColumn() const override { return column_; }

 protected:
  std::string Title() const override { return fmt::format("grouped_xauc by {}", column_); }

  void AddRow(const MetricRow& row) override {
    rows_.push_back({row.group, {OrderedKey(row.predictions[0]), OrderedKey(row.label), row.weight}});
    sorted_ = false;
  }

  void MergeRows(const RowMetric& other) override {
    const auto& xauc = static_cast<const GroupedXauc&>(other);
    rows_.insert(rows_.end(), xauc.rows_.begin(), xauc.rows_.end());
    sorted_ = false;
  }

  std::string Undefined() const override {
    const bool equal =
        std::all_of(rows_.begin(), rows_.end(), [&](const Row& row) { return row.row.label == rows_[0].row.label; });
    if (equal) return kEqualLabels;
    return Counted().all() == 0.0L ? kEqualLabelsPerGroup : "";
  }

  double Compute() const override {
    const OrderedPairs pairs = Counted();
    return static_cast<double>((pairs.right + 0.5L * pairs.tied) / pairs.all());
  }

 private:
  struct Row {
    int32_t group;
    LabelledRow row;
    bool operator<(const Row& other) const { return std::tie(group, row) < std::tie(other.group, other.row); }
  };

  // Of all groups together.
  OrderedPairs Counted() const {
    if (!sorted_) std::sort(rows_.begin(), rows_.end());
    sorted_ = true;
    OrderedPairs sum;
    std::vector<LabelledRow> of_group;
    for (size_t i = 0; i < rows_.size(); ++i) {
      of_group.push_back(rows_[i].row);
      if (i + 1 < rows_.size() && rows_[i + 1].group == rows_[i].group) continue;
      const OrderedPairs pairs = CountPairs(of_group);
      sum.right += pairs.right;
      sum.wrong += pairs.wrong;
      sum.tied += pairs.tied;
      of_group.clear();
    }
    return sum;
  }

  const std::string column_;
  mutable std::vector<Row> rows_;  // put in order for the count; what it holds does not change
  mutable bool sorted_ = true;
};

}  // namespace

std::unique_ptr<Metric> MakeXauc(const config::XAUC&) { return std::make_unique<Xauc>(); }

std::unique_ptr<Metric> MakeGroupedXauc(const config::GroupedXAUC& config) {
  MG_CHECK(!config.grouping_key().empty(), "grouped_xauc without a grouping_key");
  return std::make_unique<GroupedXauc>(config.grouping_key());
}

}  // namespace manygate
