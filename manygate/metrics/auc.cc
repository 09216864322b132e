// SPDX-License-Identifier: Apache-2.0
// Area under the receiver operating characteristic, exact (rank sum) and over fixed thresholds (histogram).
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/metrics/binned_rows.h"
#include "manygate/metrics/ranked_rows.h"
#include "manygate/metrics/row_metric.h"

namespace manygate {
namespace {

constexpr long double kDeviationsOf95Percent = 1.959963984540054L;

// The squared error of a weighted mean, given Σ w² (v - mean)²; NaN for a single row.
long double SquaredError(long double squared_deviations, const TieSide& rows) {
  const long double effective_rows = rows.weight * rows.weight / rows.squares;
  return effective_rows / (effective_rows - 1.0L) * squared_deviations / (rows.weight * rows.weight);
}

class ExactAuc : public RowMetric {
 public:
  const char* name() const override { return "auc"; }
  bool HigherIsBetter() const override { return true; }

 protected:
  void AddRow(const MetricRow& row) override { rows_.Add(row.predictions[0], IsPositive(row.label), row.weight); }
  void MergeRows(const RowMetric& other) override { rows_.Append(static_cast<const ExactAuc&>(other).rows_); }

  std::string Undefined() const override { return rows_.positives() == 0 || rows_.negatives() == 0 ? kOneClass : ""; }

  double Compute() const override { return AreaUnderRoc(rows_); }

  // A row's share of pairs won is taken from the top: a negative wins against nothing that is above it, so the share it
  // loses is what is seen first. Deviations from the mean are the same for losses as for wins.
  std::pair<double, double> ComputeInterval() const override {
    if (rows_.positives() < 2 || rows_.negatives() < 2) return Metric::Interval();
    const auto [positives, negatives] = rows_.Totals();
    const long double area = AreaUnderRoc(rows_);
    long double positives_above = 0.0L, negatives_above = 0.0L;
    long double of_positives = 0.0L, of_negatives = 0.0L;  // Σ w² (share - mean)²
    rows_.WalkDown([&](const RankedRows::Tie& tie) {
      const long double lost = (negatives_above + 0.5L * tie.negative.weight) / negatives.weight - (1.0L - area);
      const long double beaten = (positives_above + 0.5L * tie.positive.weight) / positives.weight - area;
      of_positives += tie.positive.squares * lost * lost;
      of_negatives += tie.negative.squares * beaten * beaten;
      positives_above += tie.positive.weight;
      negatives_above += tie.negative.weight;
    });
    const long double error = std::sqrt(SquaredError(of_positives, positives) + SquaredError(of_negatives, negatives));
    return {static_cast<double>(std::max(0.0L, area - kDeviationsOf95Percent * error)),
            static_cast<double>(std::min(1.0L, area + kDeviationsOf95Percent * error))};
  }

 private:
  RankedRows rows_;
};

class HistogramAuc : public RowMetric {
 public:
  explicit HistogramAuc(uint32_t thresholds) : rows_(thresholds) {}
  const char* name() const override { return "auc"; }
  bool HigherIsBetter() const override { return true; }

 protected:
  std::string Title() const override { return fmt::format("auc over {} thresholds", rows_.thresholds()); }
  void AddRow(const MetricRow& row) override { rows_.Add(row.predictions[0], IsPositive(row.label), row.weight); }
  void MergeRows(const RowMetric& other) override { rows_.Append(static_cast<const HistogramAuc&>(other).rows_); }
  std::string Undefined() const override { return rows_.has_positives() && rows_.has_negatives() ? "" : kOneClass; }
  double Compute() const override { return AreaUnderRoc(rows_); }

 private:
  BinnedRows rows_;
};

}  // namespace

std::unique_ptr<Metric> MakeAuc(const config::AUC& config) {
  if (config.thresholds() == 0) return std::make_unique<ExactAuc>();
  MG_CHECK(config.thresholds() >= 2, "auc over {} thresholds", config.thresholds());
  return std::make_unique<HistogramAuc>(config.thresholds());
}

}  // namespace manygate
