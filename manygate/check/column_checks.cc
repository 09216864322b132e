// SPDX-License-Identifier: Apache-2.0
// What is odd about a column by itself.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "manygate/base/text.h"
#include "manygate/check/detectors.h"
#include "manygate/check/names.h"
#include "manygate/data/number_text.h"
#include "manygate/features/values.h"

namespace manygate::check {
namespace {

constexpr double kMostlyMissing = 0.99;
constexpr size_t kManyValues = 100;
constexpr size_t kFewestIds = 10;
constexpr double kExploding = 1e6;

// Every value present, in the order of the rows.
std::vector<float> PresentNumbers(const CheckedRows& rows, const CheckedColumn& column) {
  std::vector<float> numbers = NumbersOf(*column.train, rows.train);
  std::erase_if(numbers, [](float value) { return std::isnan(value); });
  return numbers;
}

// How a number reaches the model.
struct Scaling {
  bool any = false;       // some feature is neither scaled nor cut into pieces
  bool squashed = false;  // some feature is at most shifted and stretched: a few extremes leave nothing of the rest
};

Scaling ScalingOf(const CheckedColumn& column) {
  Scaling scaling;
  for (const config::ListedFeature* feature : column.features) {
    if (!feature->encoding.has_raw_feature()) continue;
    const config::RawFeature& raw = feature->encoding.raw_feature();
    const config::NumericTransform& transform = raw.transform();
    if (raw.boundaries_size() > 0 || transform.quantile_bins() > 0 || transform.piecewise_linear() > 0) continue;
    if (transform.log1p() || (transform.has_clip_min() && transform.has_clip_max())) continue;
    scaling.squashed = true;
    scaling.any |= !transform.standardise();
  }
  return scaling;
}

// Whole numbers that grow, or fall, from each row to the next; `by_one`: by what the rows are apart.
struct Growth {
  bool always = false, by_one = false;
};

Growth GrowthOf(const std::vector<float>& numbers, const std::vector<uint32_t>& rows) {
  if (numbers.size() != rows.size() || numbers.size() < 2) return {};
  Growth growth{.always = true, .by_one = true};
  const bool up = numbers[1] > numbers[0];
  for (size_t i = 1; i < numbers.size() && growth.always; ++i) {
    growth.always = up ? numbers[i] > numbers[i - 1] : numbers[i] < numbers[i - 1];
    growth.by_one &= numbers[i] - numbers[i - 1] == static_cast<float>(rows[i] - rows[i - 1]);
  }
  growth.by_one &= growth.always;
  return growth;
}

// Whether the texts are mostly numbers with a fraction.
bool AreFractions(const Column& column) {
  size_t fractions = 0;
  for (const std::string& text : column.dictionary) {
    double number = 0;
    fractions += ParseDouble(text, &number) == NumberParse::kOk && number != std::floor(number);
  }
  return 2 * fractions > column.dictionary.size();
}

int64_t CountMissing(const CheckedRows& rows, const Column& column) {
  return std::count_if(rows.train.begin(), rows.train.end(), [&](uint32_t row) { return IsMissing(column, row); });
}

}  // namespace

std::vector<Finding> FindTextsInNumbers(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    if (!ReadsNumbers(column) || column.train->kind == ColumnKind::kNumber) continue;
    std::vector<std::string> texts;
    for (const Column* each : {column.train, column.evaluation}) {
      for (size_t code = 1; code < each->dictionary.size(); ++code) {
        float value = 0;
        const std::string& text = each->dictionary[code];
        if (ParseFloat(Trim(text), &value) == NumberParse::kOk) continue;  // FindStrayBlanks tells of blanks
        if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
        if (texts.size() > kManyValues) break;
      }
    }
    if (texts.empty()) continue;
    findings.push_back(
        {Severity::kError, column.where,
         fmt::format("reads numbers, but {}", texts.size() > kManyValues ? "the column holds many texts that are none"
                                                                         : "these are none: " + QuotedNames(texts)),
         "List texts that mean \"missing\" in data_config.missing_values; read a column of texts as an "
         "id_feature"});
  }
  return findings;
}

std::vector<Finding> FindConstants(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    const uint32_t first = ValueKey(*column.train, rows.train[0]);
    const auto differs = [&](uint32_t row) { return ValueKey(*column.train, row) != first; };
    if (IsMissing(*column.train, rows.train[0]) || std::any_of(rows.train.begin(), rows.train.end(), differs)) continue;
    const std::string value = column.train->kind == ColumnKind::kCategory
                                  ? fmt::format("\"{}\"", column.train->dictionary[first])
                                  : fmt::format("{:g}", column.train->numbers[rows.train[0]]);
    findings.push_back(
        {Severity::kWarning, column.where,
         fmt::format("is {} in all {} training rows", value, FormatCount(static_cast<int64_t>(rows.train.size()))),
         "It tells nothing: take the feature out"});
  }
  return findings;
}

