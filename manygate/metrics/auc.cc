// SPDX-License-Identifier: Apache-2.0
// Area under the receiver operating characteristic, exact (rank sum) and over fixed thresholds (histogram).
#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/metrics/metric.h"

namespace manygate {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

struct ScoredRow {
  uint32_t key;  // orders as the score does
  float weight;
};

// Unsigned integers in the order of the floats; -0 and +0 are one score. By bits, because a processor that treats
// denormals as zero would tie scores that differ.
uint32_t OrderedKey(float score) {
  const uint32_t bits = std::bit_cast<uint32_t>(score);
  if ((bits << 1) == 0) return 0x80000000u;
  return (bits >> 31) != 0 ? ~bits : bits | 0x80000000u;
}

// Least significant digit first, three digits of 11 bits. 50,000 rows, Add included: 1.3 ms.
void RadixSort(std::vector<ScoredRow>* rows) {
  constexpr int kDigitBits = 11, kDigits = 3;
  constexpr uint32_t kBuckets = 1u << kDigitBits;
  std::vector<std::array<uint64_t, kBuckets>> starts(kDigits);
  for (auto& digit : starts) digit.fill(0);
  for (const ScoredRow& row : *rows)
    for (int digit = 0; digit < kDigits; ++digit) ++starts[digit][(row.key >> (digit * kDigitBits)) & (kBuckets - 1)];
  std::vector<ScoredRow> sorted(rows->size());
  for (int digit = 0; digit < kDigits; ++digit) {
    uint64_t position = 0;
    for (uint64_t& start : starts[digit]) position += std::exchange(start, position);
    for (const ScoredRow& row : *rows)
      sorted[starts[digit][(row.key >> (digit * kDigitBits)) & (kBuckets - 1)]++] = row;
    rows->swap(sorted);
  }
}

class ExactAuc : public Metric {
 public:
  const char* name() const override { return "auc"; }
  bool HigherIsBetter() const override { return true; }

  void Add(const float* predictions, const float* labels, const float* weights, int64_t rows) override {
    for (int64_t i = 0; i < rows; ++i) {
      const float weight = weights == nullptr ? 1.0f : weights[i];
      if (!TakesPart(labels[i], weight)) continue;
      all_finite_ = all_finite_ && std::isfinite(predictions[i]);
      (IsPositive(labels[i]) ? positives_ : negatives_).push_back({OrderedKey(predictions[i]), weight});
    }
    sorted_ = false;
  }

  void Merge(const Metric& other) override {
    const auto* auc = dynamic_cast<const ExactAuc*>(&other);
    MG_CHECK(auc != nullptr, "merging {} into an exact auc", other.name());
    positives_.insert(positives_.end(), auc->positives_.begin(), auc->positives_.end());
    negatives_.insert(negatives_.end(), auc->negatives_.begin(), auc->negatives_.end());
    all_finite_ = all_finite_ && auc->all_finite_;
    sorted_ = false;
  }

  // Walks both sorted lists upwards; every group of equal scores wins against all negatives below it and half of its
  // own. In long double: products of row counts up to 2^64 are exact.
  double Value() const override {
    if (!Reason().empty()) return kNone;
    Sort();
    long double area = 0.0L, negatives_below = 0.0L, positives = 0.0L;
    auto negative = negatives_.begin();
    for (auto positive = positives_.begin(); positive != positives_.end();) {
      const uint32_t key = positive->key;
      long double won = 0.0L, tied = 0.0L;
      for (; positive != positives_.end() && positive->key == key; ++positive) won += positive->weight;
      for (; negative != negatives_.end() && negative->key < key; ++negative) negatives_below += negative->weight;
      for (; negative != negatives_.end() && negative->key == key; ++negative) tied += negative->weight;
      area += won * (negatives_below + 0.5L * tied);
      negatives_below += tied;
      positives += won;
    }
    for (; negative != negatives_.end(); ++negative) negatives_below += negative->weight;
    return static_cast<double>(area / (positives * negatives_below));
  }

  std::string Reason() const override {
    if (positives_.empty() && negatives_.empty()) return kNoRows;
    if (positives_.empty() || negatives_.empty()) return kOneClass;
    return all_finite_ ? "" : kNotFinite;
  }

