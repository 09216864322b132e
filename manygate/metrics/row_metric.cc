// SPDX-License-Identifier: Apache-2.0
#include "manygate/metrics/row_metric.h"

#include <algorithm>
#include <typeinfo>

#include "manygate/base/check.h"

namespace manygate {
namespace {

bool IsClass(float label, int classes) { return label >= 0.0f && label < classes && label == std::floor(label); }

}  // namespace

void RowMetric::Add(const MetricBatch& batch) {
  const int width = batch.width;
  if (batch.rows == 0) return;
  MG_CHECK(width_ == 0 || width_ == width, "{} of {} predictions per row after {}", name(), width, width_);
  MG_CHECK(TakesWidth() == Takes::kBoth || (width == 1) == (TakesWidth() == Takes::kOne),
           "{} of {} predictions per row", name(), width);
  MG_CHECK(GroupColumn().empty() || batch.groups != nullptr, "{} without the groups of {}", name(), GroupColumn());
  width_ = width;
  for (int64_t i = 0; i < batch.rows; ++i) {
    const float weight = batch.weights == nullptr ? 1.0f : batch.weights[i];
    const float label = batch.labels[i];
    if (!TakesPart(label, weight)) continue;
    MG_CHECK(width == 1 || IsClass(label, width), "label {} of {} classes", label, width);
    ++rows_;
    const float* predictions = batch.predictions + i * width;
    if (std::all_of(predictions, predictions + width, [](float p) { return std::isfinite(p); })) {
      AddRow({predictions, width, label, weight, batch.groups == nullptr ? 0 : batch.groups[i]});
    } else {
      all_finite_ = false;
    }
  }
}

void RowMetric::Merge(const Metric& other) {
  const auto* same = dynamic_cast<const RowMetric*>(&other);
  MG_CHECK(same != nullptr && typeid(*same) == typeid(*this) && same->Title() == Title(), "merging {} into {}",
           same == nullptr ? other.name() : same->Title(), Title());
  MG_CHECK(width_ == 0 || same->width_ == 0 || width_ == same->width_, "merging {} of width {} into one of width {}",
           name(), same->width_, width_);
  if (same->width_ == 0) return;
  width_ = same->width_;
  rows_ += same->rows_;
  all_finite_ = all_finite_ && same->all_finite_;
  MergeRows(*same);
}

double RowMetric::Value() const { return Reason().empty() ? Compute() : std::numeric_limits<double>::quiet_NaN(); }

std::pair<double, double> RowMetric::Interval() const {
  return Reason().empty() ? ComputeInterval() : Metric::Interval();
}

std::string RowMetric::Reason() const {
  if (rows_ == 0) return kNoRows;
  return all_finite_ ? Undefined() : kNotFinite;
}

}  // namespace manygate
