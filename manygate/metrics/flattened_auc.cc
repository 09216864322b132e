// SPDX-License-Identifier: Apache-2.0
// The AUC of all class probabilities of all rows in one list.
#include "manygate/metrics/metric.h"
#include "manygate/metrics/ranked_rows.h"
#include "manygate/metrics/row_metric.h"

namespace manygate {
namespace {

class FlattenedAuc : public RowMetric {
 public:
  const char* name() const override { return "flattened_auc"; }
  bool HigherIsBetter() const override { return true; }

 protected:
  Takes TakesWidth() const override { return Takes::kBoth; }

  void AddRow(const MetricRow& row) override {
    if (row.width == 1) {
      const bool positive = IsPositive(row.label);
      rows_.Add(row.predictions[0], positive, row.weight);
      rows_.Add(1.0f - row.predictions[0], !positive, row.weight);
      return;
    }
    for (int i = 0; i < row.width; ++i) rows_.Add(row.predictions[i], static_cast<float>(i) == row.label, row.weight);
  }
  void MergeRows(const RowMetric& other) override { rows_.Append(static_cast<const FlattenedAuc&>(other).rows_); }

  // A row has its class and others: both sides have entries.
  double Compute() const override { return AreaUnderRoc(rows_); }

 private:
  RankedRows rows_;
};

}  // namespace

std::unique_ptr<Metric> MakeFlattenedAuc(const config::FlattenedAUC&) { return std::make_unique<FlattenedAuc>(); }

}  // namespace manygate
