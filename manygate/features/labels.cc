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
#include "manygate/data/number_text.h"
#include "manygate/features/values.h"

namespace manygate::features {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
constexpr size_t kShownValues = 5;

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

bool IsNan(const std::string& text) { return ToLower(text) == "nan"; }

// The values of a column in the order in which one would number them: numbers ascending, else texts.
std::vector<std::string> InOrder(const std::vector<std::pair<std::string, int64_t>>& counts) {
  std::vector<std::pair<float, std::string>> values;
  bool numbers = true;
  for (const auto& [text, count] : counts) {
    if (IsNan(text)) continue;
    values.emplace_back(0.0f, text);
    numbers &= ParseFloat(text, &values.back().first) == NumberParse::kOk;
  }
  if (!numbers)
    for (auto& [number, text] : values) number = 0.0f;
  std::sort(values.begin(), values.end());
  std::vector<std::string> texts;
  for (auto& [number, text] : values) texts.push_back(std::move(text));
  return texts;
}

// `"x" (3 rows), "y" (1 row)`: those of the values that `wrong` says.
template <typename Wrong>
std::string ShowValues(const std::vector<std::pair<std::string, int64_t>>& counts, Wrong wrong) {
  std::string shown;
  size_t number = 0;
  for (const auto& [text, count] : counts) {
    if (!wrong(text) || ++number > kShownValues) continue;
    shown += fmt::format("{}\"{}\" ({} {})", shown.empty() ? "" : ", ", text, FormatCount(count),
                         count == 1 ? "row" : "rows");
  }
  if (number > kShownValues)
    shown += fmt::format(", ... ({} values in all)", FormatCount(static_cast<int64_t>(number)));
  return shown;
}

// `holds "no" (9 rows), "yes" (2 rows), but ...`: the values of a binary label that is not 0 and 1.
Status NotBinary(const LabelSchema& label, const Column& column, int64_t rows) {
  const auto counts = CountValues(column, rows);
  return InvalidInput(fmt::format(
      "holds {}, but a binary task needs 0 and 1. Say which texts mean 1: data_config {{ label_configs {{ label_name: "
      "\"{}\" column: \"{}\" positive_values: \"{}\" }} }}; for a number as target give the tower losses {{ l2_loss "
      "{{}} }}",
      ShowValues(counts, [](const std::string&) { return true; }), label.name(), column.name, LikelyPositive(counts)));
}

// The class of a text; NaN for "nan", nothing for a text that is no class.
bool ClassOf(const LabelSchema& label, const std::string& text, float* value) {
  const auto& values = label.class_values();
  if (!values.empty()) {
    const auto found = std::find(values.begin(), values.end(), text);
    *value = found == values.end() ? kMissing : static_cast<float>(found - values.begin());
    return found != values.end() || IsNan(text);
  }
  *value = kMissing;
  if (IsNan(text)) return true;
  return ParseFloat(text, value) == NumberParse::kOk && *value >= 0 && *value < static_cast<float>(label.num_class()) &&
         *value == std::floor(*value);
}

// `holds "7" (3 rows), where classes ... are expected. ...`
Status NotAClass(const LabelSchema& label, const Column& column, int64_t rows) {
  const auto counts = CountValues(column, rows);
  float value = 0;
  std::string first;
  const std::string shown = ShowValues(counts, [&](const std::string& text) {
    const bool wrong = !ClassOf(label, text, &value);
    if (wrong && first.empty()) first = text;
    return wrong;
  });
  if (!label.class_values().empty()) {
    const std::vector<std::string> known(label.class_values().begin(), label.class_values().end());
    return InvalidInput(
        fmt::format("holds {}, which class_values do not list. {}. A text that means \"missing\" belongs into "
                    "data_config.missing_values",
                    shown, Suggestion(first, known, "class_values")));
  }
  const std::vector<std::string> texts = InOrder(counts);
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back('"' + text + '"');
  std::string hint = fmt::format(
      "Number its values: data_config {{ label_configs {{ label_name: \"{}\" column: \"{}\" class_values: [{}] }} }}",
      label.name(), column.name, JoinNames(quoted));
  if (texts.size() != label.num_class()) hint += fmt::format(" and num_class: {} in the tower", texts.size());
  return InvalidInput(fmt::format("holds {}, where classes 0 to {} are expected (num_class: {}). {}", shown,
                                  label.num_class() - 1, label.num_class(), hint));
}

// "" or a clause: negative numbers of a label that must not have any.
std::string NegativeProblem(const Column& column, const NumberColumn& numbers, int64_t rows) {
  int64_t negative = 0;
  for (int64_t row = 0; row < rows; ++row) negative += numbers.Value(row) < 0;
  if (negative == 0) return "";
  const std::string shown = ShowValues(CountValues(column, rows), [](const std::string& text) {
    float value = 0;
    return ParseFloat(text, &value) == NumberParse::kOk && value < 0;
  });
  return fmt::format("is negative in {} of {} rows: {}; poisson_loss and ziln_loss take numbers >= 0",
                     FormatCount(negative), FormatCount(rows), shown);
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

// 1 for a positive value, 0 for others; false for a text that is neither.
bool BinaryOf(const LabelSchema& label, const std::string& text, float* value) {
  const auto& positives = label.positive_values();
  const bool positive = std::find(positives.begin(), positives.end(), text) != positives.end();
  *value = kMissing;
  if (!positive && IsNan(text)) return true;
  if (positives.empty()) return ParseFloat(text, value) == NumberParse::kOk && (*value == 0.0f || *value == 1.0f);
  *value = positive ? 1.0f : 0.0f;
  return true;
}

struct Moments {
  double mean = 0, deviation = 0;  // population
};

Moments MomentsOf(const std::vector<double>& values) {
  const double n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / n;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / n)};
}

