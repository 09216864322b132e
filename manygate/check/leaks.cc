// SPDX-License-Identifier: Apache-2.0
// Features that hold the answer.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_map>

#include "manygate/base/text.h"
#include "manygate/check/detectors.h"
#include "manygate/check/outcome.h"
#include "manygate/features/labels.h"
#include "manygate/metrics/ranked_rows.h"

namespace manygate::check {
namespace {

constexpr size_t kSampleRows = 50'000;
constexpr double kLeakArea = 0.999;
constexpr double kLeakShare = 0.999;
constexpr double kLeakRankCorrelation = 0.999;
// Rows of each class in each half of the sample. Where rows come in groups (of a search, of a user), a few groups fall
// into one class each by chance, and any number that is the same within a group tells them apart.
constexpr int64_t kFewestOfAClass = 5, kFewestOfManyValues = 25;
constexpr size_t kFewValues = 10;
constexpr double kFewestRowsOfAValue = 5;  // on average; values of fewer rows are those of a group
constexpr size_t kFewestRows = 20;

// Rows that have the label, and the label of each.
struct LabelledRows {
  std::vector<uint32_t> rows;
  std::vector<float> labels;
};

LabelledRows LabelledSample(const CheckedRows& rows, const features::LabelColumn& values) {
  LabelledRows present;
  for (const uint32_t row : rows.train)
    if (!std::isnan(values.Value(row))) present.rows.push_back(row);
  present.rows = SampleOf(present.rows, kSampleRows);
  for (const uint32_t row : present.rows) present.labels.push_back(values.Value(row));
  return present;
}

// "" or how a column gives a label away, a clause behind `gives label "x" away: `.
using LeakText = std::string;

double AreaByNumber(const Column& column, const LabelledRows& sample) {
  const std::vector<float> numbers = NumbersOf(column, sample.rows);
  RankedRows ranked;
  for (size_t i = 0; i < numbers.size(); ++i)
    ranked.Add(std::isnan(numbers[i]) ? std::numeric_limits<float>::lowest() : numbers[i], sample.labels[i] > 0, 1.0f);
  const double area = AreaUnderRoc(ranked);
  return std::max(area, 1 - area);
}

// Of the mean label per value on the even rows of the sample, over its odd rows; a value that the even rows lack scores
// as their mean. 0 where a half has too few rows of a class.
double AreaByValue(const Column& column, const LabelledRows& sample) {
  struct Sum {
    double labels = 0, rows = 0;
  };
  std::unordered_map<uint32_t, Sum> sums;
  sums.reserve(column.kind == ColumnKind::kCategory ? std::min(column.dictionary.size(), sample.rows.size()) : 1024);
  Sum all;
  for (size_t i = 0; i < sample.rows.size(); i += 2) {
    Sum& sum = sums[ValueKey(column, sample.rows[i])];
    for (Sum* each : {&sum, &all}) each->labels += sample.labels[i], each->rows += 1;
  }
  const int64_t fewest = sums.size() <= kFewValues ? kFewestOfAClass : kFewestOfManyValues;
  if (std::min(all.labels, all.rows - all.labels) < static_cast<double>(fewest)) return 0;
  if (kFewestRowsOfAValue * static_cast<double>(sums.size()) > all.rows) return 0;
  const double mean = all.labels / all.rows;
  RankedRows ranked;
  for (size_t i = 1; i < sample.rows.size(); i += 2) {
    const auto found = sums.find(ValueKey(column, sample.rows[i]));
    const Sum sum = found == sums.end() ? Sum() : found->second;
    ranked.Add(static_cast<float>((sum.labels + mean) / (sum.rows + 1)), sample.labels[i] > 0, 1.0f);
  }
  if (std::min(ranked.positives(), ranked.negatives()) < fewest) return 0;
  return AreaUnderRoc(ranked);
}

LeakText BinaryLeak(const Column& column, const LabelledRows& sample) {
  const auto positives = std::count_if(sample.labels.begin(), sample.labels.end(), [](float y) { return y > 0; });
  const auto negatives = static_cast<int64_t>(sample.labels.size()) - positives;
  if (positives < 2 * kFewestOfAClass || negatives < 2 * kFewestOfAClass) return "";
  if (column.kind == ColumnKind::kNumber)
    if (const double area = AreaByNumber(column, sample); area > kLeakArea)
      return fmt::format("ranked by this number alone, the rows have an AUC of {:.5f}", area);
  if (const double area = AreaByValue(column, sample); area > kLeakArea)
    return fmt::format("the mean label of its values alone has an AUC of {:.5f} on other rows", area);
  return "";
}

// The most frequent class of each value on the even rows, tried on the odd ones.
LeakText ClassLeak(const Column& column, const LabelledRows& sample) {
  if (sample.rows.size() < 2 * kFewestRows) return "";
  std::unordered_map<uint32_t, std::map<float, int64_t>> classes;
  std::map<float, int64_t> all;
  for (size_t i = 0; i < sample.rows.size(); i += 2) {
    ++classes[ValueKey(column, sample.rows[i])][sample.labels[i]];
    ++all[sample.labels[i]];
  }
  const auto most = [](const std::map<float, int64_t>& counts) {
    return std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) { return a.second < b.second; })->first;
  };
  int64_t right = 0, guessed = 0, tried = 0;
  for (size_t i = 1; i < sample.rows.size(); i += 2, ++tried) {
    const auto found = classes.find(ValueKey(column, sample.rows[i]));
    right += found != classes.end() && most(found->second) == sample.labels[i];
    guessed += most(all) == sample.labels[i];
  }
  const double share = static_cast<double>(right) / static_cast<double>(tried);
  if (share <= kLeakShare || static_cast<double>(guessed) >= 0.99 * static_cast<double>(tried)) return "";
  return fmt::format("its value alone tells the class in {} of other rows", Percent(share));
}

