// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/csv_block.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/data/number_text.h"
#include "manygate/data/utf8.h"

namespace manygate {
namespace {

bool IsAscii(const char* data, uint32_t size) {
  uint64_t any = 0;
  uint32_t i = 0;
  for (; i + 8 <= size; i += 8) any |= LoadWord(data + i);
  if (i < size) any |= MakeTextKey(data + i, size - i).words[0];
  return (any & 0x8080808080808080u) == 0;
}

}  // namespace

BlockParser::BlockParser(const ParsePlan& plan)
    : plan_(plan),
      rows_(plan.options),
      batch_rows_(std::clamp<size_t>((48 << 10) / (plan.names.size() * sizeof(Field)), 1, 256)) {
  for (const std::string& text : plan.options.missing_values) {
    float value;
    has_numeric_missing_ |= ParseFloat(text, &value) == NumberParse::kOk;
  }
}

bool BlockParser::IsMissing(std::string_view text) const {
  const std::vector<std::string>& missing = plan_.options.missing_values;
  return std::find(missing.begin(), missing.end(), text) != missing.end();
}

void BlockParser::AddProblem(ParsedBlock* parsed, uint64_t line, int field, std::string text) {
  parsed->problems.push_back({line, field, std::move(text)});
}

void BlockParser::KeepFirstProblems(ParsedBlock* parsed) {
  std::vector<ParsedBlock::Problem>& problems = parsed->problems;
  if (problems.empty()) return;
  std::stable_sort(problems.begin(), problems.end(),
                   [](const auto& a, const auto& b) { return a.line != b.line ? a.line < b.line : a.field < b.field; });
  if (problems.size() > kMaxProblems) problems.resize(kMaxProblems);
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
  capacity_ = text.size() / (2 * plan_.names.size() + 1) / 4 + 64;
  Reserve(parsed);
  rows_.Start(text.data(), text.size(), parsed->block.at_end, parsed->block.has_quote);
  row_lines_.clear();
  for (RowResult result; (result = rows_.Next()) != RowResult::kEnd;) {
    if (result == RowResult::kRow) {
      TakeRow(parsed);
    } else {
      ReportBrokenRow(result, parsed);
      if (result == RowResult::kOpenQuote) break;
      MG_CHECK(result == RowResult::kTextAfterQuote, "{}", static_cast<int>(result));
    }
  }
  StoreRows(parsed);
  parsed->lines = rows_.lines();
  if (rows_.has_nul()) [[unlikely]]
    ReportNul(parsed);
}

void BlockParser::ReportNul(ParsedBlock* parsed) {
  const TextBuffer& text = parsed->block.text;
  const void* nul = memchr(text.data(), '\0', text.size());
  if (nul == nullptr) return;
  const auto lines_before = std::count(text.data(), static_cast<const char*>(nul), '\n');
  // Nothing else that was found in such a file is of use.
  parsed->problems = {{static_cast<uint64_t>(lines_before), -1,
                       "found a NUL byte, expected text; if it is UTF-16, convert it with: iconv -f UTF-16 -t UTF-8"}};
}

void BlockParser::ReportBrokenRow(RowResult result, ParsedBlock* parsed) {
  const int field = rows_.num_fields();
  parsed->has_row = true;
  if (result == RowResult::kTextAfterQuote) {
    AddProblem(
        parsed, rows_.row_line(), field,
        fmt::format("text stands behind the closing quote; a quote inside a quoted value must be doubled ({0}{0})",
                    plan_.options.quote));
  } else {
    AddProblem(
        parsed, rows_.open_quote_line(), field,
        fmt::format("a quote ({}) is opened here and never closed; close it, or set data_config.quote to \"\" if "
                    "quotes are ordinary characters",
                    plan_.options.quote));
  }
}

std::string BlockParser::RaggedRowText() const {
  std::string shown;
  for (int i = 0; i < std::min(rows_.num_fields(), 4); ++i) {
    shown += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", ShownValue(rows_.field(i).view()));
  }
  if (rows_.num_fields() > 4) shown += ", ...";
  const auto expected = static_cast<int>(plan_.names.size());
  std::string hint;
  if (rows_.num_fields() == 1) {
    hint = fmt::format("is the delimiter really \"{}\"?",
                       plan_.options.delimiter == '\t' ? "\\t" : std::string(1, plan_.options.delimiter));
  } else if (rows_.num_fields() > expected) {
    hint = fmt::format("a value that holds the delimiter must stand in quotes ({})",
                       plan_.options.quote == '\0' ? '"' : plan_.options.quote);
  } else {
    hint = "is the row cut off, or a value missing its delimiter?";
  }
  return fmt::format("found {} {}, expected {} ({}); {}", rows_.num_fields(),
                     rows_.num_fields() == 1 ? "field" : "fields", expected, shown, hint);
}

void BlockParser::TakeRow(ParsedBlock* parsed) {
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
    AddProblem(parsed, parsed->trailing_empty_line, -1, kEmptyLineProblem);
    parsed->has_trailing_empty_line = false;
  }
  parsed->has_row = true;
  if (fields != plan_.names.size()) {
    AddProblem(parsed, rows_.row_line(), -1, RaggedRowText());
    return;
  }
  row_lines_.push_back(rows_.row_line());
  rows_.KeepRow();
  if (row_lines_.size() == batch_rows_) StoreRows(parsed);
}

