// SPDX-License-Identifier: Apache-2.0
// Columns that hold the values of another column.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "manygate/base/text.h"
#include "manygate/check/detectors.h"
#include "manygate/check/known_values.h"

namespace manygate::check {
namespace {

constexpr double kOwnValues = 0.1, kOtherValues = 0.9;
constexpr size_t kMostRows = 100'000;
constexpr size_t kFewestRowsOfATenth = 50;

// A column of the file, in the file's order; null where it was not read. `known` are the rows that are right, `doubted`
// those that may be shifted.
struct FileColumn {
  const Column* known = nullptr;
  const Column* doubted = nullptr;
};

std::vector<FileColumn> InFileOrder(const CheckedRows& rows, bool of_two_files) {
  std::vector<FileColumn> columns;
  const auto set = [&](const auto& column) {
    columns.back() = {column.train, of_two_files ? column.evaluation : column.train};
  };
  for (const std::string& name : rows.file_columns) {
    columns.emplace_back();
    for (const CheckedColumn& feature : rows.features)
      if (feature.name == name) set(feature);
    for (const CheckedLabel& label : rows.labels)
      if (label.schema.column() == name && columns.back().known == nullptr) set(label);
  }
  return columns;
}

// Which column holds the values of which other one.
class ShiftSearch {
 public:
  ShiftSearch(std::span<const FileColumn> columns, std::span<const uint32_t> known, std::span<const uint32_t> doubted)
      : columns_(columns), known_(known), doubted_(doubted), values_(columns.size()) {}

  // (column, the one whose values it holds): a neighbour in the file, or one of two that are exchanged.
  std::vector<std::pair<size_t, size_t>> Find() {
    std::vector<size_t> strange;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].known == nullptr) continue;
      const Matches own = ValuesOf(i).Match(*columns_[i].doubted, doubted_);
      if (own.present > 0 && own.share() <= kOwnValues) strange.push_back(i);
    }
    std::vector<std::pair<size_t, size_t>> found;
    for (const size_t i : strange) {
      for (const size_t other : strange)
        if (other != i && Holds(i, other) && Holds(other, i)) found.emplace_back(i, other);
      if (!found.empty() && found.back().first == i) continue;
      for (const size_t other : {i - 1, i + 1}) {  // i - 1 of 0 is beyond the end
        if (other >= columns_.size() || !Holds(i, other)) continue;
        found.emplace_back(i, other);
        break;
      }
    }
    return found;
  }

 private:
  bool Holds(size_t i, size_t other) {
    if (columns_[other].known == nullptr || columns_[other].known->kind != columns_[i].known->kind) return false;
    return ValuesOf(other).Match(*columns_[i].doubted, doubted_).share() >= kOtherValues;
  }
  const KnownValues& ValuesOf(size_t i) {
    if (values_[i] == nullptr) values_[i] = std::make_unique<KnownValues>(*columns_[i].known, known_);
    return *values_[i];
  }

  std::span<const FileColumn> columns_;
  std::span<const uint32_t> known_, doubted_;
  std::vector<std::unique_ptr<KnownValues>> values_;
};

// "" unless two columns or more hold the values of others.
std::string ShiftedText(const CheckedRows& rows, const std::vector<std::pair<size_t, size_t>>& shifted) {
  if (shifted.size() < 2) return "";
  std::vector<std::string> texts;
  for (const auto& [column, other] : shifted)
    texts.push_back(
        fmt::format("\"{}\" holds the values of \"{}\"", rows.file_columns[column], rows.file_columns[other]));
  return JoinNames(texts, 4);
}

}  // namespace

std::vector<Finding> FindShiftedColumns(const CheckedRows& rows) {
  if (!rows.separate) return {};
  const std::vector<FileColumn> columns = InFileOrder(rows, true);
  const std::vector<uint32_t> sample = SampleOf(rows.evaluation, kMostRows);
  const std::string text = ShiftedText(rows, ShiftSearch(columns, rows.train, sample).Find());
  if (text.empty()) return {};
  return {{Severity::kError, EvaluationWhere(rows), "has columns that are shifted or exchanged: " + text,
           "Compare the columns of both files; without a header, input_fields must fit both"}};
}

std::vector<Finding> FindShiftedRows(const CheckedRows& rows) {
  const size_t tenth = std::min(static_cast<size_t>(rows.train_table.rows) / 10, kMostRows);
  if (tenth < kFewestRowsOfATenth) return {};
  std::vector<uint32_t> first(tenth), last(tenth);
  std::iota(first.begin(), first.end(), 0u);
  std::iota(last.begin(), last.end(), static_cast<uint32_t>(static_cast<size_t>(rows.train_table.rows) - tenth));
  const std::vector<FileColumn> columns = InFileOrder(rows, false);
  const std::string text = ShiftedText(rows, ShiftSearch(columns, first, last).Find());
  if (text.empty()) return {};
  return {{Severity::kError, rows.loaded->Place(rows.pipeline(), "train_input_path") + ": the training file",
           "has columns that are shifted or exchanged in its last rows: " + text,
           "Look for the row where it begins: an unquoted delimiter, or files with different columns in one list"}};
}

}  // namespace manygate::check
