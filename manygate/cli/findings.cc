// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/check/outcome.h"
#include "manygate/cli/printing.h"
#include "manygate/config/accessors.h"
#include "manygate/data/format.h"
#include "manygate/data/paths.h"
#include "manygate/data/source.h"

namespace manygate::cli {
namespace {

constexpr int64_t kMinRowsOfRowNumbers = 100;  // fewer rows: numbers that all differ may well be measurements
constexpr size_t kMostShownFields = 60;
constexpr size_t kMaxColumnNames = 100000;
constexpr size_t kMaxRangeDigits = 9;

bool IsNumber(const InferredColumn& column) {
  return column.kind == InferredKind::kInteger || column.kind == InferredKind::kNumber;
}

// Whole numbers that differ in every row and fill a range without many holes: a count of rows, not a measurement.
bool IsRowNumber(const InferredColumn& column, int64_t rows) {
  if (column.kind != InferredKind::kInteger || column.missing > 0 || rows < kMinRowsOfRowNumbers) return false;
  const double range = column.maximum - column.minimum + 1;
  if (std::abs(range - static_cast<double>(rows)) > 0.01 * static_cast<double>(rows)) return false;
  return column.distinct_capped || column.distinct == rows;
}

// Numbers from 0 on under a name that can mean nothing but how many people or rows one row stands for. A plain "weight"
// may be that of a body or a parcel.
bool IsRowWeight(const InferredColumn& column) {
  static constexpr std::array kNames = {"fnlwgt",        "instanceweight", "sampleweight",      "samplingweight",
                                        "surveyweight",  "rowweight",      "caseweight",        "finalweight",
                                        "exampleweight", "personweight",   "observationweight", "replicateweight"};
  if (!IsNumber(column) || column.minimum < 0) return false;
  std::string letters = ToLower(column.name);
  std::erase_if(letters, [](char c) { return c < 'a' || c > 'z'; });
  return std::find(kNames.begin(), kNames.end(), letters) != kNames.end();
}

bool IsCsv(const Findings& findings) { return findings.options.dataset_type == config::CsvDataset; }

bool IsFieldList(const Findings& findings) { return findings.options.dataset_type == config::FieldListDataset; }

bool IsLabel(const Findings& findings, const std::string& column) {
  return std::any_of(findings.labels.begin(), findings.labels.end(),
                     [&](const InferredLabel& label) { return label.name == column; });
}

// A column that may hold what is known only after the outcome: mostly empty or zero.
bool MayGiveAway(const InferredColumn& column) {
  if (column.suggestion == FeatureSuggestion::kSkip) return false;
  return column.missing > 0 || (IsNumber(column) && column.minimum == 0);
}

std::vector<bool> PositiveCodes(const InferredLabel& label, const Column& values) {
  std::vector<bool> positive(values.dictionary.size(), false);
  for (size_t code = 1; code < positive.size(); ++code) {
    const std::string& text = values.dictionary[code];
    positive[code] =
        label.positive_value.empty() ? std::strtod(text.c_str(), nullptr) == 1 : text == label.positive_value;
  }
  return positive;
}

// Why the column is no feature; "" when it is one.
std::string ReasonAgainst(const InferredColumn& column, const Findings& findings, const Table& table) {
  if (column.suggestion == FeatureSuggestion::kSkip) return column.reason;
  if (IsRowNumber(column, findings.schema.rows)) return "a number of its own in every row";
  if (IsRowWeight(column))
    return "by its name it says how much a row counts; data_config.sample_weight_fields makes rows count so";
  if (!MayGiveAway(column)) return "";
  for (const InferredLabel& label : findings.labels) {
    if (label.kind != config::TaskKind::kBinary) continue;
    const Column& values = table.columns[table.Find(label.name)];
    const std::vector<bool> positive = PositiveCodes(label, values);
    const auto value = [&](int64_t row) -> float {
      const uint32_t code = values.Code(row);
      return code == 0 ? std::numeric_limits<float>::quiet_NaN() : positive[code] ? 1.0f : 0.0f;
    };
    if (check::TellsOutcome(table.columns[table.Find(column.name)], table.rows, value))
      return fmt::format("where it is filled in, {} is always 1: it would give the label away", label.name);
  }
  return "";
}

// Whether the first row, taken for values, holds a name that the user calls a column: then it is the line of names.
bool FirstRowNamesLabel(const InferredSchema& schema, std::span<const std::string> labels) {
  return std::any_of(labels.begin(), labels.end(), [&](const std::string& label) {
    const std::string name = label.substr(0, label.rfind(':'));
    return std::any_of(schema.columns.begin(), schema.columns.end(), [&](const InferredColumn& column) {
      return !column.examples.empty() && (column.examples[0] == label || column.examples[0] == name);
    });
  });
}

bool IsIn(const std::string& name, std::span<const std::string> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& other) { return ToLower(name) == ToLower(other); });
}

