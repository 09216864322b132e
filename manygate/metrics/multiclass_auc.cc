// SPDX-License-Identifier: Apache-2.0
// Each class against the others.
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/metrics/binned_rows.h"
#include "manygate/metrics/ranked_rows.h"
#include "manygate/metrics/row_metric.h"

namespace manygate {
namespace {

// Rows: RankedRows or BinnedRows. empty: those of one class, without a row.
template <typename Rows>
class MulticlassAuc : public RowMetric {
 public:
  MulticlassAuc(bool by_rows, uint32_t thresholds, Rows empty)
      : by_rows_(by_rows), thresholds_(thresholds), empty_(std::move(empty)) {}
  const char* name() const override { return "multiclass_auc"; }
  bool HigherIsBetter() const override { return true; }

 protected:
  Takes TakesWidth() const override { return Takes::kClasses; }
  std::string Title() const override {
    return fmt::format("{} multiclass_auc{}", by_rows_ ? "weighted" : "macro",
                       thresholds_ == 0 ? "" : fmt::format(" over {} thresholds", thresholds_));
  }

  void AddRow(const MetricRow& row) override {
    classes_.resize(row.width, {empty_});
    for (int i = 0; i < row.width; ++i) {
      const bool positive = static_cast<float>(i) == row.label;
      classes_[i].rows.Add(row.predictions[i], positive, row.weight);
      (positive ? classes_[i].weight : classes_[i].weight_of_others) += row.weight;
    }
  }

  void MergeRows(const RowMetric& other) override {
    const auto& auc = static_cast<const MulticlassAuc&>(other);
    if (classes_.empty()) classes_.resize(auc.classes_.size(), {empty_});
    for (size_t i = 0; i < auc.classes_.size(); ++i) {
      classes_[i].rows.Append(auc.classes_[i].rows);
      classes_[i].weight += auc.classes_[i].weight;
      classes_[i].weight_of_others += auc.classes_[i].weight_of_others;
    }
  }

  // Two classes occur if one has rows and rows against it.
  std::string Undefined() const override {
    for (const OneClass& one : classes_)
      if (one.weight > 0 && one.weight_of_others > 0) return "";
    return kOneClass;
  }

  double Compute() const override {
    long double sum = 0.0L, total = 0.0L;
    for (const OneClass& one : classes_) {
      if (one.weight == 0) continue;
      const long double share = by_rows_ ? one.weight : 1.0L;
      sum += share * AreaUnderRoc(one.rows);
      total += share;
    }
    return static_cast<double>(sum / total);
  }

 private:
  struct OneClass {
    Rows rows;  // all, those of the class as positives
    long double weight = 0.0L, weight_of_others = 0.0L;
  };

  const bool by_rows_;
  const uint32_t thresholds_;
  const Rows empty_;
  std::vector<OneClass> classes_;
};

}  // namespace

std::unique_ptr<Metric> MakeMulticlassAuc(const config::MulticlassAUC& config) {
  MG_CHECK(config.average() == "macro" || config.average() == "weighted", "multiclass_auc with average {}",
           config.average());
  const bool by_rows = config.average() == "weighted";
  if (config.thresholds() == 0) return std::make_unique<MulticlassAuc<RankedRows>>(by_rows, 0, RankedRows());
  return std::make_unique<MulticlassAuc<BinnedRows>>(by_rows, config.thresholds(), BinnedRows(config.thresholds()));
}

}  // namespace manygate
