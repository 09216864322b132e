// SPDX-License-Identifier: Apache-2.0
// Rows that are there twice, or nearly so.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "manygate/base/text.h"
#include "manygate/check/detectors.h"
#include "manygate/check/row_hashes.h"

namespace manygate::check {
namespace {

constexpr int64_t kFewestShared = 10;
constexpr double kSharedByChance = 0.01, kMostlyShared = 0.5;
constexpr size_t kNearSample = 20'000;
constexpr size_t kFewestColumns = 4;
constexpr int kNearDigits = 3;
constexpr double kTogether = 0.99;
constexpr size_t kFewestDistinctRows = 100;

double Share(int64_t part, size_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

// More than the rows would have in common by chance.
bool Suspicious(int64_t shared, double share, double by_chance) {
  return shared >= kFewestShared && share > 2 * by_chance + kSharedByChance;
}

// Of a sample of rows, those that are nearly equal to a training row.
struct NearRows {
  std::vector<uint32_t> rows;
  std::vector<uint8_t> near;
  uint32_t own = 0;  // how often each row of the sample is a training row itself

  int64_t Count() const { return std::count(near.begin(), near.end(), uint8_t{1}); }
};

// Marks the rows whose key at least one other training row has.
void MarkNear(const std::vector<uint64_t>& train_keys,
              std::array<std::pair<NearRows*, std::vector<uint64_t>>, 2> sides) {
  KeyCounts counts(sides[0].second.size() + sides[1].second.size());
  for (const auto& [side, keys] : sides)
    for (const uint64_t key : keys) counts.Insert(key);
  for (const uint64_t key : train_keys) counts.Count(key);
  for (auto& [side, keys] : sides)
    for (size_t i = 0; i < keys.size(); ++i)
      if (counts.CountOf(keys[i]) > side->own) side->near[i] = 1;
}

std::vector<uint64_t> Without(const std::vector<uint64_t>& whole, const std::vector<uint64_t>& part) {
  std::vector<uint64_t> rest(whole.size());
  for (size_t i = 0; i < rest.size(); ++i) rest[i] = whole[i] - part[i];
  return rest;
}

// The sample's rows that equal a training row in all columns but one, or up to the last digits of numbers. `trained`:
// the same of training rows, for what is near by chance.
void FindNear(const CheckedRows& rows, const ComparedColumns& columns, NearRows* held_out, NearRows* trained) {
  const RowHashes all(columns.train, rows.train);
  const RowHashes evaluation(columns.evaluation, held_out->rows), train(columns.train, trained->rows);
  for (size_t column = 0; column < columns.train.size(); ++column) {
    MarkNear(Without(all.whole(), all.Part(column)),
             {std::pair(held_out, Without(evaluation.whole(), evaluation.Part(column))),
              std::pair(trained, Without(train.whole(), train.Part(column)))});
  }
  const RowHashes round_all(columns.train, rows.train, kNearDigits);
  MarkNear(round_all.whole(), {std::pair(held_out, RowHashes(columns.evaluation, held_out->rows, kNearDigits).whole()),
                               std::pair(trained, RowHashes(columns.train, trained->rows, kNearDigits).whole())});
}

// How many times every row stands in the file, if most rows stand there equally often or a multiple of it; else 1.
int TimesWritten(std::vector<uint64_t> rows) {
  std::sort(rows.begin(), rows.end());
  std::array<int64_t, 4> multiples = {};  // by 2 and 3: distinct rows that are there so many times
  int64_t distinct = 0;
  for (size_t begin = 0, end = 0; begin < rows.size(); begin = end, ++distinct) {
    while (end < rows.size() && rows[end] == rows[begin]) ++end;
    for (const size_t times : {2, 3}) multiples[times] += (end - begin) % times == 0;
  }
  if (distinct < static_cast<int64_t>(kFewestDistinctRows)) return 1;
  for (const int times : {2, 3})
    if (static_cast<double>(multiples[times]) >= kTogether * static_cast<double>(distinct)) return times;
  return 1;
}

// Rows that share the value of a column with exactly one other row, in pairs, and how many of those are equal wholly.
struct Pairs {
  int64_t all = 0, equal = 0;
};

Pairs CountPairs(const std::vector<uint64_t>& values, const std::vector<uint64_t>& whole) {
  std::vector<uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return values[a] < values[b]; });
  Pairs pairs;
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    if (end - begin != 2) continue;
    ++pairs.all;
    pairs.equal += whole[order[begin]] == whole[order[begin + 1]];
  }
  return pairs;
}

// The share of rows taken at random, two by two, that are equal but for a column.
double EqualByChance(const std::vector<uint64_t>& rest) {
  const size_t half = rest.size() / 2;
  int64_t equal = 0;
  for (size_t i = 0; i < half; ++i) equal += rest[i] == rest[i + half];
  return Share(equal, std::max<size_t>(1, half));
}

