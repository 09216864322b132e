// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/config/accessors.h"
#include "manygate/data/csv_number.h"
#include "manygate/features/values.h"

namespace manygate::features {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr size_t kShownValues = 5;

bool IsBinaryTower(const config::TaskTower& tower) {
  return tower.losses().empty() || std::any_of(tower.losses().begin(), tower.losses().end(), [](const auto& loss) {
           return loss.loss_case() != config::LossConfig::kL2Loss;
         });
}

// Distinct values that are present, most frequent first.
std::vector<std::pair<std::string, int64_t>> CountValues(const Column& column, int64_t rows) {
  std::vector<std::pair<std::string, int64_t>> counts;
  if (column.kind == ColumnKind::kCategory) {
    std::vector<int64_t> by_code(column.dictionary.size(), 0);
    for (int64_t row = 0; row < rows; ++row) ++by_code[column.Code(row)];
    for (size_t code = 1; code < by_code.size(); ++code) counts.emplace_back(column.dictionary[code], by_code[code]);
  } else {
    std::map<float, int64_t> by_value;
    for (int64_t row = 0; row < rows; ++row)
      if (!std::isnan(column.numbers[row])) ++by_value[column.numbers[row]];
    for (const auto& [value, count] : by_value) counts.emplace_back(fmt::format("{:g}", value), count);
  }
  std::stable_sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return counts;
}

// The value most likely meant by "1": a word for yes, or else the rarest.
std::string LikelyPositive(const std::vector<std::pair<std::string, int64_t>>& counts) {
  static const std::set<std::string> kYes = {"1", "yes", "y", "true", "t", "positive", "pos", "on"};
  for (const auto& [text, count] : counts)
    if (kYes.contains(ToLower(text))) return text;
  return counts.back().first;
}

// `holds "no" (9 rows), "yes" (2 rows), where ...`: the values of a binary label that is not 0 and 1.
Status NotBinary(const LabelSchema& label, const Column& column, int64_t rows) {
  const auto counts = CountValues(column, rows);
  std::string shown;
  for (size_t i = 0; i < std::min(counts.size(), kShownValues); ++i) {
    shown += fmt::format("{}\"{}\" ({} {})", i == 0 ? "" : ", ", counts[i].first, FormatCount(counts[i].second),
                         counts[i].second == 1 ? "row" : "rows");
  }
  if (counts.size() > kShownValues) shown += fmt::format(", ... ({} values in all)", FormatCount(counts.size()));
  return InvalidInput(fmt::format(
      "holds {}, but a binary task needs 0 and 1. Say which texts mean 1: data_config {{ label_configs {{ label_name: "
      "\"{}\" column: \"{}\" positive_values: \"{}\" }} }}; for a number as target give the tower losses {{ l2_loss "
      "{{}} }}",
      shown, label.name(), column.name, LikelyPositive(counts)));
}

// A positive value that no row has is a slip, unless it is another spelling of one that rows do have: files of one data
// set may differ in that (Adult's training file says ">50K", its test file ">50K.").
void CheckPositiveValues(const LabelSchema& label, const Column& column, FitMessages* messages) {
  if (column.kind != ColumnKind::kCategory) return;
  const std::vector<std::string> texts(std::next(column.dictionary.begin()), column.dictionary.end());
  const std::set<std::string> known(texts.begin(), texts.end());
  const std::set<std::string> positives(label.positive_values().begin(), label.positive_values().end());
  for (const std::string& value : positives) {
    if (value.empty()) {
      messages->problems.push_back("the empty text cannot be a positive value: it means that the label is missing");
    } else if (!known.contains(value)) {
      const bool other_spelling = positives.contains(NearestName(value, texts));
      (other_spelling ? messages->notes : messages->problems)
          .push_back(fmt::format("positive value \"{}\" is in no row of column \"{}\". {}", value, column.name,
                                 Suggestion(value, texts, "Values")));
    }
  }
}

}  // namespace

