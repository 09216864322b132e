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
#include "manygate/cli/infer_config.h"

namespace manygate::cli {
namespace {

constexpr std::array kKinds = {"binary", "multiclass", "regression", "count", "amount"};

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

// Of the numbers that the texts are, over the rows that have one.
double Variance(std::span<const std::pair<std::string, int64_t>> values) {
  double rows = 0, mean = 0, squares = 0;  // West's update for weighted values
  for (const auto& [text, count] : values) {
    const double difference = std::strtod(text.c_str(), nullptr) - mean, weight = static_cast<double>(count);
    rows += weight;
    mean += difference * weight / rows;
    squares += weight * difference * (std::strtod(text.c_str(), nullptr) - mean);
  }
  return squares / rows;
}

const std::string& Greater(const std::string& a, const std::string& b) {
  return std::strtod(a.c_str(), nullptr) > std::strtod(b.c_str(), nullptr) ? a : b;
}

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

Status NotSupported(const LabelRequest& request) {
  const std::string instead = request.kind == "multiclass"
                                  ? "Make one 0/1 column per class, or name two classes of it by a configuration"
                                  : fmt::format("Use --label {}:regression", request.name);
  return InvalidInput(fmt::format("--label {}:{}: {} tasks are not supported yet, only binary and regression. {}",
                                  request.name, request.kind, request.kind, instead));
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

StatusOr<InferredLabel> InferLabel(const LabelRequest& request, const InferredColumn& column, const Column& values,
                                   int64_t rows) {
  if (!request.kind.empty() && request.kind != "binary" && request.kind != "regression") return NotSupported(request);
  const auto counts = CountValues(values, rows);
  if (counts.size() < 2)
    return InvalidInput(fmt::format(
        "label \"{}\" {}: there is nothing to learn", column.name,
        counts.empty() ? "has no value in any row" : fmt::format("is \"{}\" in all rows", counts[0].first)));
  const bool is_number = column.kind == InferredKind::kInteger || column.kind == InferredKind::kNumber;
  // 0, 1, 0.0 and 1.0 are two values however many texts they are.
  const bool zero_one = std::all_of(counts.begin(), counts.end(), IsZeroOrOne);
  InferredLabel label{.name = request.name, .binary = request.kind == "binary"};
  if (request.kind.empty()) label.binary = counts.size() == 2 || zero_one;
  if (label.binary) {
    if (zero_one) return label;
    if (counts.size() != 2) return NoTwoValues(column, counts);
    label.positive_value = is_number ? Greater(counts[0].first, counts[1].first) : ChoosePositive(counts);
    return label;
  }
  if (is_number) {
    label.variance = Variance(counts);
    return label;
  }
  if (request.kind == "regression")
    return InvalidInput(fmt::format("--label {}:regression: the column holds texts ({}), a regression needs numbers",
                                    request.name, Quoted(counts)));
  return InvalidInput(fmt::format(
      "label \"{}\" has {} different texts ({}), and multiclass tasks are not supported yet, only binary and "
      "regression. "
      "In a configuration, label_configs {{ label_name: \"{}\" positive_values: ... }} makes a binary task of it",
      column.name, FormatCount(static_cast<int64_t>(counts.size())), Quoted(counts), column.name));
}

}  // namespace manygate::cli
