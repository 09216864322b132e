// SPDX-License-Identifier: Apache-2.0
// The base of metrics that are a weighted mean of one number per row: accuracy, log loss, errors.
//
//   class Misses : public MeanMetric {
//     const char* name() const override { return "misses"; }
//     bool HigherIsBetter() const override { return false; }
//     double PerRow(const MetricRow& row) const override { return row.predictions[0] == row.label ? 0 : 1; }
//   };
#ifndef MANYGATE_METRICS_MEAN_METRIC_H_
#define MANYGATE_METRICS_MEAN_METRIC_H_

#include "manygate/metrics/row_metric.h"

namespace manygate {

class MeanMetric : public RowMetric {
 protected:
  virtual double PerRow(const MetricRow& row) const = 0;
  // What is reported, given the mean.
  virtual double FromMean(double mean) const { return mean; }

  void AddRow(const MetricRow& row) final {
    sum_ += row.weight * PerRow(row);
    weight_ += row.weight;
  }
  void MergeRows(const RowMetric& other) final {
    const auto& mean = static_cast<const MeanMetric&>(other);
    sum_ += mean.sum_;
    weight_ += mean.weight_;
  }
  double Compute() const final { return FromMean(sum_ / weight_); }

 private:
  double sum_ = 0.0;
  double weight_ = 0.0;
};

}  // namespace manygate

#endif  // MANYGATE_METRICS_MEAN_METRIC_H_