// The names that the user gives, held against the first line.
Status NameColumns(const std::string& file, std::span<const std::string> names, Findings* findings) {
  if (!IsCsv(*findings) && !IsFieldList(*findings))
    return InvalidInput(fmt::format("{}: --columns is for text without a line of names; columns of {} have names", file,
                                    FormatName(findings->options.dataset_type)));
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> fields, FirstLine(file, findings->options));
  const std::string shown = JoinNames(fields, kMostShownFields);
  if (fields.size() != names.size())
    return InvalidInput(fmt::format("--columns gives {} names, but the first line of {} has {} {}: {}", names.size(),
                                    file, fields.size(), IsFieldList(*findings) ? "values before its fields" : "fields",
                                    shown));
  const auto known = std::count_if(fields.begin(), fields.end(), [&](const auto& field) { return IsIn(field, names); });
  if (known > 0 && (findings->options.with_header || static_cast<size_t>(known) == fields.size()))
    return InvalidInput(
        fmt::format("{}: --columns is for a file without a line of names; the first line names the columns already: {}",
                    file, shown));
  // Only a guess: a row may look like names. The user's word counts.
  if (findings->options.with_header)
    findings->doubts.push_back(
        fmt::format("the first line of {} looks like names ({}), but is read as a row; if it names the columns, leave "
                    "--columns out",
                    file, JoinNames(fields, 8)));
  findings->options.with_header = false;
  findings->options.names.assign(names.begin(), names.end());
  return OkStatus();
}

// A label that a file without names cannot have: what the first line holds and how to name the columns.
Status CheckNamesKnown(const std::string& file, const DataRequest& request, const Findings& findings) {
  if (findings.options.with_header || !request.names.empty() || !(IsCsv(findings) || IsFieldList(findings)))
    return OkStatus();
  const auto is_column = [&](const std::string& name) {
    return std::any_of(findings.schema.columns.begin(), findings.schema.columns.end(),
                       [&](const InferredColumn& column) { return column.name == name; });
  };
  for (const std::string& label : request.labels) {
    const std::string name = label.substr(0, label.rfind(':'));
    if (name.empty() || is_column(label) || is_column(name)) continue;
    MG_ASSIGN_OR_RETURN(const std::vector<std::string> fields, FirstLine(file, findings.options));
    if (IsFieldList(findings) && !fields.empty()) {
      return InvalidInput(fmt::format(
          "--label {}: \"{}\" is not a column of the data. {} holds {}, and its first row has {} before them: {}. Give "
          "their names in order: --columns a,b,c,...; without them they are called column_0 to column_{}",
          label, name, file, FormatName(config::FieldListDataset),
          fields.size() == 1 ? "one value" : fmt::format("{} values", fields.size()),
          JoinNames(fields, kMostShownFields), fields.size() - 1));
    }
    if (!IsCsv(findings)) continue;
    return InvalidInput(fmt::format(
        "--label {}: \"{}\" is not a column of the data. The first line of {} looks like a row, not like names: {}. "
        "Give the names of its {} columns in order: --columns a,b,c,...; without them they are called column_0 to "
        "column_{}",
        label, name, file, JoinNames(fields, kMostShownFields), fields.size(), fields.size() - 1));
  }
  return OkStatus();
}

