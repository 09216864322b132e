// SPDX-License-Identifier: Apache-2.0
// What features are configured to make of their columns, and what that leaves of them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "manygate/base/text.h"
#include "manygate/check/detectors.h"
#include "manygate/config/accessors.h"
#include "manygate/data/date_text.h"
#include "manygate/data/number_text.h"

namespace manygate::check {
namespace {

constexpr double kManyUncovered = 0.05;
constexpr double kFlat = 0.99;
constexpr int64_t kValuesPerBucket = 4;
constexpr double kMostlyDates = 0.9;

// Whether the feature has an input for the text.
bool Covers(const config::IdFeature& id, const std::string& text) {
  if (id.vocab_list_size() > 0)
    return std::find(id.vocab_list().begin(), id.vocab_list().end(), text) != id.vocab_list().end();
  double number = 0;
  return ParseDouble(text, &number) == NumberParse::kOk && number >= 0 &&
         number < static_cast<double>(id.num_buckets()) && number == std::floor(number);
}

std::string FeatureWhereOf(const CheckedRows& rows, const config::ListedFeature& feature) {
  return fmt::format("{}: feature \"{}\"", rows.loaded->PlaceOfPath(feature.path), feature.name);
}

// The bin, or the clipped value, of a number.
float Flattened(const config::RawFeature& raw, float value) {
  if (raw.boundaries_size() > 0)
    return static_cast<float>(std::upper_bound(raw.boundaries().begin(), raw.boundaries().end(), value) -
                              raw.boundaries().begin());
  const config::NumericTransform& transform = raw.transform();
  if (transform.has_clip_min()) value = std::max(value, transform.clip_min());
  if (transform.has_clip_max()) value = std::min(value, transform.clip_max());
  return value;
}

bool Flattens(const config::FeatureConfig& feature) {
  const config::RawFeature& raw = feature.raw_feature();
  return feature.has_raw_feature() &&
         (raw.boundaries_size() > 0 || raw.transform().has_clip_min() || raw.transform().has_clip_max());
}

// The share of the numbers that fall together on one, and did not before.
double FlatShare(const config::RawFeature& raw, const std::vector<float>& numbers) {
  std::map<float, int64_t> before, after;
  for (const float value : numbers) {
    if (std::isnan(value)) continue;
    ++before[value];
    ++after[Flattened(raw, value)];
  }
  const auto most = [](const std::map<float, int64_t>& counts) {
    int64_t rows = 0;
    for (const auto& [value, count] : counts) rows = std::max(rows, count);
    return static_cast<double>(rows);
  };
  if (numbers.empty() || most(after) < 2 * most(before)) return 0;
  return most(after) / static_cast<double>(numbers.size());
}

int64_t CountDistinct(const Column& column, std::span<const uint32_t> rows) {
  const std::vector<int64_t> counts = CountCodes(column, rows);
  return std::count_if(counts.begin() + 1, counts.end(), [](int64_t count) { return count > 0; });
}

}  // namespace

std::vector<Finding> FindUncoveredValues(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    if (column.train->kind != ColumnKind::kCategory) continue;
    const std::vector<int64_t> counts = CountCodes(*column.train, rows.train);
    for (const config::ListedFeature* feature : column.features) {
      const config::IdFeature& id = feature->encoding.id_feature();
      if (!feature->encoding.has_id_feature() || (id.vocab_list_size() == 0 && !id.has_num_buckets())) continue;
      if (HoldsLists(*feature, *column.train)) continue;
      int64_t uncovered = 0, present = 0;
      std::vector<std::string> examples;
      for (size_t code = 1; code < counts.size(); ++code) {
        present += counts[code];
        if (counts[code] == 0 || Covers(id, column.train->dictionary[code])) continue;
        uncovered += counts[code];
        examples.push_back(column.train->dictionary[code]);
      }
      const double share = static_cast<double>(uncovered) / static_cast<double>(std::max<int64_t>(1, present));
      if (share <= kManyUncovered) continue;
      findings.push_back(
          {uncovered == present ? Severity::kError : Severity::kWarning, FeatureWhereOf(rows, *feature),
           fmt::format("has values beyond its {} in {} of the training rows: {}",
                       id.vocab_list_size() > 0 ? "vocab_list" : fmt::format("num_buckets ({})", id.num_buckets()),
                       Percent(share), QuotedNames(examples, 3)),
           "They are all one unknown value: leave it out, and the vocabulary is learnt from the training rows"});
    }
  }
  return findings;
}

