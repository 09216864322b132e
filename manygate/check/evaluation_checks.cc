// SPDX-License-Identifier: Apache-2.0
// Whether the values of the evaluation rows are like those of the training rows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "manygate/base/text.h"
#include "manygate/check/detectors.h"
#include "manygate/check/known_values.h"
#include "manygate/features/labels.h"

namespace manygate::check {
namespace {

constexpr double kManyUnseen = 0.05;
constexpr size_t kFewestRows = 50;
constexpr double kGap = 0.3, kUsual = 0.9;
constexpr double kMostlyOutside = 0.5, kOtherUnit = 30;
constexpr double kOtherOdds = 3, kSurelyDifferent = 6;

double MissingShare(const Column& column, std::span<const uint32_t> rows) {
  const auto missing = std::count_if(rows.begin(), rows.end(), [&](uint32_t row) { return IsMissing(column, row); });
  return static_cast<double>(missing) / static_cast<double>(rows.size());
}

// The one value of all rows as a text, or "".
std::string OnlyValue(const Column& column, std::span<const uint32_t> rows) {
  const uint32_t first = ValueKey(column, rows[0]);
  if (IsMissing(column, rows[0])) return "";
  if (std::any_of(rows.begin(), rows.end(), [&](uint32_t row) { return ValueKey(column, row) != first; })) return "";
  return column.kind == ColumnKind::kCategory ? '"' + column.dictionary[first] + '"'
                                              : fmt::format("{:g}", column.numbers[rows[0]]);
}

// The share of the training rows that have the evaluation rows' only value.
double ShareOfValue(const CheckedRows& rows, const CheckedColumn& column) {
  const Matches matches = KnownValues(*column.evaluation, {rows.evaluation.data(), 1}).Match(*column.train, rows.train);
  return static_cast<double>(matches.known) / static_cast<double>(rows.train.size());
}

struct Numbers {
  float least = 0, most = 0;
  double median = 0;  // of the sizes of values other than 0
};

// numbers: at least one, none missing.
Numbers Summary(std::vector<float> numbers) {
  const auto [least, most] = std::minmax_element(numbers.begin(), numbers.end());
  Numbers summary{.least = *least, .most = *most};
  std::erase(numbers, 0.0f);
  if (numbers.empty()) return summary;
  for (float& value : numbers) value = std::abs(value);
  const auto middle = numbers.begin() + static_cast<ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  summary.median = *middle;
  return summary;
}

std::vector<float> Present(const Column& column, std::span<const uint32_t> rows) {
  std::vector<float> numbers = NumbersOf(column, rows);
  std::erase_if(numbers, [](float value) { return std::isnan(value); });
  return numbers;
}

// How the evaluation rows' numbers lie apart from the training rows', or "".
std::string MovedText(const std::vector<float>& train, const std::vector<float>& evaluation) {
  const Numbers known = Summary(train), found = Summary(evaluation);
  const double all = static_cast<double>(evaluation.size());
  const auto below = std::count_if(evaluation.begin(), evaluation.end(), [&](float v) { return v < known.least; });
  const auto above = std::count_if(evaluation.begin(), evaluation.end(), [&](float v) { return v > known.most; });
  const double outside = static_cast<double>(std::max(below, above)) / all;
  const double ratio = known.median > 0 ? found.median / known.median : 0;
  const bool other_unit = ratio >= kOtherUnit || (ratio > 0 && ratio <= 1 / kOtherUnit);
  if (outside <= kMostlyOutside && !other_unit) return "";
  std::string text =
      outside > kMostlyOutside
          ? fmt::format(
                "is {} all training values in {} of the evaluation rows ({:g} to {:g}, where "
                "training has {:g} to {:g})",
                below > above ? "below" : "above", Percent(outside), found.least, found.most, known.least, known.most)
          : fmt::format("has a median size of {:g} in the evaluation rows", found.median);
  if (other_unit) text += fmt::format("; its median size is {:g} times that of training", ratio);
  return text;
}

struct ClassCounts {
  double positives = 0, rows = 0;
  double rate() const { return positives / rows; }
  double odds() const { return (positives + 0.5) / (rows - positives + 0.5); }
};

ClassCounts CountClasses(const features::LabelColumn& values, std::span<const uint32_t> rows) {
  ClassCounts counts;
  for (const uint32_t row : rows) {
    counts.positives += values.Value(row) == 1;
    counts.rows += !std::isnan(values.Value(row));
  }
  return counts;
}

}  // namespace

std::vector<Finding> FindUnseenValues(const CheckedRows& rows, const std::set<std::string>& skip) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    if (skip.contains(column.name) || !LearnsEveryValue(column)) continue;
    const Matches matches = KnownValues(*column.train, rows.train).Match(*column.evaluation, rows.evaluation);
    const int64_t unseen = matches.present - matches.known;
    if (unseen < 5 || static_cast<double>(unseen) <= kManyUnseen * static_cast<double>(matches.present)) continue;
    findings.push_back(
        {Severity::kWarning, column.where,
         fmt::format("has a value that no training row has in {} of {} evaluation rows ({})", FormatCount(unseen),
                     FormatCount(matches.present), Percent(1 - matches.share())),
         "Are both written alike? If new values are natural, give the feature min_count: 2 or more, which "
         "trains the input of unknown values, or a hash_bucket_size"});
  }
  return findings;
}