// "f1..f499" -> f1, f2, ..., f499; "f01..f12" -> f01, f02, ...; any other name: itself.
StatusOr<std::vector<std::string>> ExpandRange(const std::string& name) {
  const size_t dots = name.find("..");
  if (dots == std::string::npos) return std::vector<std::string>{name};
  const auto refuse = [&](const std::string& why) {
    return InvalidInput(fmt::format("--columns: \"{}\" is no range of names such as f1..f499: {}", name, why));
  };
  const std::string first(Trim(name.substr(0, dots))), last(Trim(name.substr(dots + 2)));
  const auto prefix_size = [](const std::string& text) { return text.find_last_not_of("0123456789") + 1; };
  const std::string prefix = first.substr(0, prefix_size(first));
  const std::string_view from = std::string_view(first).substr(prefix.size());
  if (from.empty() || prefix_size(last) == last.size()) return refuse("both names must end in a number");
  if (last.substr(0, prefix_size(last)) != prefix) return refuse("both names must begin alike");
  const std::string_view to = std::string_view(last).substr(prefix.size());
  if (from.size() > kMaxRangeDigits || to.size() > kMaxRangeDigits)
    return refuse(fmt::format("its numbers have at most {} digits", kMaxRangeDigits));
  const bool padded = from[0] == '0' && from.size() > 1;
  if (padded && from.size() != to.size()) return refuse("numbers with leading zeros must have as many digits");
  const int64_t begin = std::strtoll(from.data(), nullptr, 10), end = std::strtoll(to.data(), nullptr, 10);
  if (begin > end) return refuse("the first number must not be above the last");
  if (end - begin >= static_cast<int64_t>(kMaxColumnNames))
    return refuse(fmt::format("it has {} names, at most {} are taken", FormatCount(end - begin + 1),
                              FormatCount(kMaxColumnNames)));
  std::vector<std::string> names;
  for (int64_t number = begin; number <= end; ++number)
    names.push_back(padded ? fmt::format("{}{:0{}}", prefix, number, from.size())
                           : fmt::format("{}{}", prefix, number));
  return names;
}

std::string DelimiterName(char delimiter) { return delimiter == '\t' ? "tab" : std::string(1, delimiter); }

}  // namespace

StatusOr<Findings> LookAtData(const DataRequest& request, ThreadPool& pool) {
  Findings findings;
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandSources(request.paths));
  MG_ASSIGN_OR_RETURN(findings.options, DetectDialect(files[0], DataOptions()));
  if (!request.names.empty()) MG_RETURN_IF_ERROR(NameColumns(files[0], request.names, &findings));
  MG_ASSIGN_OR_RETURN(findings.schema, InferColumns(files, findings.options, pool));
  if (IsCsv(findings) && request.names.empty() && !findings.options.with_header &&
      FirstRowNamesLabel(findings.schema, request.labels)) {
    findings.options.with_header = true;
    findings.options.names.clear();
    MG_ASSIGN_OR_RETURN(findings.schema, InferColumns(files, findings.options, pool));
  }
  MG_RETURN_IF_ERROR(CheckNamesKnown(files[0], request, findings));
  MG_ASSIGN_OR_RETURN(const std::vector<LabelRequest> labels, ParseLabels(request.labels, findings.schema));
  std::vector<ColumnRequest> wanted;
  for (const LabelRequest& label : labels) wanted.push_back({label.name, ColumnKind::kCategory});
  for (const InferredColumn& column : findings.schema.columns) {
    const ColumnRequest category{column.name, ColumnKind::kCategory};
    if (MayGiveAway(column) && std::find(wanted.begin(), wanted.end(), category) == wanted.end())
      wanted.push_back(category);
  }
  MG_ASSIGN_OR_RETURN(const Table table, ReadTableFiles(files, findings.options, wanted, pool, "", nullptr));
  for (const LabelRequest& label : labels) {
    const auto column = std::find_if(findings.schema.columns.begin(), findings.schema.columns.end(),
                                     [&](const InferredColumn& c) { return c.name == label.name; });
    MG_ASSIGN_OR_RETURN(InferredLabel inferred,
                        InferLabel(label, *column, table.columns[table.Find(label.name)], table.rows));
    findings.labels.push_back(std::move(inferred));
  }
  for (const InferredColumn& column : findings.schema.columns) {
    if (IsLabel(findings, column.name)) continue;
    std::string reason = ReasonAgainst(column, findings, table);
    if (!reason.empty()) findings.left_out[column.name] = std::move(reason);
  }
  return findings;
}

