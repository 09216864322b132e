// SPDX-License-Identifier: Apache-2.0
// The base of every metric: leaves out rows without a label or weight, watches for predictions that are not finite, and
// keeps Value(), Interval() and Reason() consistent.
//
//   class LargestMiss : public RowMetric {
//     const char* name() const override { return "largest_miss"; }
//     bool HigherIsBetter() const override { return false; }
//     void AddRow(const MetricRow& row) override { most_ = std::max(most_, Distance(row.predictions[0], row.label)); }
//     void MergeRows(const RowMetric& other) override {
//       most_ = std::max(most_, static_cast<const LargestMiss&>(other).most_);
//     }
//     double Compute() const override { return most_; }
//   };
#ifndef MANYGATE_METRICS_ROW_METRIC_H_
#define MANYGATE_METRICS_ROW_METRIC_H_

#include <cstdint>
#include <string>
#include <utility>

#include "manygate/metrics/metric.h"

namespace manygate {

// A row that takes part; its predictions are finite.
struct MetricRow {
  const float* predictions;  // [width]
  int width;
  float label;    // width > 1: one of 0 .. width-1
  float weight;   // > 0
  int32_t group;  // 0 unless GroupColumn() names a column
};

class RowMetric : public Metric {
 public:
  void Add(const MetricBatch& batch) final;
  void Merge(const Metric& other) final;
  double Value() const final;
  std::pair<double, double> Interval() const final;
  // No rows, then predictions that are not finite, then what Undefined() says.
  std::string Reason() const final;

 protected:
  virtual void AddRow(const MetricRow& row) = 0;
  // `other` is of the same class with the same Title().
  virtual void MergeRows(const RowMetric& other) = 0;
  // Only called when there are rows, all finite, and Undefined() is empty.
  virtual double Compute() const = 0;
  virtual std::pair<double, double> ComputeInterval() const { return Metric::Interval(); }
  // Why the rows so far have no value; empty when they have one.
  virtual std::string Undefined() const { return ""; }
  // The number of predictions per row that it can take.
  enum class Takes { kOne, kClasses, kBoth };
  virtual Takes TakesWidth() const { return Takes::kOne; }
  // Name and configuration: metrics are merged only where these are equal.
  virtual std::string Title() const { return name(); }

 private:
  int width_ = 0;  // 0: no batch so far
  int64_t rows_ = 0;
  bool all_finite_ = true;
};

}  // namespace manygate

#endif  // MANYGATE_METRICS_ROW_METRIC_H_
