// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/infer_labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <string_view>
#include <utility>

#include "manygate/base/text.h"
#include "manygate/cli/printing.h"

namespace manygate::cli {
namespace {

constexpr std::array kKinds = {"binary", "multiclass", "regression", "count", "amount"};
constexpr size_t kMostInferredClasses = 20, kMostClasses = 1000;

bool IsOneOf(std::string_view text, const std::set<std::string, std::less<>>& words) {
  return words.contains(ToLower(text));
}
bool SaysYes(std::string_view text) {
  static const std::set<std::string, std::less<>> kYes = {"1", "yes", "y", "true", "t", "positive", "pos", "on"};
  return IsOneOf(text, kYes);
}
bool SaysNo(std::string_view text) {
  static const std::set<std::string, std::less<>> kNo = {"0",        "no",  "n",   "false", "f",
                                                         "negative", "neg", "off", "none"};
  return IsOneOf(text, kNo);
}
bool SaysMore(std::string_view text) {
  while (text.ends_with(".")) text.remove_suffix(1);
  return text.starts_with(">") || text.ends_with("+");
}

// The label's two texts and their rows.
std::vector<std::pair<std::string, int64_t>> CountValues(const Column& column, int64_t rows) {
  std::vector<int64_t> by_code(column.dictionary.size(), 0);
  for (int64_t row = 0; row < rows; ++row) ++by_code[column.Code(row)];
  std::vector<std::pair<std::string, int64_t>> counts;
  for (size_t code = 1; code < by_code.size(); ++code)
    if (by_code[code] > 0) counts.emplace_back(column.dictionary[code], by_code[code]);
  return counts;
}

double Number(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

const std::string& Greater(const std::string& a, const std::string& b) { return Number(a) > Number(b) ? a : b; }

bool IsZeroOrOne(const std::pair<std::string, int64_t>& value) {
  char* end = nullptr;
  const double number = std::strtod(value.first.c_str(), &end);
  return end == value.first.c_str() + value.first.size() && (number == 0 || number == 1);
}

std::string Quoted(std::span<const std::pair<std::string, int64_t>> values) {
  std::vector<std::string> texts;
  for (const auto& [text, rows] : values) texts.push_back('"' + text + '"');
  return JoinNames(texts, 5);
}

Status NoTwoValues(const InferredColumn& column, std::span<const std::pair<std::string, int64_t>> values) {
  return InvalidInput(fmt::format(
      "label \"{}\" has {}{} values ({}); a binary task needs two. In a configuration, label_configs {{ "
      "positive_values "
      "... }} says which of many values mean 1",
      column.name, column.distinct_capped ? "more than " : "", FormatCount(column.distinct), Quoted(values)));
}

}  // namespace

std::string ChoosePositive(std::span<const std::pair<std::string, int64_t>> values) {
  const auto& [first, second] = std::pair(values[0], values[1]);
  const bool yes = SaysYes(first.first), other_yes = SaysYes(second.first);
  if (yes != other_yes) return yes ? first.first : second.first;
  const bool no = SaysNo(first.first), other_no = SaysNo(second.first);
  if (no != other_no) return no ? second.first : first.first;
  const bool more = SaysMore(first.first), other_more = SaysMore(second.first);
  if (more != other_more) return more ? first.first : second.first;
  return first.second <= second.second ? first.first : second.first;
}

StatusOr<std::vector<LabelRequest>> ParseLabels(std::span<const std::string> texts, const InferredSchema& schema) {
  std::vector<std::string> columns;
  for (const InferredColumn& column : schema.columns) columns.push_back(column.name);
  const auto is_column = [&](const std::string& name) {
    return std::find(columns.begin(), columns.end(), name) != columns.end();
  };
  const std::vector<std::string> kinds(kKinds.begin(), kKinds.end());
  std::vector<LabelRequest> labels;
  for (const std::string& text : texts) {
    LabelRequest label{text, ""};
    const size_t colon = text.rfind(':');
    if (colon != std::string::npos && !is_column(text)) {
      label = {text.substr(0, colon), text.substr(colon + 1)};
      if (std::find(kinds.begin(), kinds.end(), label.kind) == kinds.end())
        return InvalidInput(fmt::format("--label {}: \"{}\" is no kind of label. {}", text, label.kind,
                                        Suggestion(label.kind, kinds, "Kinds")));
    }
    if (label.name.empty()) return InvalidInput(fmt::format("--label {}: names no column", text));
    if (!is_column(label.name))
      return InvalidInput(fmt::format("--label {}: \"{}\" is not a column of the data. {}", text, label.name,
                                      Suggestion(label.name, columns, "Columns")));
    for (const LabelRequest& other : labels)
      if (other.name == label.name) return InvalidInput(fmt::format("--label {}: given twice", label.name));
    labels.push_back(std::move(label));
  }
  return labels;
}

namespace {

using Counts = std::vector<std::pair<std::string, int64_t>>;

StatusOr<InferredLabel> BinaryLabel(InferredLabel label, const InferredColumn& column, const Counts& counts,
                                    bool is_number) {
  // 0, 1, 0.0 and 1.0 are two values however many texts they are.
  if (std::all_of(counts.begin(), counts.end(), IsZeroOrOne)) return label;
  if (counts.size() != 2) return NoTwoValues(column, counts);
  label.positive_value = is_number ? Greater(counts[0].first, counts[1].first) : ChoosePositive(counts);
  return label;
}

// Classes in the order of their numbers, or of their texts.
StatusOr<InferredLabel> ClassLabel(InferredLabel label, const InferredColumn& column, const Counts& counts,
                                   bool is_number) {
  if (counts.size() > kMostClasses)
    return InvalidInput(fmt::format("label \"{}\" has {} values ({}); a multi-class task takes at most {}", column.name,
                                    FormatCount(static_cast<int64_t>(counts.size())), Quoted(counts), kMostClasses));
  for (const auto& [text, rows] : counts) label.class_values.push_back(text);
  std::sort(label.class_values.begin(), label.class_values.end(),
            [&](const std::string& a, const std::string& b) { return is_number ? Number(a) < Number(b) : a < b; });
  return label;
}

StatusOr<InferredLabel> NumberLabel(InferredLabel label, const LabelRequest& request, const InferredColumn& column,
                                    const Counts& counts, bool is_number) {
  if (!is_number)
    return InvalidInput(fmt::format("--label {}:{}: the column holds texts ({}), {} needs numbers", request.name,
                                    request.kind, Quoted(counts), request.kind));
  if (label.kind == config::TaskKind::kRegression || column.minimum >= 0) return label;
  return InvalidInput(
      fmt::format("--label {}:{}: the column's smallest value is {:g}, {} needs numbers from 0 on. Use "
                  "--label {}:regression",
                  request.name, request.kind, column.minimum, request.kind, request.name));
}

// How often each outcome occurs.
void CountOutcomes(const Counts& counts, InferredLabel* label) {
  label->class_rows.assign(label->class_values.size(), 0);
  double sum = 0;
  for (const auto& [text, rows] : counts) {
    label->rows += rows;
    if (label->kind == config::TaskKind::kBinary) {
      const bool positive = label->positive_value.empty() ? Number(text) == 1 : text == label->positive_value;
      if (positive) label->positives += rows;
    } else if (label->kind == config::TaskKind::kClasses) {
      const auto found = std::find(label->class_values.begin(), label->class_values.end(), text);
      label->class_rows[static_cast<size_t>(found - label->class_values.begin())] = rows;
    } else {
      if (Number(text) == 0) label->zeros += rows;
      sum += Number(text) * static_cast<double>(rows);
    }
  }
  label->mean = label->rows == 0 ? 0 : sum / static_cast<double>(label->rows);
}

// The kind that the values suggest. InvalidInput: texts of too many values.
StatusOr<std::string> SuggestedKind(const InferredColumn& column, const Counts& counts, bool is_number) {
  if (counts.size() == 2 || std::all_of(counts.begin(), counts.end(), IsZeroOrOne)) return std::string("binary");
  if (is_number) return std::string("regression");
  if (counts.size() <= kMostInferredClasses) return std::string("multiclass");
  return InvalidInput(fmt::format(
      "label \"{}\" has {} different texts ({}): too many to be taken for classes unasked. --label {}:multiclass "
      "takes up to {}; in a configuration, label_configs {{ label_name: \"{}\" positive_values: ... }} makes a "
      "binary task of it",
      column.name, FormatCount(static_cast<int64_t>(counts.size())), Quoted(counts), column.name, kMostClasses,
      column.name));
}

StatusOr<InferredLabel> LabelOfKind(const LabelRequest& request, const InferredColumn& column, const Counts& counts,
                                    bool is_number) {
  InferredLabel label{.name = request.name};
  if (request.kind == "binary") return BinaryLabel(std::move(label), column, counts, is_number);
  label.kind = request.kind == "multiclass" ? config::TaskKind::kClasses
               : request.kind == "count"    ? config::TaskKind::kCount
               : request.kind == "amount"   ? config::TaskKind::kAmount
                                            : config::TaskKind::kRegression;
  if (request.kind == "multiclass") return ClassLabel(std::move(label), column, counts, is_number);
  return NumberLabel(std::move(label), request, column, counts, is_number);
}

}  // namespace

StatusOr<InferredLabel> InferLabel(const LabelRequest& request, const InferredColumn& column, const Column& values,
                                   int64_t rows) {
  const Counts counts = CountValues(values, rows);
  if (counts.size() < 2)
    return InvalidInput(fmt::format(
        "label \"{}\" {}: there is nothing to learn", column.name,
        counts.empty() ? "has no value in any row" : fmt::format("is \"{}\" in all rows", counts[0].first)));
  const bool is_number = column.kind == InferredKind::kInteger || column.kind == InferredKind::kNumber;
  LabelRequest known = request;
  if (known.kind.empty()) {
    MG_ASSIGN_OR_RETURN(known.kind, SuggestedKind(column, counts, is_number));
  }
  MG_ASSIGN_OR_RETURN(InferredLabel label, LabelOfKind(known, column, counts, is_number));
  CountOutcomes(counts, &label);
  return label;
}

std::string LabelNote(const InferredLabel& label, int64_t rows) {
  std::string note = config::KindName(label.kind);
  if (label.kind == config::TaskKind::kBinary) {
    note += label.positive_value.empty() ? ", 1 in " : fmt::format(", 1 where it is \"{}\", in ", label.positive_value);
    note += fmt::format("{} of the rows", Percent(label.positives, label.rows));
  } else if (label.kind == config::TaskKind::kClasses) {
    std::vector<std::string> shares;
    for (size_t i = 0; i < label.class_values.size(); ++i)
      shares.push_back(fmt::format("\"{}\" {}", label.class_values[i], Percent(label.class_rows[i], label.rows)));
    note += fmt::format(", {} classes: {}", shares.size(), JoinNames(shares, kMostInferredClasses));
  } else {
    note += fmt::format(", mean {:.4g}, 0 in {} of the rows", label.mean, Percent(label.zeros, label.rows));
  }
  if (label.rows < rows) note += fmt::format("; without a value in {}", Percent(rows - label.rows, rows));
  return note;
}

}  // namespace manygate::cli
