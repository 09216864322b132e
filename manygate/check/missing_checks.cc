// SPDX-License-Identifier: Apache-2.0
// Values that stand for "missing" and are read as values.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>

#include "manygate/base/text.h"
#include "manygate/check/detectors.h"

namespace manygate::check {
namespace {

constexpr int64_t kFewestMarked = 10;
constexpr double kFewestMarkedShare = 0.005;
constexpr size_t kFewestOthers = 10;

// "none" and "-" are left out: they often are an answer.
bool IsMarker(const std::string& text) {
  static constexpr std::array<std::string_view, 13> kMarkers = {
      "?", "na", "n/a", "#n/a", "<na>", "nan", "null", "(null)", "nil", "\\n", "unknown", "missing", "undefined"};
  return std::find(kMarkers.begin(), kMarkers.end(), ToLower(Trim(text))) != kMarkers.end();
}

// Whether some feature cuts the column into bins or pieces: a marker is then one of its own.
bool CutsPieces(const CheckedColumn& column) {
  return std::any_of(column.features.begin(), column.features.end(), [](const config::ListedFeature* feature) {
    const config::RawFeature& raw = feature->encoding.raw_feature();
    return raw.boundaries_size() > 0 || raw.transform().quantile_bins() > 0 || raw.transform().piecewise_linear() > 0;
  });
}

// -1, or nines alone: 99, -999, 99999.
bool MayMark(float value) {
  const float size = std::abs(value);
  if (size < 90) return value == -1;
  for (double nines = 99; nines < 1e10; nines = 10 * nines + 9)
    if (size == static_cast<float>(nines)) return true;
  return false;
}

struct Marker {
  float value = 0;
  int64_t rows = 0;
  float least = 0, most = 0;  // of the other values
};

// A value of many rows that may mark, and lies at one end, apart from the others: -1 as the only negative number, the
// nines beyond the others by more than their whole range.
std::optional<Marker> FindMarker(const CheckedRows& rows, const Column& column) {
  std::map<float, int64_t> counts;
  for (const float value : NumbersOf(column, rows.train))
    if (!std::isnan(value)) ++counts[value];
  if (counts.size() <= kFewestOthers) return std::nullopt;
  const auto enough = [&](int64_t count) {
    return count >= kFewestMarked &&
           static_cast<double>(count) >= kFewestMarkedShare * static_cast<double>(rows.train.size());
  };
  for (const bool at_end : {false, true}) {
    const auto [value, count] = at_end ? *counts.rbegin() : *counts.begin();
    if (!MayMark(value) || !enough(count)) continue;
    const float least = at_end ? counts.begin()->first : std::next(counts.begin())->first;
    const float most = at_end ? std::next(counts.rbegin())->first : counts.rbegin()->first;
    const bool apart = at_end ? value - most > most - least : least - value > most - least;
    if (apart || (value == -1 && least >= 0)) return Marker{value, count, least, most};
  }
  return std::nullopt;
}

}  // namespace

std::vector<Finding> FindMissingMarkers(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    if (column.train->kind != ColumnKind::kCategory || ReadsNumbers(column)) continue;
    std::map<std::string, std::string> markers;  // lower case -> as it is written
    const std::vector<int64_t> counts = CountCodes(*column.train, rows.train);
    for (size_t code = 1; code < counts.size(); ++code)
      if (counts[code] > 0 && IsMarker(column.train->dictionary[code]))
        markers.emplace(ToLower(Trim(column.train->dictionary[code])), column.train->dictionary[code]);
    if (markers.size() + (counts[0] > 0 ? 1 : 0) < 2 || markers.empty()) continue;
    std::vector<std::string> written;
    for (const auto& [lower, text] : markers) written.push_back(text);
    findings.push_back({Severity::kWarning, column.where,
                        fmt::format("has several ways to say that a value is missing: {}{}", QuotedNames(written),
                                    counts[0] > 0 ? ", and missing values" : ""),
                        "List them in data_config.missing_values: each is a value of its own to the model"});
  }
  return findings;
}

std::vector<Finding> FindMarkerNumbers(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    if (!ReadsNumbers(column) || CutsPieces(column)) continue;
    const std::optional<Marker> marker = FindMarker(rows, *column.train);
    if (!marker.has_value()) continue;
    findings.push_back(
        {Severity::kWarning, column.where,
         fmt::format(
             "is {:g} in {} training rows, apart from all other values ({:g} to {:g}): does it say that the value "
             "is missing?",
             marker->value, FormatCount(marker->rows), marker->least, marker->most),
         "List it in data_config.missing_values, or give the feature quantile_bins or piecewise_linear, which set such "
         "a value apart"});
  }
  return findings;
}

}  // namespace manygate::check