std::vector<Finding> FindEvaluationGaps(const CheckedRows& rows) {
  std::vector<Finding> findings;
  if (rows.evaluation.size() < kFewestRows) return findings;
  const std::string all = FormatCount(static_cast<int64_t>(rows.evaluation.size()));
  for (const CheckedColumn& column : rows.features) {
    const double trained = MissingShare(*column.train, rows.train);
    const double missing = MissingShare(*column.evaluation, rows.evaluation);
    if (missing > trained + kGap) {
      findings.push_back({Severity::kWarning, column.where,
                          fmt::format("is missing in {} of the evaluation rows, but in {} of the training rows",
                                      Percent(missing), Percent(trained)),
                          "Are both files written by one program? A model that learnt to rely on it fails there"});
      continue;
    }
    const std::string value = OnlyValue(*column.evaluation, rows.evaluation);
    if (value.empty() || ShareOfValue(rows, column) >= kUsual) continue;
    findings.push_back({Severity::kWarning, column.where,
                        fmt::format("is {} in all {} evaluation rows, but in {} of the training rows", value, all,
                                    Percent(ShareOfValue(rows, column))),
                        "Evaluate on rows like those that the model will meet"});
  }
  return findings;
}

std::vector<Finding> FindMovedNumbers(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    if (!ReadsNumbers(column)) continue;
    const std::vector<float> train = Present(*column.train, rows.train);
    const std::vector<float> evaluation = Present(*column.evaluation, rows.evaluation);
    if (train.empty() || evaluation.size() < kFewestRows) continue;
    const std::string text = MovedText(train, evaluation);
    if (text.empty()) continue;
    findings.push_back({Severity::kWarning, column.where, text,
                        "Is it another unit? A number that only grows, like a time, is no feature as it is; take "
                        "differences of it"});
  }
  return findings;
}

std::vector<Finding> FindLabelDrift(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedLabel& label : rows.labels) {
    if (!rows.separate || label.schema.kind() != features::LabelSchema::BINARY) continue;
    const auto train = features::LabelColumn::Of(label.schema, *label.train, rows.train_table.rows);
    const auto evaluation = features::LabelColumn::Of(label.schema, *label.evaluation, rows.evaluation_table.rows);
    if (!train.ok() || !evaluation.ok()) continue;  // FindLabelFaults and FindEvaluationLabelFaults tell
    const ClassCounts a = CountClasses(*train, rows.train), b = CountClasses(*evaluation, rows.evaluation);
    const auto one_class = [](const ClassCounts& c) { return c.positives == 0 || c.positives == c.rows; };
    if (a.rows == 0 || b.rows == 0 || one_class(a) || one_class(b)) continue;
    const double both = (a.positives + b.positives) / (a.rows + b.rows);
    const double deviation = std::sqrt(both * (1 - both) * (1 / a.rows + 1 / b.rows));
    const double odds = std::max(a.odds() / b.odds(), b.odds() / a.odds());
    if (odds <= kOtherOdds || std::abs(a.rate() - b.rate()) <= kSurelyDifferent * deviation) continue;
    findings.push_back({Severity::kWarning, label.where,
                        fmt::format("is 1 in {} of the training rows, but in {} of the evaluation rows",
                                    Percent(a.rate()), Percent(b.rate())),
                        "Predictions will be off by as much: was one file thinned out, or the label defined anew?"});
  }
  return findings;
}

}  // namespace manygate::check