void BlockParser::StoreRows(ParsedBlock* parsed) {
  const size_t needed = static_cast<size_t>(parsed->rows) + row_lines_.size();
  if (needed > capacity_) {
    capacity_ = std::max(needed, capacity_ * 2);
    Reserve(parsed);
  }
  // Without rows (a block of comments) there may be no fields to point at.
  for (size_t i = 0; i < plan_.targets.size() && !row_lines_.empty(); ++i) {
    const ParsePlan::Target& target = plan_.targets[i];
    if (target.kind == ColumnKind::kCategory) {
      StoreCategories(target.field, parsed, &parsed->columns[i]);
    } else {
      StoreNumbers(target.field, parsed, &parsed->columns[i]);
    }
  }
  parsed->rows += static_cast<int64_t>(row_lines_.size());
  row_lines_.clear();
  rows_.DropKept();
  KeepFirstProblems(parsed);
}

void BlockParser::ResolveEscapes(int field_number, ParsedBlock* parsed) {
  Field* field = rows_.kept_fields() + field_number;
  for (size_t row = 0; row < row_lines_.size(); ++row, field += plan_.names.size()) {
    if (!field->has_escape) continue;
    std::string& value = parsed->unescaped.emplace_back(Unescaped(*field, plan_.options.quote));
    const auto size = static_cast<uint32_t>(value.size());
    value.append(kTextPadding, ' ');
    *field = {value.data(), size, true, false};
  }
}

void BlockParser::StoreCategories(int field_number, ParsedBlock* parsed, ParsedBlock::Column* column) {
  if (rows_.has_escapes()) [[unlikely]]
    ResolveEscapes(field_number, parsed);
  const uint32_t known = column->dictionary.size();
  column->dictionary.FindAll(rows_.kept_fields() + field_number, plan_.names.size(), row_lines_.size(),
                             column->codes.data() + parsed->rows);
  if (column->dictionary.size() != known) CheckUtf8(field_number, known, *column, parsed);
}

void BlockParser::CheckUtf8(int field_number, uint32_t first_code, const ParsedBlock::Column& column,
                            ParsedBlock* parsed) {
  const uint32_t* codes = column.codes.data() + parsed->rows;
  for (uint32_t code = first_code; code < column.dictionary.size(); ++code) {
    const std::string_view text = column.dictionary.text(code);
    if (IsAscii(text.data(), static_cast<uint32_t>(text.size())) || IsUtf8(text)) continue;
    const auto row = static_cast<size_t>(std::find(codes, codes + row_lines_.size(), code) - codes);
    AddProblem(parsed, row_lines_[row], field_number,
               "the value is not UTF-8 text; convert the file, for instance with: iconv -f LATIN1 -t UTF-8");
  }
}

void BlockParser::StoreNumbers(int field_number, ParsedBlock* parsed, ParsedBlock::Column* column) {
  const Field* field = rows_.kept_fields() + field_number;
  float* numbers = column->numbers.data() + parsed->rows;
  const size_t rows = row_lines_.size(), stride = plan_.names.size();
  for (size_t row = 0; row < rows; ++row, field += stride) {
    const std::string_view text = field->view();
    numbers[row] = std::numeric_limits<float>::quiet_NaN();
    if (text.empty() || (has_numeric_missing_ && IsMissing(text))) continue;
    const NumberParse result = ParseFloat(text, &numbers[row]);
    if (result != NumberParse::kOk && !IsMissing(text)) [[unlikely]] {
      ReportBadNumber(result, text, row_lines_[row], field_number, parsed);
    }
  }
}

void BlockParser::ReportBadNumber(NumberParse result, std::string_view text, uint64_t line, int field_number,
                                  ParsedBlock* parsed) {
  const char* found = result == NumberParse::kTooLarge
                          ? "which is beyond the largest number (3.4e38); if it means \"missing\", add it to "
                            "data_config.missing_values"
                          : "expected a number; if it means \"missing\", add it to data_config.missing_values; if the "
                            "column holds texts or codes, declare it as an id_feature";
  AddProblem(parsed, line, field_number, fmt::format("found \"{}\", {}", ShownValue(text), found));
}

}  // namespace manygate