// Ranks from 0, of equal values their mean rank; missing is the lowest.
std::vector<double> Ranks(const std::vector<float>& values) {
  std::vector<uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto key = [&](uint32_t i) { return std::isnan(values[i]) ? 0u : OrderedKey(values[i]); };
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return key(a) < key(b); });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && key(order[end]) == key(order[begin])) ++end;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = 0.5 * static_cast<double>(begin + end - 1);
  }
  return ranks;
}

// Spearman's correlation of the ranks; 0 where one side is constant.
double RankCorrelation(const std::vector<float>& a, const std::vector<float>& b) {
  const std::vector<double> x = Ranks(a), y = Ranks(b);
  const double mean = 0.5 * static_cast<double>(x.size() - 1);
  double xx = 0, xy = 0, yy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mean) * (x[i] - mean);
    xy += (x[i] - mean) * (y[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xx == 0 || yy == 0 ? 0 : xy / std::sqrt(xx * yy);
}

// Whether the label is 0.
LeakText ZeroLeak(const Column& column, LabelledRows sample) {
  for (float& label : sample.labels) label = label != 0 ? 1.0f : 0.0f;
  const LeakText text = BinaryLeak(column, sample);
  return text.empty() ? "" : "it tells where the label is 0: " + text;
}

// The label times a constant (the median ratio where the label is not 0), in its order, or where it is 0.
LeakText NumberLeak(const Column& column, const LabelledRows& sample) {
  const std::vector<float> numbers = NumbersOf(column, sample.rows);
  std::vector<double> ratios;
  for (size_t i = 0; i < numbers.size(); ++i)
    if (sample.labels[i] != 0 && !std::isnan(numbers[i])) ratios.push_back(numbers[i] / double{sample.labels[i]});
  const auto [low, high] = std::minmax_element(sample.labels.begin(), sample.labels.end());
  if (ratios.size() < kFewestRows || *low == *high) return "";
  std::nth_element(ratios.begin(), ratios.begin() + static_cast<ptrdiff_t>(ratios.size() / 2), ratios.end());
  const double ratio = ratios[ratios.size() / 2];
  const auto agrees = [ratio](double number, double label) {
    return std::abs(number - ratio * label) <= 1e-4 * std::abs(ratio * label);
  };
  int64_t same = 0, all = static_cast<int64_t>(numbers.size()), same_nonzero = 0;
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (!agrees(numbers[i], sample.labels[i])) continue;
    ++same;
    same_nonzero += sample.labels[i] != 0;
  }
  if (static_cast<double>(same) <= kLeakShare * static_cast<double>(all) ||
      static_cast<double>(same_nonzero) <= kLeakShare * static_cast<double>(ratios.size())) {
    const double correlation = std::abs(RankCorrelation(numbers, sample.labels));
    if (correlation <= kLeakRankCorrelation) return ZeroLeak(column, sample);
    return fmt::format("it orders the rows as the label does (rank correlation {:.5f})", correlation);
  }
  return std::abs(ratio - 1) < 1e-4 ? "it equals the label" : fmt::format("it is {:.6g} times the label", ratio);
}

LeakText LeakOf(const CheckedRows& rows, const CheckedLabel& label, const features::LabelColumn& values,
                const Column& column, const LabelledRows& sample) {
  switch (label.schema.kind()) {
    case features::LabelSchema::BINARY: {
      LeakText text = BinaryLeak(column, sample);
      const int64_t looked_at = rows.sampled ? static_cast<int64_t>(rows.train.size()) : rows.train_table.rows;
      if (text.empty() && TellsOutcome(column, std::min(looked_at, rows.train_table.rows),
                                       [&](int64_t row) { return values.Value(row); }))
        text = "wherever it has a value other than 0, the label is 1";
      return text;
    }
    case features::LabelSchema::CLASSES: return ClassLeak(column, sample);
    case features::LabelSchema::NUMBER: return NumberLeak(column, sample);
  }
  return "";
}

}  // namespace

std::vector<Finding> FindSpareLabels(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    for (const CheckedLabel& label : rows.labels) {
      if (label.schema.column() != column.name) continue;
      findings.push_back({Severity::kWarning, column.where,
                          fmt::format("reads the column of label \"{}\", which no tower predicts", label.schema.name()),
                          "Take the feature out unless its value is known before the answer is"});
    }
  }
  return findings;
}

std::vector<Finding> FindLeaks(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const CheckedLabel& label : rows.labels) {
    const auto values = features::LabelColumn::Of(label.schema, *label.train, rows.train_table.rows);
    if (!values.ok()) continue;  // FindLabelFaults tells
    const LabelledRows sample = LabelledSample(rows, *values);
    for (const CheckedColumn& column : rows.features) {
      if (column.name == label.schema.column()) continue;  // FindSpareLabels tells
      const LeakText text = LeakOf(rows, label, *values, *column.train, sample);
      if (text.empty()) continue;
      findings.push_back({Severity::kError, column.where,
                          fmt::format("gives label \"{}\" away: {}", label.schema.name(), text),
                          "Take the feature out unless its value is known before the answer is"});
    }
  }
  return findings;
}

}  // namespace manygate::check
