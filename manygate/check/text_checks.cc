// SPDX-License-Identifier: Apache-2.0
// Texts that mean one thing and are written in several ways.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "manygate/base/text.h"
#include "manygate/check/detectors.h"

namespace manygate::check {
namespace {

constexpr size_t kMostSpelled = 1000;

// A category column that features or labels read, once.
struct TextColumn {
  std::string where;
  const Column* train;
  const Column* evaluation;
  bool of_numbers;  // a raw_feature reads it: the texts were to be numbers
};

std::vector<TextColumn> TextColumns(const CheckedRows& rows) {
  std::vector<TextColumn> columns;
  const auto add = [&columns](const auto& column, bool of_numbers) {
    if (column.train->kind != ColumnKind::kCategory) return;
    for (const TextColumn& known : columns)
      if (known.train == column.train) return;
    columns.push_back({column.where, column.train, column.evaluation, of_numbers});
  };
  for (const CheckedColumn& column : rows.features) add(column, ReadsNumbers(column));
  for (const CheckedLabel& label : rows.labels) add(label, false);
  return columns;
}

// The distinct texts of both files.
std::set<std::string> TextsOf(const TextColumn& column) {
  std::set<std::string> texts(column.train->dictionary.begin(), column.train->dictionary.end());
  texts.insert(column.evaluation->dictionary.begin(), column.evaluation->dictionary.end());
  texts.erase("");
  return texts;
}

// Lower case, one blank between words; whole numbers without their ".0".
std::string Plain(const std::string& text) {
  std::string plain;
  for (const char c : ToLower(Trim(text))) {
    const bool blank = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (!blank) plain += c;
    if (blank && plain.back() != ' ') plain += ' ';
  }
  const size_t point = plain.find('.');
  const bool whole = point != std::string::npos && point > 0 && point + 1 < plain.size() &&
                     plain.find_first_not_of("0123456789") == point &&
                     plain.find_first_not_of('0', point + 1) == std::string::npos;
  return whole ? plain.substr(0, point) : plain;
}

}  // namespace

std::vector<Finding> FindStrayBlanks(const CheckedRows& rows) {
  const config::DataConfig& data_config = rows.pipeline().data_config();
  std::vector<std::string> columns;
  bool numbers = false;
  for (const TextColumn& column : TextColumns(rows)) {
    std::set<std::string> found;
    for (const Column* each : {column.train, column.evaluation})
      for (const std::string& text : each->dictionary)
        if (Trim(text).size() < text.size()) found.insert(text);
    const std::vector<std::string> blank(found.begin(), found.end());
    if (blank.empty()) continue;
    columns.push_back(fmt::format("{} ({})", column.train->name, QuotedNames(blank, 2)));
    numbers |= column.of_numbers;
  }
  if (columns.empty()) return {};
  return {{numbers ? Severity::kError : Severity::kWarning,
           rows.loaded->Place(data_config, "trim_blanks") + ": trim_blanks",
           fmt::format("is {}, {} {} of the columns have blanks around values: {}", data_config.trim_blanks(),
                       data_config.trim_blanks() ? "but leaves blanks within quotes, and" : "and", columns.size(),
                       JoinNames(columns, 3)),
           data_config.trim_blanks() ? "Take the blanks out of the data: with and without them a text is two values"
                                     : "Set data_config.trim_blanks to true"}};
}

std::vector<Finding> FindSpellings(const CheckedRows& rows) {
  std::vector<Finding> findings;
  for (const TextColumn& column : TextColumns(rows)) {
    if (column.of_numbers) continue;
    if (std::max(column.train->dictionary.size(), column.evaluation->dictionary.size()) > kMostSpelled + 1) continue;
    const std::set<std::string> texts = TextsOf(column);
    std::map<std::string, std::set<std::string>> spellings;  // plain text -> how it is written, blanks around it aside
    for (const std::string& text : texts)
      if (const std::string plain = Plain(text); !plain.empty()) spellings[plain].insert(std::string(Trim(text)));
    std::vector<std::string> pairs;
    for (const auto& [plain, written] : spellings)
      if (written.size() > 1 && (plain.size() > 1 || std::isdigit(static_cast<unsigned char>(plain[0]))))
        pairs.push_back(fmt::format("\"{}\" and \"{}\"", *written.begin(), *std::next(written.begin())));
    if (pairs.empty()) continue;
    findings.push_back({Severity::kWarning, column.where,
                        fmt::format("has values that differ only by case, blanks or \".0\": {}", JoinNames(pairs, 3)),
                        "Each spelling is a value of its own to the model: write them alike in the data"});
  }
  return findings;
}

}  // namespace manygate::check