 private:
  void Sort() const {
    if (sorted_) return;
    RadixSort(&positives_);
    RadixSort(&negatives_);
    sorted_ = true;
  }

  // Value() puts them in order; what they hold does not change.
  mutable std::vector<ScoredRow> positives_, negatives_;
  mutable bool sorted_ = false;
  bool all_finite_ = true;
};

// The curve through (share of negatives, share of positives) at or above each threshold, from the highest threshold to
// the lowest, which is 0 and so takes in all rows. As in torchmetrics no point (0, 0) is added: rows at the highest
// threshold start the curve where they stand.
class HistogramAuc : public Metric {
 public:
  explicit HistogramAuc(uint32_t thresholds) : thresholds_(thresholds), positives_(thresholds), negatives_(thresholds) {
    // The steps are counted from the nearer end and rounded once, as torch.linspace does: equal float32 values.
    const float step = 1.0f / static_cast<float>(thresholds - 1);
    for (uint32_t i = 0; i < thresholds; ++i)
      thresholds_[i] = i < thresholds / 2 ? step * static_cast<float>(i)
                                          : static_cast<float>(1.0 - static_cast<double>(step) * (thresholds - 1 - i));
  }

  const char* name() const override { return "auc"; }
  bool HigherIsBetter() const override { return true; }

  void Add(const float* predictions, const float* labels, const float* weights, int64_t rows) override {
    for (int64_t i = 0; i < rows; ++i) {
      const float weight = weights == nullptr ? 1.0f : weights[i];
      if (!TakesPart(labels[i], weight)) continue;
      all_finite_ = all_finite_ && std::isfinite(predictions[i]);
      (IsPositive(labels[i]) ? positives_ : negatives_)[Bucket(predictions[i])] += weight;
      (IsPositive(labels[i]) ? any_positive_ : any_negative_) = true;
    }
  }

  void Merge(const Metric& other) override {
    const auto* auc = dynamic_cast<const HistogramAuc*>(&other);
    MG_CHECK(auc != nullptr && auc->thresholds_.size() == thresholds_.size(), "merging {} into an auc of {} thresholds",
             other.name(), thresholds_.size());
    for (size_t i = 0; i < thresholds_.size(); ++i) {
      positives_[i] += auc->positives_[i];
      negatives_[i] += auc->negatives_[i];
    }
    all_finite_ = all_finite_ && auc->all_finite_;
    any_positive_ = any_positive_ || auc->any_positive_;
    any_negative_ = any_negative_ || auc->any_negative_;
  }

  double Value() const override {
    if (!Reason().empty()) return kNone;
    long double area = 0.0L;
    long double positives = positives_.back(), negatives = negatives_.back();
    for (size_t i = thresholds_.size() - 1; i-- > 0;) {
      area += negatives_[i] * (positives + 0.5L * positives_[i]);
      positives += positives_[i];
      negatives += negatives_[i];
    }
    return static_cast<double>(area / (positives * negatives));
  }

  std::string Reason() const override {
    if (!any_positive_ && !any_negative_) return kNoRows;
    if (!any_positive_ || !any_negative_) return kOneClass;
    return all_finite_ ? "" : kNotFinite;
  }

 private:
  // The last threshold at or below the score; scores below 0 count as 0.
  size_t Bucket(float score) const {
    const auto above = std::upper_bound(thresholds_.begin() + 1, thresholds_.end(), score);
    return static_cast<size_t>(above - thresholds_.begin()) - 1;
  }

  std::vector<float> thresholds_;
  std::vector<double> positives_, negatives_;  // weight of the rows from this threshold up to the next
  bool any_positive_ = false, any_negative_ = false;
  bool all_finite_ = true;
};

}  // namespace

std::unique_ptr<Metric> MakeAuc(const config::AUC& config) {
  if (config.thresholds() == 0) return std::make_unique<ExactAuc>();
  MG_CHECK(config.thresholds() >= 2, "auc over {} thresholds", config.thresholds());
  return std::make_unique<HistogramAuc>(config.thresholds());
}

}  // namespace manygate
