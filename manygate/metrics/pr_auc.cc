// SPDX-License-Identifier: Apache-2.0
// Area under precision and recall.
#include "manygate/metrics/ranked_rows.h"
#include "manygate/metrics/row_metric.h"

namespace manygate {
namespace {

class PrAuc : public RowMetric {
 public:
  const char* name() const override { return "pr_auc"; }
  bool HigherIsBetter() const override { return true; }

 protected:
  void AddRow(const MetricRow& row) override { rows_.Add(row.predictions[0], IsPositive(row.label), row.weight); }
  void MergeRows(const RowMetric& other) override { rows_.Append(static_cast<const PrAuc&>(other).rows_); }
  std::string Undefined() const override { return rows_.positives() == 0 ? kNoPositives : ""; }

  double Compute() const override {
    long double sum = 0.0L, positives = 0.0L, all = 0.0L;
    rows_.WalkDown([&](const RankedRows::Tie& tie) {
      positives += tie.positive.weight;
      all += tie.positive.weight + tie.negative.weight;
      sum += tie.positive.weight * (positives / all);
    });
    return static_cast<double>(sum / positives);
  }

 private:
  RankedRows rows_;
};

}  // namespace

std::unique_ptr<Metric> MakePrAuc(const config::PrAUC&) { return std::make_unique<PrAuc>(); }

}  // namespace manygate