void FitBinary(const std::vector<double>& values, LabelSchema* label, FitMessages* messages) {
  const Moments moments = MomentsOf(values);
  label->set_mean(moments.mean);
  label->set_deviation(moments.deviation);
  label->set_positive_share(moments.mean);
  const int64_t positives = std::count(values.begin(), values.end(), 1.0), all = static_cast<int64_t>(values.size());
  label->set_positives(static_cast<uint64_t>(positives));
  if (positives > 0 && positives < all) return;
  messages->problems.push_back(
      fmt::format("is {} in all {} training rows that have it; a binary task needs both classes", positives > 0 ? 1 : 0,
                  FormatCount(all)));
}

void FitNumber(const std::vector<double>& values, LabelSchema* label, FitMessages* messages) {
  const Moments moments = MomentsOf(values);
  label->set_mean(moments.mean);
  label->set_deviation(moments.deviation);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  label->set_minimum(*low);
  std::vector<double> logs;
  for (const double value : values)
    if (value > 0) logs.push_back(std::log(value));
  label->set_positive_share(static_cast<double>(logs.size()) / static_cast<double>(values.size()));
  if (!logs.empty()) {
    const Moments log_moments = MomentsOf(logs);
    label->set_log_mean(log_moments.mean);
    label->set_log_deviation(log_moments.deviation);
  }
  if (*low < *high) return;
  messages->notes.push_back(fmt::format("is {:g} in all {} training rows that have it, so there is nothing to learn",
                                        *low, FormatCount(static_cast<int64_t>(values.size()))));
}

void FitClasses(const std::vector<double>& values, LabelSchema* label, FitMessages* messages) {
  std::vector<uint64_t> counts(label->num_class(), 0);
  for (const double value : values) ++counts[static_cast<size_t>(value)];
  std::vector<std::string> unseen;
  for (size_t i = 0; i < counts.size(); ++i) {
    label->add_class_count(counts[i]);
    const std::string text =
        label->class_values().empty() ? "" : fmt::format(" (\"{}\")", label->class_values(static_cast<int>(i)));
    if (counts[i] == 0) unseen.push_back(fmt::format("{}{}", i, text));
    if (counts[i] != values.size()) continue;
    messages->problems.push_back(fmt::format("is class {}{} in all {} training rows that have it", i, text,
                                             FormatCount(static_cast<int64_t>(values.size()))));
    return;
  }
  if (unseen.empty()) return;
  messages->notes.push_back(fmt::format("has {} of {} classes in no training row: {}", unseen.size(), counts.size(),
                                        JoinNames(unseen, kShownValues)));
}

}  // namespace

StatusOr<LabelColumn> LabelColumn::Of(const LabelSchema& label, const Column& column, int64_t rows) {
  LabelColumn result;
  result.column_ = &column;
  if (label.kind() == LabelSchema::NUMBER) {
    MG_ASSIGN_OR_RETURN(const NumberColumn numbers, NumberColumn::Of(column, rows));
    if (label.non_negative())
      if (std::string problem = NegativeProblem(column, numbers, rows); !problem.empty()) return InvalidInput(problem);
    result.dictionary_.assign(numbers.dictionary().begin(), numbers.dictionary().end());
    return result;
  }
  const bool binary = label.kind() == LabelSchema::BINARY;
  const auto not_allowed = [&] { return binary ? NotBinary(label, column, rows) : NotAClass(label, column, rows); };
  if (column.kind == ColumnKind::kNumber) {
    MG_CHECK(label.positive_values().empty() && label.class_values().empty(),
             "column \"{}\" must be read as a category", column.name);
    const float end = binary ? 2.0f : static_cast<float>(label.num_class());
    for (int64_t row = 0; row < rows; ++row) {
      const float value = column.numbers[row];
      if (!std::isnan(value) && !(value >= 0.0f && value < end && value == std::floor(value))) return not_allowed();
    }
    return result;
  }
  result.dictionary_.assign(column.dictionary.size(), kMissing);
  for (size_t code = 1; code < column.dictionary.size(); ++code) {
    const std::string& text = column.dictionary[code];
    const bool known =
        binary ? BinaryOf(label, text, &result.dictionary_[code]) : ClassOf(label, text, &result.dictionary_[code]);
    if (!known) return not_allowed();
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
  std::vector<double> present;
  for (const uint32_t row : training_rows)
    if (const float value = values->Value(row); !std::isnan(value)) present.push_back(value);
  if (present.empty()) {
    messages->problems.push_back(fmt::format("has no value in any of the {} training rows",
                                             FormatCount(static_cast<int64_t>(training_rows.size()))));
    return;
  }
  label->set_rows(present.size());
  switch (label->kind()) {
    case LabelSchema::BINARY: return FitBinary(present, label, messages);
    case LabelSchema::NUMBER: return FitNumber(present, label, messages);
    case LabelSchema::CLASSES: return FitClasses(present, label, messages);
  }
}

}  // namespace manygate::features
