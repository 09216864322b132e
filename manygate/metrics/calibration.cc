// SPDX-License-Identifier: Apache-2.0
// Mean prediction over mean label: above 1 the model promises too much, below 1 too little.
#include <limits>

#include "manygate/base/check.h"
#include "manygate/metrics/metric.h"

namespace manygate {
namespace {

class Calibration : public Metric {
 public:
  const char* name() const override { return "calibration"; }
  // Neither direction is better; IsBetter in evaluation.h compares distances from 1.
  bool HigherIsBetter() const override { return false; }

  void Add(const float* predictions, const float* labels, const float* weights, int64_t rows) override {
    for (int64_t i = 0; i < rows; ++i) {
      const float weight = weights == nullptr ? 1.0f : weights[i];
      if (!TakesPart(labels[i], weight)) continue;
      predictions_ += static_cast<double>(weight) * predictions[i];
      labels_ += static_cast<double>(weight) * labels[i];
      ++rows_;
    }
  }

  void Merge(const Metric& other) override {
    const auto* calibration = dynamic_cast<const Calibration*>(&other);
    MG_CHECK(calibration != nullptr, "merging {} into calibration", other.name());
    predictions_ += calibration->predictions_;
    labels_ += calibration->labels_;
    rows_ += calibration->rows_;
  }

  double Value() const override {
    return Reason().empty() ? predictions_ / labels_ : std::numeric_limits<double>::quiet_NaN();
  }

  std::string Reason() const override {
    if (rows_ == 0) return kNoRows;
    if (labels_ == 0.0) return kNoPositives;
    return std::isfinite(predictions_) ? "" : kNotFinite;
  }

 private:
  double predictions_ = 0.0;
  double labels_ = 0.0;
  int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<Metric> MakeCalibration(const config::Calibration&) { return std::make_unique<Calibration>(); }

}  // namespace manygate
