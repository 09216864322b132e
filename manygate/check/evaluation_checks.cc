// SPDX-License-Identifier: Apache-2.0
// Whether the evaluation rows are like the training rows, and are others.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "manygate/base/text.h"
#include "manygate/check/detectors.h"

namespace manygate::check {
namespace {

constexpr double kManyUnseen = 0.05;
constexpr double kOwnValues = 0.1, kNeighbourValues = 0.9;
constexpr int64_t kFewestShared = 10;
constexpr double kSharedByChance = 0.01, kMostlyShared = 0.5;

// Hashes of values that are equal in any table: of the text, or of the number's bits.
std::vector<uint64_t> CodeHashes(const Column& column) {
  std::vector<uint64_t> hashes;
  for (const std::string& text : column.dictionary) hashes.push_back(std::hash<std::string_view>()(text));
  return hashes;
}

uint64_t Mixed(uint64_t x) {  // the finaliser of SplitMix64 (Steele et al. 2014)
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

std::vector<uint64_t> ValueHashes(const Column& column, std::span<const uint32_t> rows) {
  const std::vector<uint64_t> of_code = CodeHashes(column);
  std::vector<uint64_t> hashes;
  hashes.reserve(rows.size());
  for (const uint32_t row : rows)
    hashes.push_back(column.kind == ColumnKind::kCategory ? of_code[column.Code(row)] : ValueKey(column, row));
  return hashes;
}

// The distinct values of the rows, missing ones left out.
std::unordered_set<uint64_t> ValueSet(const Column& column, std::span<const uint32_t> rows) {
  std::unordered_set<uint64_t> values;
  if (column.kind == ColumnKind::kCategory) {
    const std::vector<int64_t> counts = CountCodes(column, rows);
    for (size_t code = 1; code < counts.size(); ++code)
      if (counts[code] > 0) values.insert(std::hash<std::string_view>()(column.dictionary[code]));
    return values;
  }
  for (const uint32_t row : rows)
    if (!IsMissing(column, row)) values.insert(ValueKey(column, row));
  return values;
}

struct Matches {
  int64_t known = 0, present = 0;
  double share() const { return present == 0 ? 1 : static_cast<double>(known) / static_cast<double>(present); }
};

// How many of the values are in `values`.
Matches Match(const Column& column, std::span<const uint32_t> rows, const std::unordered_set<uint64_t>& values) {
  Matches matches;
  if (column.kind == ColumnKind::kCategory) {
    const std::vector<int64_t> counts = CountCodes(column, rows);
    for (size_t code = 1; code < counts.size(); ++code) {
      matches.present += counts[code];
      if (counts[code] > 0 && values.contains(std::hash<std::string_view>()(column.dictionary[code])))
        matches.known += counts[code];
    }
    return matches;
  }
  for (const uint32_t row : rows) {
    if (IsMissing(column, row)) continue;
    ++matches.present;
    matches.known += values.contains(ValueKey(column, row));
  }
  return matches;
}

// What was read of each column of the file, in the file's order; where null was not read.
struct FileColumn {
  const Column* train = nullptr;
  const Column* evaluation = nullptr;
};

std::vector<FileColumn> InFileOrder(const CheckedRows& rows) {
  std::vector<FileColumn> columns;
  for (const std::string& name : rows.file_columns) {
    FileColumn& column = columns.emplace_back();
    for (const CheckedColumn& feature : rows.features)
      if (feature.name == name) column = {feature.train, feature.evaluation};
    for (const CheckedLabel& label : rows.labels)
      if (label.schema.column() == name && column.train == nullptr) column = {label.train, label.evaluation};
  }
  return columns;
}

std::string EvaluationWhere(const CheckedRows& rows) {
  return rows.loaded->Place(rows.pipeline(), rows.separate ? "eval_input_path" : "train_input_path") +
         (rows.separate ? ": the evaluation file" : ": what is held out");
}

}  // namespace

std::vector<Finding> FindShiftedColumns(const CheckedRows& rows) {
  if (!rows.separate) return {};
  const std::vector<FileColumn> columns = InFileOrder(rows);
  const std::vector<uint32_t> sample = SampleOf(rows.evaluation, 100'000);
  std::vector<std::unordered_set<uint64_t>> values(columns.size());
  const auto values_of = [&](size_t i) -> const std::unordered_set<uint64_t>& {
    if (values[i].empty()) values[i] = ValueSet(*columns[i].train, rows.train);
    return values[i];
  };
  std::vector<std::string> texts;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].train == nullptr) continue;
    const Matches own = Match(*columns[i].evaluation, sample, values_of(i));
    if (own.present == 0 || own.share() > kOwnValues) continue;
    for (const size_t other : {i - 1, i + 1}) {  // i - 1 of 0 is beyond the end
      if (other >= columns.size() || columns[other].train == nullptr) continue;
      if (columns[other].train->kind != columns[i].train->kind) continue;
      if (Match(*columns[i].evaluation, sample, values_of(other)).share() < kNeighbourValues) continue;
      texts.push_back(fmt::format("\"{}\" holds the values of \"{}\"", rows.file_columns[i], rows.file_columns[other]));
      break;
    }
  }
  if (texts.size() < 2) return {};
  return {{Severity::kError, EvaluationWhere(rows),
           fmt::format("has columns that are shifted or exchanged: {}", JoinNames(texts, 4)),
           "Compare the columns of both files; without a header, input_fields must fit both"}};
}

