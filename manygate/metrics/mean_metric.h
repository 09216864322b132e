// SPDX-License-Identifier: Apache-2.0
// The base of metrics that are a weighted mean of one number per row: accuracy, log loss, errors.
//
//   class Misses : public MeanMetric {
//     const char* name() const override { return "misses"; }
//     bool HigherIsBetter() const override { return false; }
//     double PerRow(float prediction, float label) const override { return prediction == label ? 0 : 1; }
//   };
#ifndef MANYGATE_METRICS_MEAN_METRIC_H_
#define MANYGATE_METRICS_MEAN_METRIC_H_

#include <limits>
#include <string>

#include "manygate/base/check.h"
#include "manygate/metrics/metric.h"

namespace manygate {

class MeanMetric : public Metric {
 public:
  void Add(const float* predictions, const float* labels, const float* weights, int64_t rows) override {
    for (int64_t i = 0; i < rows; ++i) {
      const float weight = weights == nullptr ? 1.0f : weights[i];
      if (!TakesPart(labels[i], weight)) continue;
      all_finite_ = all_finite_ && std::isfinite(predictions[i]);
      sum_ += weight * PerRow(predictions[i], labels[i]);
      weight_ += weight;
      ++rows_;
    }
  }

  void Merge(const Metric& other) override {
    const auto* mean = dynamic_cast<const MeanMetric*>(&other);
    MG_CHECK(mean != nullptr && std::string(mean->name()) == name(), "merging {} into {}", other.name(), name());
    sum_ += mean->sum_;
    weight_ += mean->weight_;
    rows_ += mean->rows_;
    all_finite_ = all_finite_ && mean->all_finite_;
  }

  double Value() const override {
    return Reason().empty() ? FromMean(sum_ / weight_) : std::numeric_limits<double>::quiet_NaN();
  }

  std::string Reason() const override {
    if (rows_ == 0) return kNoRows;
    return all_finite_ ? "" : kNotFinite;
  }

 protected:
  virtual double PerRow(float prediction, float label) const = 0;
  // What is reported, given the mean.
  virtual double FromMean(double mean) const { return mean; }

 private:
  double sum_ = 0.0;
  double weight_ = 0.0;
  int64_t rows_ = 0;
  bool all_finite_ = true;
};

}  // namespace manygate

#endif  // MANYGATE_METRICS_MEAN_METRIC_H_
