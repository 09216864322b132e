// SPDX-License-Identifier: Apache-2.0
// Each class against the others.
#include <fmt/format.h>

#include <vector>

#include "manygate/base/check.h"
#include "manygate/metrics/ranked_rows.h"
#include "manygate/metrics/row_metric.h"

namespace manygate {
namespace {

class MulticlassAuc : public RowMetric {
 public:
  explicit MulticlassAuc(bool by_rows) : by_rows_(by_rows) {}
  const char* name() const override { return "multiclass_auc"; }
  bool HigherIsBetter() const override { return true; }

 protected:
  Takes TakesWidth() const override { return Takes::kClasses; }
  std::string Title() const override { return fmt::format("{} multiclass_auc", by_rows_ ? "weighted" : "macro"); }

  void AddRow(const MetricRow& row) override {
    classes_.resize(row.width);
    for (int i = 0; i < row.width; ++i)
      classes_[i].Add(row.predictions[i], static_cast<float>(i) == row.label, row.weight);
  }

  void MergeRows(const RowMetric& other) override {
    const auto& auc = static_cast<const MulticlassAuc&>(other);
    if (classes_.empty()) classes_.resize(auc.classes_.size());
    for (size_t i = 0; i < auc.classes_.size(); ++i) classes_[i].Append(auc.classes_[i]);
  }

  // Two classes occur if one has rows and rows against it.
  std::string Undefined() const override {
    for (const RankedRows& rows : classes_)
      if (rows.positives() > 0 && rows.negatives() > 0) return "";
    return kOneClass;
  }

  double Compute() const override {
    long double sum = 0.0L, total = 0.0L;
    for (const RankedRows& rows : classes_) {
      if (rows.positives() == 0) continue;
      const long double share = by_rows_ ? rows.Totals().positive.weight : 1.0L;
      sum += share * AreaUnderRoc(rows);
      total += share;
    }
    return static_cast<double>(sum / total);
  }

 private:
  const bool by_rows_;
  std::vector<RankedRows> classes_;  // by class: all rows, those of the class as positives
};

}  // namespace

std::unique_ptr<Metric> MakeMulticlassAuc(const config::MulticlassAUC& config) {
  MG_CHECK(config.average() == "macro" || config.average() == "weighted", "multiclass_auc with average {}",
           config.average());
  return std::make_unique<MulticlassAuc>(config.average() == "weighted");
}

}  // namespace manygate