std::vector<Finding> FindUnseenValues(const CheckedRows& rows, const std::set<std::string>& skip) {
  std::vector<Finding> findings;
  for (const CheckedColumn& column : rows.features) {
    if (column.train->kind != ColumnKind::kCategory || skip.contains(column.name)) continue;
    if (std::none_of(column.features.begin(), column.features.end(), [](auto* f) { return LearnsEveryValue(*f); }))
      continue;
    const Matches matches = Match(*column.evaluation, rows.evaluation, ValueSet(*column.train, rows.train));
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

std::vector<Finding> FindSharedRows(const CheckedRows& rows) {
  if (rows.evaluation.empty()) return {};
  std::vector<uint64_t> train(rows.train.size(), 0), evaluation(rows.evaluation.size(), 0);
  const auto add = [](std::vector<uint64_t>* sums, const std::vector<uint64_t>& hashes) {
    for (size_t i = 0; i < sums->size(); ++i) (*sums)[i] = Mixed((*sums)[i] * 0x9e3779b97f4a7c15ull + hashes[i] + 1);
  };
  std::set<const Column*> added;
  const auto add_column = [&](const Column* in_train, const Column* in_evaluation) {
    if (!added.insert(in_train).second) return;
    add(&train, ValueHashes(*in_train, rows.train));
    add(&evaluation, ValueHashes(*in_evaluation, rows.evaluation));
  };
  for (const CheckedColumn& column : rows.features) add_column(column.train, column.evaluation);
  for (const CheckedLabel& label : rows.labels) add_column(label.train, label.evaluation);
  std::unordered_map<uint64_t, uint32_t> seen;
  seen.reserve(train.size());
  for (const uint64_t row : train) ++seen[row];
  const auto repeated = std::count_if(train.begin(), train.end(), [&](uint64_t row) { return seen[row] > 1; });
  const auto shared =
      std::count_if(evaluation.begin(), evaluation.end(), [&](uint64_t row) { return seen.contains(row); });
  const double share = static_cast<double>(shared) / static_cast<double>(evaluation.size());
  const double by_chance = static_cast<double>(repeated) / static_cast<double>(train.size());
  if (shared < kFewestShared || share <= 2 * by_chance + kSharedByChance) return {};
  return {{share >= kMostlyShared ? Severity::kError : Severity::kWarning, EvaluationWhere(rows),
           fmt::format("repeats training rows: {} of its {} rows ({}) equal one in all features and labels; of the "
                       "training rows {} equal another one",
                       FormatCount(shared), FormatCount(static_cast<int64_t>(evaluation.size())), Percent(share),
                       Percent(by_chance)),
           "Figures on rows that were learnt by heart say nothing: evaluate on other rows"}};
}

}  // namespace manygate::check