std::vector<Finding> FindMostlyMissing(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    const int64_t missing = CountMissing(rows, *column.train), all = static_cast<int64_t>(rows.train.size());
    if (static_cast<double>(missing) <= kMostlyMissing * static_cast<double>(all)) continue;
    findings.push_back({Severity::kWarning, column.where,
                        fmt::format("is missing in {} of {} training rows", FormatCount(missing), FormatCount(all)),
                        "Is it the right column? Else take the feature out"});
  }
  return findings;
}

std::vector<Finding> FindDistinctIds(const CheckedRows& rows, std::set<std::string>* found) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    if (!LearnsEveryValue(column)) continue;
    const std::vector<int64_t> counts = CountCodes(*column.train, rows.train);
    const auto distinct = std::count_if(counts.begin() + 1, counts.end(), [](int64_t count) { return count > 0; });
    if (distinct <= static_cast<int64_t>(kManyValues) || 2 * distinct <= static_cast<int64_t>(rows.train.size()))
      continue;
    found->insert(column.name);
    findings.push_back(
        {Severity::kWarning, column.where,
         fmt::format("has {} values in {} training rows: most are seen once and nothing is learnt of them",
                     FormatCount(distinct), FormatCount(static_cast<int64_t>(rows.train.size()))),
         AreFractions(*column.train) ? "Its values are numbers: read it as a raw_feature"
                                     : "Give the feature min_count: 3 or a hash_bucket_size, or take it out"});
  }
  return findings;
}

std::vector<Finding> FindWeights(const CheckedRows& rows) {
  std::vector<Finding> findings;
  const auto& weights = rows.pipeline().data_config().sample_weight_fields();
  for (const CheckedColumn& column : rows.features) {
    if (std::find(weights.begin(), weights.end(), column.name) != weights.end()) {
      findings.push_back({Severity::kWarning, column.where, "is a feature and a row weight (sample_weight_fields)",
                          "Take the feature out"});
    } else if (NamesAWeight(column.name)) {
      findings.push_back({Severity::kWarning, column.where,
                          "looks by its name like the weight of a row, which is no feature",
                          "Take the feature out, or name the column in data_config.sample_weight_fields"});
    }
  }
  for (int i = 0; i < weights.size(); ++i) {
    const Column& column = rows.train_table.columns[rows.train_table.Find(weights[i])];
    const auto numbers = features::NumberColumn::Of(column, rows.train_table.rows);
    std::string problem =
        numbers.ok() ? features::WeightProblem(*numbers, rows.train_table.rows) : numbers.status().message();
    if (problem.empty() &&
        std::all_of(rows.train.begin(), rows.train.end(), [&](uint32_t row) { return numbers->Value(row) == 0; }))
      problem = "is 0 in every training row: no row counts";
    if (problem.empty()) continue;
    findings.push_back(
        {Severity::kError,
         fmt::format("{}: row weight \"{}\"",
                     rows.loaded->Place(rows.pipeline().data_config(), "sample_weight_fields", i), weights[i]),
         problem, "Mend the column, or take it out of sample_weight_fields"});
  }
  return findings;
}

std::vector<Finding> FindNumberedIds(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    if (!ReadsNumbers(column)) continue;
    const std::vector<float> numbers = PresentNumbers(rows, column);
    if (std::any_of(numbers.begin(), numbers.end(), [](float value) { return value != std::floor(value); })) continue;
    const Growth growth = rows.train.size() > kManyValues ? GrowthOf(numbers, rows.train) : Growth();
    if (growth.always) {
      findings.push_back({Severity::kWarning, column.where,
                          growth.by_one ? "counts the rows of the file" : "changes in one direction from row to row",
                          "Take the feature out: it says where a row stands, not what it is"});
      continue;
    }
    const std::unordered_set<float> distinct(numbers.begin(), numbers.end());
    if (!NamesAnId(column.name) || distinct.size() <= kFewestIds) continue;
    findings.push_back({Severity::kWarning, column.where,
                        fmt::format("is read as a number, but looks like an id by its name and its {} whole numbers",
                                    FormatCount(static_cast<int64_t>(distinct.size()))),
                        "Read it as an id_feature, with min_count or hash_bucket_size if there are many"});
  }
  return findings;
}

std::vector<Finding> FindExplodingRanges(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    const Scaling scaling = ScalingOf(column);
    if (!scaling.squashed) continue;
    std::vector<float> sizes = PresentNumbers(rows, column);
    for (float& value : sizes) value = std::abs(value);
    std::erase(sizes, 0.0f);
    if (sizes.empty()) continue;
    const auto middle = sizes.begin() + static_cast<ptrdiff_t>(sizes.size() / 2);
    std::nth_element(sizes.begin(), middle, sizes.end());
    const double median = *middle, most = *std::max_element(middle, sizes.end());
    if (most <= kExploding * median && (median <= kExploding || !scaling.any)) continue;
    findings.push_back({Severity::kWarning, column.where,
                        fmt::format("reaches {:g} where the median size of values other than 0 is {:g}, and enters the "
                                    "model {}",
                                    most, median, scaling.any ? "as it is" : "only shifted and stretched"),
                        "Give the feature transform { log1p: true standardise: true }, quantile_bins, or clip_min and "
                        "clip_max if the extremes are slips"});
  }
  return findings;
}

}  // namespace manygate::check
