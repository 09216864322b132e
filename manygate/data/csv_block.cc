// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/csv_block.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "manygate/data/csv_number.h"
#include "manygate/data/utf8.h"

namespace manygate {
namespace {

// A value as it can stand in a message: cut, on one line.
std::string Shown(std::string_view text) {
  std::string shown;
  for (const char c : text.substr(0, 40)) shown += (static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
  // A cut inside a character would make the message itself ill-formed.
  while (!shown.empty() && !IsUtf8(shown) && text.size() > 40) shown.pop_back();
  if (!IsUtf8(shown)) shown = "bytes that are not UTF-8";
  return text.size() > 40 ? shown + "..." : shown;
}

bool IsAscii(const char* data, uint32_t size) {
  uint64_t any = 0;
  uint32_t i = 0;
  for (; i + 8 <= size; i += 8) any |= LoadWord(data + i);
  if (i < size) any |= MakeTextKey(data + i, size - i).head;
  return (any & 0x8080808080808080u) == 0;
}

}  // namespace

BlockParser::BlockParser(const ParsePlan& plan) : plan_(plan), rows_(plan.options) {
  for (const std::string& text : plan.options.missing_values) {
    float value;
    has_numeric_missing_ |= ParseFloat(text, &value) == NumberParse::kOk;
  }
}

void BlockParser::AddProblem(ParsedBlock* parsed, uint64_t line, int field, std::string text) {
  if (parsed->problems.size() < kMaxProblems) parsed->problems.push_back({line, field, std::move(text)});
}

void BlockParser::Reserve(ParsedBlock* parsed) {
  for (size_t i = 0; i < plan_.targets.size(); ++i) {
    ParsedBlock::Column& column = parsed->columns[i];
    if (plan_.targets[i].kind == ColumnKind::kCategory) {
      column.codes.resize(capacity_);
    } else {
      column.numbers.resize(capacity_);
    }
  }
}

void BlockParser::Parse(ParsedBlock* parsed) {
  const TextBuffer& text = parsed->block.text;
  parsed->rows = 0;
  parsed->lines = 0;
  parsed->problems.clear();
  parsed->unescaped.clear();
  parsed->has_row = false;
  parsed->has_trailing_empty_line = false;
  parsed->columns.resize(plan_.targets.size());
  for (ParsedBlock::Column& column : parsed->columns) column.dictionary.Clear();
  if (parsed->block.row_too_long) {
    AddProblem(parsed, 0, -1, "the row is over 64 MiB; is a quote opened in it that is never closed?");
    return;
  }
  if (const void* zero = memchr(text.data(), '\0', text.size())) {
    const auto lines_before = std::count(text.data(), static_cast<const char*>(zero), '\n');
    AddProblem(parsed, static_cast<uint64_t>(lines_before), -1,
               "found a NUL byte, expected text; for UTF-16 text run: iconv -f UTF-16 -t UTF-8");
    return;
  }
  capacity_ = text.size() / (2 * plan_.names.size() + 1) / 4 + 64;
  Reserve(parsed);
  rows_.Start(text.data(), text.size(), parsed->block.at_end);
  for (RowResult result; (result = rows_.Next()) != RowResult::kEnd;) {
    if (result == RowResult::kRow) {
      ParseRow(parsed);
    } else {
      ReportBrokenRow(result, parsed);
      if (result == RowResult::kOpenQuote || result == RowResult::kIncomplete) break;
    }
  }
  parsed->lines = rows_.lines();
}

void BlockParser::ReportBrokenRow(RowResult result, ParsedBlock* parsed) {
  const int field = rows_.num_fields();
  parsed->has_row = true;
  if (result == RowResult::kTextAfterQuote) {
    AddProblem(parsed, rows_.row_line(), field,
               fmt::format("text stands behind the closing quote; a quote inside a quoted value must be doubled ({0}{0})",
                           plan_.options.quote));
  } else {
    AddProblem(parsed, rows_.open_quote_line(), field,
               fmt::format("a quote ({}) is opened here and never closed; close it, or set data_config.quote to \"\" if "
                           "quotes are ordinary characters", plan_.options.quote));
  }
}

std::string BlockParser::RaggedRowText() const {
  std::string shown;
  for (int i = 0; i < std::min(rows_.num_fields(), 4); ++i) {
    shown += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", Shown(rows_.field(i).view()));
  }
  if (rows_.num_fields() > 4) shown += ", ...";
  const auto expected = static_cast<int>(plan_.names.size());
  std::string hint;
  if (rows_.num_fields() == 1) {
    hint = fmt::format("is the delimiter really \"{}\"?", plan_.options.delimiter == '\t' ? "\\t"
                                                          : std::string(1, plan_.options.delimiter));
  } else if (rows_.num_fields() > expected) {
    hint = fmt::format("a value that holds the delimiter must stand in quotes ({})",
                       plan_.options.quote == '\0' ? '"' : plan_.options.quote);
  } else {
    hint = "is the row cut off, or a value missing its delimiter?";
  }
  return fmt::format("found {} {}, expected {} ({}); {}", rows_.num_fields(), rows_.num_fields() == 1 ? "field" : "fields",
                     expected, shown, hint);
}

void BlockParser::ParseRow(ParsedBlock* parsed) {
  const size_t fields = static_cast<size_t>(rows_.num_fields());
  if (fields != plan_.names.size() || fields == 1) [[unlikely]] {
    const Field& first = rows_.field(0);
    if (fields == 1 && first.size == 0 && !first.quoted) {
      if (!parsed->has_trailing_empty_line) parsed->trailing_empty_line = rows_.row_line();
      parsed->has_trailing_empty_line = true;
      return;
    }
  }
  if (parsed->has_trailing_empty_line) {
    AddProblem(parsed, parsed->trailing_empty_line, -1, "an empty line between rows; remove it");
    parsed->has_trailing_empty_line = false;
  }
  parsed->has_row = true;
  if (fields != plan_.names.size()) {
    AddProblem(parsed, rows_.row_line(), -1, RaggedRowText());
    return;
  }
  const auto row = static_cast<size_t>(parsed->rows);
  if (row == capacity_) {
    capacity_ *= 2;
    Reserve(parsed);
  }
  const size_t num_targets = plan_.targets.size();
  for (size_t i = 0; i < num_targets; ++i) {
    const ParsePlan::Target& target = plan_.targets[i];
    if (target.kind == ColumnKind::kCategory) {
      StoreCategory(rows_.field(target.field), target.field, parsed, &parsed->columns[i]);
    } else {
      StoreNumber(rows_.field(target.field), target.field, parsed, &parsed->columns[i]);
    }
  }
  ++parsed->rows;
}

inline void BlockParser::StoreCategory(const Field& field, int field_number, ParsedBlock* parsed,
                                       ParsedBlock::Column* column) {
  const char* data = field.data;
  uint32_t size = field.size;
  if (field.has_escape) [[unlikely]] {
    std::string& value = parsed->unescaped.emplace_back(Unescaped(field, plan_.options.quote));
    size = static_cast<uint32_t>(value.size());
    value.append(kTextPadding, '\0');
    data = value.data();
  }
  const uint32_t known = column->dictionary.size();
  const uint32_t code = column->dictionary.Find(data, size);
  column->codes[static_cast<size_t>(parsed->rows)] = code;
  if (code == known && !IsAscii(data, size) && !IsUtf8({data, size})) [[unlikely]] {
    AddProblem(parsed, rows_.row_line(), field_number,
               "the value is not UTF-8 text; convert the file, for instance with: iconv -f LATIN1 -t UTF-8");
  }
}

inline void BlockParser::StoreNumber(const Field& field, int field_number, ParsedBlock* parsed,
                                     ParsedBlock::Column* column) {
  float& value = column->numbers[static_cast<size_t>(parsed->rows)];
  value = std::numeric_limits<float>::quiet_NaN();
  if (field.size == 0) return;
  const std::vector<std::string>& missing = plan_.options.missing_values;
  if (has_numeric_missing_ && std::find(missing.begin(), missing.end(), field.view()) != missing.end()) return;
  float parsed_value;
  const NumberParse result = ParseFloat(field.view(), &parsed_value);
  if (result == NumberParse::kOk) [[likely]] {
    value = parsed_value;
    return;
  }
  if (std::find(missing.begin(), missing.end(), field.view()) != missing.end()) return;
  if (result == NumberParse::kTooLarge) {
    AddProblem(parsed, rows_.row_line(), field_number,
               fmt::format("found \"{}\", which is beyond the largest number (3.4e38); if it means \"missing\", add it to "
                           "data_config.missing_values", Shown(field.view())));
  } else {
    AddProblem(parsed, rows_.row_line(), field_number,
               fmt::format("found \"{}\", expected a number; if it means \"missing\", add it to "
                           "data_config.missing_values; if the column holds texts or codes, declare it as an id_feature",
                           Shown(field.view())));
  }
}

}  // namespace manygate
