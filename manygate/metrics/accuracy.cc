// SPDX-License-Identifier: Apache-2.0
// Share of rows on the right side of a threshold, or whose class is among the likeliest.
#include <fmt/format.h>

#include "manygate/base/check.h"
#include "manygate/metrics/mean_metric.h"

namespace manygate {
namespace {

// Whether the label is among the likeliest classes; of equal probabilities the smaller class first.
bool IsAmongTop(const MetricRow& row, uint32_t top_k) {
  const int label = static_cast<int>(row.label);
  uint32_t likelier = 0;
  for (int i = 0; i < row.width; ++i) {
    likelier += row.predictions[i] > row.predictions[label];
    likelier += i < label && row.predictions[i] == row.predictions[label];
  }
  return likelier < top_k;
}

class Accuracy : public MeanMetric {
 public:
  Accuracy(float threshold, uint32_t top_k) : threshold_(threshold), top_k_(top_k) {}
  const char* name() const override { return "accuracy"; }
  bool HigherIsBetter() const override { return true; }

 protected:
  Takes TakesWidth() const override { return Takes::kBoth; }
  std::string Title() const override { return fmt::format("accuracy above {}, top {}", threshold_, top_k_); }

  double PerRow(const MetricRow& row) const override {
    if (row.width == 1) return (row.predictions[0] > threshold_) == IsPositive(row.label) ? 1.0 : 0.0;
    return IsAmongTop(row, top_k_) ? 1.0 : 0.0;
  }

 private:
  const float threshold_;
  const uint32_t top_k_;
};

// Of one label per row, recall among the top k is the accuracy of the top k.
class RecallAtK : public MeanMetric {
 public:
  explicit RecallAtK(uint32_t top_k) : top_k_(top_k) {}
  const char* name() const override { return "recall_at_k"; }
  bool HigherIsBetter() const override { return true; }

 protected:
  Takes TakesWidth() const override { return Takes::kClasses; }
  std::string Title() const override { return fmt::format("recall_at_k of the top {}", top_k_); }
  double PerRow(const MetricRow& row) const override { return IsAmongTop(row, top_k_) ? 1.0 : 0.0; }

 private:
  const uint32_t top_k_;
};

}  // namespace

std::unique_ptr<Metric> MakeRecallAtK(const config::RecallAtK& config) {
  MG_CHECK(config.top_k() >= 1, "recall of the top {}", config.top_k());
  return std::make_unique<RecallAtK>(config.top_k());
}

std::unique_ptr<Metric> MakeAccuracy(const config::Accuracy& config) {
  MG_CHECK(config.top_k() >= 1, "accuracy of the top {}", config.top_k());
  return std::make_unique<Accuracy>(config.threshold(), config.top_k());
}

}  // namespace manygate
