// SPDX-License-Identifier: Apache-2.0
// Log loss relative to that of the mean label.
#include <fmt/format.h>

#include "manygate/base/check.h"
#include "manygate/metrics/cross_entropy.h"
#include "manygate/metrics/row_metric.h"

namespace manygate {
namespace {

class NormalizedEntropy : public RowMetric {
 public:
  explicit NormalizedEntropy(double eta) : eta_(eta) {}
  const char* name() const override { return "normalized_entropy"; }
  bool HigherIsBetter() const override { return false; }

 protected:
  std::string Title() const override { return fmt::format("normalized_entropy with eta {}", eta_); }

  void AddRow(const MetricRow& row) override {
    loss_ += row.weight * CrossEntropy(row.predictions[0], row.label, eta_);
    labels_ += static_cast<double>(row.weight) * row.label;
    weight_ += row.weight;
  }

  void MergeRows(const RowMetric& other) override {
    const auto& entropy = static_cast<const NormalizedEntropy&>(other);
    loss_ += entropy.loss_;
    labels_ += entropy.labels_;
    weight_ += entropy.weight_;
  }

  // The entropy of one class is 0: there is nothing to divide by.
  std::string Undefined() const override { return labels_ > 0.0 && labels_ < weight_ ? "" : kOneClass; }

  double Compute() const override {
    const double mean = labels_ / weight_;
    return loss_ / weight_ / CrossEntropy(mean, mean, eta_);
  }

 private:
  const double eta_;
  double loss_ = 0.0;
  double labels_ = 0.0;
  double weight_ = 0.0;
};

}  // namespace

std::unique_ptr<Metric> MakeNormalizedEntropy(const config::NormalizedEntropy& config) {
  MG_CHECK(config.eta() > 0.0 && config.eta() < 0.5, "normalized_entropy with eta {}", config.eta());
  return std::make_unique<NormalizedEntropy>(config.eta());
}

}  // namespace manygate