StatusOr<std::vector<std::string>> ParseColumnNames(const std::string& text) {
  std::vector<std::string> names;
  std::unordered_map<std::string, size_t> places;
  for (const std::string& piece : Split(text, ',')) {
    const std::string name(Trim(piece));
    if (name.empty()) return InvalidInput(fmt::format("--columns: name {} is empty", names.size() + 1));
    MG_ASSIGN_OR_RETURN(const std::vector<std::string> range, ExpandRange(name));
    if (names.size() + range.size() > kMaxColumnNames)
      return InvalidInput(fmt::format("--columns: more than {} names", FormatCount(kMaxColumnNames)));
    for (const std::string& one : range) {
      names.push_back(one);
      const auto [first, is_new] = places.emplace(one, names.size());
      if (!is_new)
        return InvalidInput(
            fmt::format("--columns: \"{}\" is there twice, as name {} and name {}", one, first->second, names.size()));
    }
  }
  return names;
}

bool IsFeature(const Findings& findings, const std::string& column) {
  return !IsLabel(findings, column) && !findings.left_out.contains(column);
}

bool IsId(const InferredColumn& column, int64_t rows) {
  constexpr int64_t kFewValues = 32, kRowsPerValue = 100;
  if (column.suggestion == FeatureSuggestion::kId) return true;
  return column.kind == InferredKind::kInteger && column.distinct >= 3 && column.distinct <= kFewValues &&
         rows >= kRowsPerValue * column.distinct;
}

std::string ColumnNote(const InferredColumn& column, int64_t rows) {
  const std::string distinct = FormatCount(column.distinct) + (column.distinct_capped ? " or more" : "");
  std::string note;
  if (column.suggestion == FeatureSuggestion::kNumber && IsId(column, rows)) {
    note = fmt::format("whole numbers of only {} values: an id", distinct);
  } else {
    note = fmt::format("{}, {} different values", column.reason, distinct);
  }
  if (IsNumber(column)) note += fmt::format(", {:g} to {:g}", column.minimum, column.maximum);
  if (column.missing > 0) note += fmt::format(", {} missing", Percent(column.missing, rows));
  return note;
}

std::string DataNote(const Findings& findings) {
  if (!IsCsv(findings)) {
    const std::string separated =
        IsFieldList(findings) ? fmt::format(" separated by \"{}\"", DelimiterName(findings.options.delimiter)) : "";
    return fmt::format("{} rows, {} columns of {}{}", FormatCount(findings.schema.rows), findings.schema.columns.size(),
                       FormatName(findings.options.dataset_type), separated);
  }
  return fmt::format("{} rows, {} columns separated by \"{}\", {}", FormatCount(findings.schema.rows),
                     findings.schema.columns.size(), DelimiterName(findings.options.delimiter),
                     findings.options.with_header ? "named by the first line" : "without a line of names");
}

std::vector<std::string> DescribeFindings(const Findings& findings, const std::string& paths) {
  std::vector<std::string> ids, numbers, notes;
  for (const InferredColumn& column : findings.schema.columns) {
    if (!IsFeature(findings, column.name)) continue;
    (IsId(column, findings.schema.rows) ? ids : numbers).push_back(column.name);
  }
  notes.push_back(fmt::format("{}: {}", paths, DataNote(findings)));
  if (IsCsv(findings) && !findings.options.with_header && findings.options.names.empty())
    notes.push_back(fmt::format("the columns are called column_0 to column_{}; --columns a,b,c,... names them",
                                findings.schema.columns.size() - 1));
  for (const std::string& doubt : findings.doubts) notes.push_back(doubt);
  for (const InferredLabel& label : findings.labels) {
    std::string rule = config::KindName(label.kind);
    if (!label.positive_value.empty()) rule += fmt::format(", 1 where it is \"{}\"", label.positive_value);
    if (!label.class_values.empty())
      rule += fmt::format(", {} classes: {}", label.class_values.size(), JoinNames(label.class_values, 8));
    if (label.kind == config::TaskKind::kRegression) rule += ", standardised";
    notes.push_back(fmt::format("label {}: {}", label.name, rule));
  }
  if (!ids.empty()) notes.push_back(fmt::format("{} id columns: {}", ids.size(), JoinNames(ids)));
  if (!numbers.empty()) notes.push_back(fmt::format("{} number columns: {}", numbers.size(), JoinNames(numbers)));
  for (const auto& [column, reason] : findings.left_out)
    notes.push_back(fmt::format("{} left out: {}", column, reason));
  return notes;
}

SourceOptions DataOptions() {
  SourceOptions options;
  options.missing_values = {"?", "NA", "N/A", "NaN", "nan", "NULL", "null"};
  return options;
}

}  // namespace manygate::cli