std::vector<Finding> FindCrowdedBuckets(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    if (column.train->kind != ColumnKind::kCategory) continue;
    for (const config::ListedFeature* feature : column.features) {
      const auto buckets = static_cast<int64_t>(feature->encoding.id_feature().hash_bucket_size());
      if (buckets == 0 || HoldsLists(*feature, *column.train)) continue;
      const int64_t distinct = CountDistinct(*column.train, rows.train);
      if (distinct < kValuesPerBucket * buckets) continue;
      findings.push_back({Severity::kWarning, FeatureWhereOf(rows, *feature),
                          fmt::format("shares {} hash buckets among {} values: {} in each", FormatCount(buckets),
                                      FormatCount(distinct), FormatCount(distinct / buckets)),
                          "Values of one bucket are one value to the model: take as many buckets as values, or more"});
    }
  }
  return findings;
}

std::vector<Finding> FindFlattenedNumbers(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    if (std::none_of(column.features.begin(), column.features.end(), [](auto* f) { return Flattens(f->encoding); }))
      continue;
    const std::vector<float> numbers = NumbersOf(*column.train, rows.train);
    for (const config::ListedFeature* feature : column.features) {
      if (!Flattens(feature->encoding)) continue;
      const double share = FlatShare(feature->encoding.raw_feature(), numbers);
      if (share <= kFlat) continue;
      findings.push_back(
          {Severity::kWarning, FeatureWhereOf(rows, *feature),
           fmt::format("is one and the same in {} of the training rows, after its {}", Percent(share),
                       feature->encoding.raw_feature().boundaries_size() > 0 ? "boundaries" : "clip_min and clip_max"),
           "Compare them with the column's values: manygate inspect FILE shows its range"});
    }
  }
  return findings;
}

std::vector<Finding> FindDateIds(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    if (column.train->kind != ColumnKind::kCategory || ReadsNumbers(column)) continue;
    const std::vector<std::string>& texts = column.train->dictionary;
    const auto dates = std::count_if(texts.begin(), texts.end(), IsDateText);
    if (texts.size() < 3 || static_cast<double>(dates) < kMostlyDates * static_cast<double>(texts.size() - 1)) continue;
    findings.push_back(
        {Severity::kWarning, column.where,
         fmt::format("is a date (\"{}\") read as an id: the model knows none of the days to come", texts[1]),
         "Derive columns that come again (weekday, hour, days since), and evaluate on later rows than "
         "those trained on"});
  }
  return findings;
}

std::vector<Finding> FindEqualColumns(const CheckedRows& rows) {
  constexpr size_t kFewestRows = 500;
  std::vector<Finding> findings;
  if (rows.train.size() < kFewestRows) return findings;
  std::map<uint64_t, const CheckedColumn*> known;
  for (const CheckedColumn& column : rows.features) {
    uint64_t hash = column.train->kind == ColumnKind::kCategory ? 1 : 2;
    const uint32_t first = ValueKey(*column.train, rows.train[0]);
    bool constant = true;
    for (const uint32_t row : rows.train) {
      const uint32_t key = ValueKey(*column.train, row);
      constant &= key == first;
      hash = (hash ^ key) * 0x9e3779b97f4a7c15ull;
      hash ^= hash >> 29;
    }
    if (constant) continue;
    const auto [other, is_new] = known.emplace(hash, &column);
    if (is_new || other->second->train->dictionary != column.train->dictionary) continue;
    findings.push_back({Severity::kWarning, column.where,
                        fmt::format("has the value of column \"{}\" in every training row", other->second->name),
                        "One of the two is enough"});
  }
  return findings;
}

}  // namespace manygate::check