std::string TrainWhere(const CheckedRows& rows) {
  return rows.loaded->Place(rows.pipeline(), "train_input_path") + ": the training file";
}

}  // namespace

std::vector<Finding> FindSharedRows(const CheckedRows& rows) {
  if (rows.evaluation.empty()) return {};
  const ComparedColumns columns(rows);
  const RowHashes train(columns.train, rows.train), evaluation(columns.evaluation, rows.evaluation);
  std::unordered_map<uint64_t, uint32_t> seen;
  seen.reserve(train.whole().size());
  for (const uint64_t row : train.whole()) ++seen[row];
  const auto repeated =
      std::count_if(train.whole().begin(), train.whole().end(), [&](uint64_t row) { return seen[row] > 1; });
  const auto shared = std::count_if(evaluation.whole().begin(), evaluation.whole().end(),
                                    [&](uint64_t row) { return seen.contains(row); });
  const double share = Share(shared, rows.evaluation.size()), by_chance = Share(repeated, rows.train.size());
  if (!Suspicious(shared, share, by_chance)) return {};
  return {{share >= kMostlyShared ? Severity::kError : Severity::kWarning, EvaluationWhere(rows),
           fmt::format("repeats training rows: {} of its {} rows ({}) equal one in all features and labels; of the "
                       "training rows {} equal another one",
                       FormatCount(shared), FormatCount(static_cast<int64_t>(rows.evaluation.size())), Percent(share),
                       Percent(by_chance)),
           "Figures on rows that were learnt by heart say nothing: evaluate on other rows"}};
}

std::vector<Finding> FindNearRows(const CheckedRows& rows) {
  const ComparedColumns columns(rows);
  if (rows.evaluation.empty() || columns.train.size() < kFewestColumns) return {};
  NearRows held_out{.rows = SampleOf(rows.evaluation, kNearSample), .near = {}, .own = 0};
  NearRows trained{.rows = SampleOf(rows.train, kNearSample), .near = {}, .own = 1};
  held_out.near.resize(held_out.rows.size());
  trained.near.resize(trained.rows.size());
  FindNear(rows, columns, &held_out, &trained);
  const double share = Share(held_out.Count(), held_out.rows.size());
  const double by_chance = Share(trained.Count(), trained.rows.size());
  if (!Suspicious(held_out.Count(), share, by_chance)) return {};
  return {{Severity::kWarning, EvaluationWhere(rows),
           fmt::format("almost repeats training rows: {} of its rows equal one in all features and labels but one, or "
                       "up to the last digits of numbers; of the training rows {} are so near to another one",
                       Percent(share), Percent(by_chance)),
           "Figures on rows that were learnt almost by heart say little: hold out whole groups of near rows"}};
}

std::vector<Finding> FindRepeatedRows(const CheckedRows& rows) {
  std::vector<uint32_t> all(static_cast<size_t>(rows.train_table.rows));
  std::iota(all.begin(), all.end(), 0u);
  const ComparedColumns columns(rows);
  const RowHashes hashes(columns.train, all);
  const std::string remedy =
      rows.separate ? "Each copy counts anew, as a weight that nobody chose: write every row once"
                    : "Copies of one row fall on both sides of the split, and figures flatter: write every row once";
  if (const int times = TimesWritten(hashes.whole()); times > 1) {
    return {{rows.separate ? Severity::kWarning : Severity::kError, TrainWhere(rows),
             fmt::format("holds every row {}: was it written, or listed, more than once?",
                         times == 2 ? "twice" : fmt::format("{} times", times)),
             remedy}};
  }
  for (size_t column = 0; column < columns.train.size(); ++column) {
    if (columns.train[column]->kind != ColumnKind::kNumber) continue;
    const std::vector<uint64_t> values = hashes.Part(column);
    const Pairs pairs = CountPairs(values, hashes.whole());
    if (pairs.equal < kFewestShared || Share(2 * pairs.equal, all.size()) <= kSharedByChance) continue;
    const double chance = EqualByChance(Without(hashes.whole(), values));
    if (2 * pairs.equal <= pairs.all ||
        static_cast<double>(pairs.equal) <= 10 * chance * static_cast<double>(pairs.all))
      continue;
    return {{Severity::kWarning, TrainWhere(rows),
             fmt::format("repeats rows: {} rows are there twice; of the pairs of rows with one \"{}\", {} are equal in "
                         "all features and labels",
                         FormatCount(2 * pairs.equal), columns.train[column]->name,
                         Percent(Share(pairs.equal, static_cast<size_t>(pairs.all)))),
             remedy}};
  }
  return {};
}

}  // namespace manygate::check