std::vector<LabelSchema> LabelsOf(const config::Pipeline& pipeline) {
  std::vector<std::string> names(pipeline.data_config().label_fields().begin(),
                                 pipeline.data_config().label_fields().end());
  std::set<std::string> binary;
  for (const config::TaskTower& tower : config::TaskTowers(pipeline.model_config())) {
    names.push_back(tower.label_name());
    if (IsBinaryTower(tower)) binary.insert(tower.label_name());
  }
  std::vector<LabelSchema> labels;
  std::set<std::string> added;
  for (const std::string& name : names) {
    if (!added.insert(name).second) continue;
    LabelSchema& label = labels.emplace_back();
    label.set_name(name);
    label.set_column(config::LabelColumn(pipeline.data_config(), name));
    for (const config::LabelConfig& label_config : pipeline.data_config().label_configs()) {
      if (label_config.label_name() == name) *label.mutable_positive_values() = label_config.positive_values();
    }
    const bool is_binary = binary.contains(name) || !label.positive_values().empty();
    label.set_kind(is_binary ? LabelSchema::BINARY : LabelSchema::NUMBER);
  }
  return labels;
}

StatusOr<LabelColumn> LabelColumn::Of(const LabelSchema& label, const Column& column, int64_t rows) {
  LabelColumn result;
  result.column_ = &column;
  if (label.kind() == LabelSchema::NUMBER) {
    MG_ASSIGN_OR_RETURN(const NumberColumn numbers, NumberColumn::Of(column, rows));
    result.dictionary_.assign(numbers.dictionary().begin(), numbers.dictionary().end());
    return result;
  }
  if (column.kind == ColumnKind::kNumber) {
    MG_CHECK(label.positive_values().empty(), "column \"{}\" must be read as a category", column.name);
    for (int64_t row = 0; row < rows; ++row) {
      const float value = column.numbers[row];
      if (!std::isnan(value) && value != 0.0f && value != 1.0f) return NotBinary(label, column, rows);
    }
    return result;
  }
  result.dictionary_.assign(column.dictionary.size(), kMissing);
  for (size_t code = 1; code < column.dictionary.size(); ++code) {
    const std::string& text = column.dictionary[code];
    float& value = result.dictionary_[code];
    if (!label.positive_values().empty()) {
      const auto& positives = label.positive_values();
      value = std::find(positives.begin(), positives.end(), text) != positives.end() ? 1.0f : 0.0f;
    } else if (ParseFloat(text, &value) != NumberParse::kOk || (value != 0.0f && value != 1.0f)) {
      return NotBinary(label, column, rows);
    }
  }
  return result;
}

void FitLabel(const Column& column, int64_t rows, std::span<const uint32_t> training_rows, LabelSchema* label,
              FitMessages* messages) {
  const size_t problems_before = messages->problems.size();
  CheckPositiveValues(*label, column, messages);
  StatusOr<LabelColumn> values = LabelColumn::Of(*label, column, rows);
  if (!values.ok()) messages->problems.push_back(values.status().message());
  if (messages->problems.size() > problems_before) return;
  double present = 0, sum = 0, squares = 0;
  for (const uint32_t row : training_rows) {
    const float value = values->Value(row);
    if (std::isnan(value)) continue;
    present += 1;
    sum += value;
  }
  const std::string all_rows = FormatCount(static_cast<int64_t>(training_rows.size()));
  if (present == 0) {
    messages->problems.push_back(fmt::format("has no value in any of the {} training rows", all_rows));
    return;
  }
  const double mean = sum / present;
  for (const uint32_t row : training_rows) {
    const double value = values->Value(row);
    if (!std::isnan(value)) squares += (value - mean) * (value - mean);
  }
  label->set_rows(static_cast<uint64_t>(present));
  label->set_mean(mean);
  label->set_deviation(std::sqrt(squares / present));
  if (label->kind() != LabelSchema::BINARY) return;
  label->set_positives(static_cast<uint64_t>(sum));
  if (sum == 0 || sum == present) {
    messages->problems.push_back(
        fmt::format("is {} in all {} training rows that have it; a binary task needs both classes", sum == 0 ? 0 : 1,
                    FormatCount(static_cast<int64_t>(present))));
  }
}

}  // namespace manygate::features
