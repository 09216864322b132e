// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/row_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "manygate/data/csv_block.h"
#include "manygate/data/number_text.h"
#include "manygate/data/utf8.h"

namespace manygate {
namespace {

constexpr char kNoText[kTextPadding] = {};
constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

}  // namespace

char* TextArena::Allocate(size_t size) {
  if (size > kChunkBytes / 4) return large_.emplace_back(new char[size + kTextPadding]).get();
  if (num_used_ == 0 || size > kChunkBytes - filled_) {
    if (num_used_ == chunks_.size()) chunks_.emplace_back(new char[kChunkBytes + kTextPadding]());
    ++num_used_;
    filled_ = 0;
  }
  char* const text = chunks_[num_used_ - 1].get() + filled_;
  filled_ += size;
  return text;
}

void TextArena::Clear() {
  large_.clear();
  num_used_ = 0;
  filled_ = kChunkBytes;
}

RowWriter::RowWriter(std::span<const ColumnRequest> requests, std::span<const std::string> missing_values)
    : requests_(requests),
      missing_values_(missing_values),
      batch_rows_(std::clamp<size_t>((48 << 10) / (requests.size() * sizeof(Field) + 1), 1, 256)),
      cells_(requests.size()) {
  for (const std::string& text : missing_values) {
    float value;
    has_numeric_missing_ |= ParseFloat(text, &value) == NumberParse::kOk;
  }
}

void RowWriter::Start(ParsedRows* parsed) {
  parsed_ = parsed;
  parsed->rows = 0;
  parsed->arena.Clear();
  parsed->problems.clear();
  parsed->columns.resize(requests_.size());
  for (RowBlock::Column& column : parsed->columns) {
    column.dictionary.Clear();
    column.codes.clear();
    column.numbers.clear();
  }
}

bool RowWriter::IsMissing(std::string_view text) const {
  return std::find(missing_values_.begin(), missing_values_.end(), text) != missing_values_.end();
}

void RowWriter::AddValue(size_t column, const Value& value) {
  Cell& cell = cells_[column];
  const auto index = static_cast<uint32_t>(values_.size());
  values_.push_back(value);
  if (cell.count++ == 0) {
    cell.first = index;
    with_value_.push_back(static_cast<uint32_t>(column));
  } else {
    values_[cell.last].next = index;
  }
  cell.last = index;
}

void RowWriter::AddText(size_t column, std::string_view text, uint32_t position) {
  AddValue(column, {.text = text, .number = 0, .position = position, .next = 0});
}

void RowWriter::AddInteger(size_t column, int64_t value) {
  if (requests_[column].kind == ColumnKind::kNumber && !has_numeric_missing_) {
    AddValue(column, {.text = {}, .number = static_cast<float>(value), .position = 0, .next = 0});
    return;
  }
  const fmt::format_int digits(value);
  char* const text = parsed_->arena.Allocate(digits.size());
  memcpy(text, digits.data(), digits.size());
  AddText(column, {text, digits.size()});
}

void RowWriter::AddFloat(size_t column, float value) {
  if (requests_[column].kind == ColumnKind::kNumber && !has_numeric_missing_) {
    AddValue(column, {.text = {}, .number = value, .position = 0, .next = 0});
    return;
  }
  const std::string digits = NumberText(value);  // within the string itself: no allocation
  char* const text = parsed_->arena.Allocate(digits.size());
  memcpy(text, digits.data(), digits.size());
  AddText(column, {text, digits.size()});
}

void RowWriter::ClearCell(size_t column) {
  if (cells_[column].count == 0) return;
  cells_[column].count = 0;
  std::erase(with_value_, static_cast<uint32_t>(column));
}

void RowWriter::DropRow() {
  for (const uint32_t column : with_value_) cells_[column].count = 0;
  with_value_.clear();
  values_.clear();
}

void RowWriter::EndRow(uint64_t place) {
  const size_t end = fields_.size() + requests_.size();
  fields_.resize(end, Field{kNoText, 0, false, false});
  numbers_.resize(end, kMissing);
  positions_.resize(end);
  places_.push_back(place);
  for (const uint32_t column : with_value_) EndCell(column);
  DropRow();
  if (places_.size() == batch_rows_) Store();
}

void RowWriter::EndCell(size_t column) {
  const Cell& cell = cells_[column];
  const size_t at = fields_.size() - requests_.size() + column;
  positions_[at] = values_[cell.first].position;
  if (requests_[column].kind == ColumnKind::kNumber) {
    EndNumber(column, cell);
  } else if (cell.count > 1) {
    fields_[at] = Joined(cell);
  } else if (const std::string_view text = values_[cell.first].text; !text.empty()) {
    fields_[at] = {text.data(), static_cast<uint32_t>(text.size()), false, false};
  }
}

Field RowWriter::Joined(const Cell& cell) {
  size_t size = cell.count - 1;
  uint32_t index = cell.first;
  for (uint32_t i = 0; i < cell.count; ++i, index = values_[index].next) size += values_[index].text.size();
  char* const text = parsed_->arena.Allocate(size);
  char* to = text;
  index = cell.first;
  for (uint32_t i = 0; i < cell.count; ++i, index = values_[index].next) {
    if (i > 0) *to++ = kValueSeparator;
    const std::string_view piece = values_[index].text;
    to = std::copy(piece.begin(), piece.end(), to);
  }
  return {text, static_cast<uint32_t>(size), false, false};
}

void RowWriter::EndNumber(size_t column, const Cell& cell) {
  const Value& value = values_[cell.first];
  float* const number = &numbers_[numbers_.size() - requests_.size() + column];
  const auto refuse = [&](std::string text) { AddProblem(column, places_.back(), value.position, std::move(text)); };
  if (cell.count > 1) {
    refuse(fmt::format("found {} values, expected one number; declare the column as an id_feature", cell.count));
    return;
  }
  NumberParse result = NumberParse::kOk;
  if (value.text.data() == nullptr) {
    if (!std::isinf(value.number)) *number = value.number;
    if (std::isinf(value.number)) refuse(fmt::format("found {}, expected a finite number", NumberText(value.number)));
    return;
  }
  if (value.text.empty() || (has_numeric_missing_ && IsMissing(value.text))) return;
  result = ParseFloat(value.text, number);
  if (result == NumberParse::kOk) return;
  *number = kMissing;
  if (IsMissing(value.text)) return;
  if (result == NumberParse::kTooLarge) {
    refuse(
        fmt::format("found \"{}\", which is beyond the largest number (3.4e38); if it means \"missing\", add it to "
                    "data_config.missing_values",
                    ShownValue(value.text)));
  } else {
    refuse(
        fmt::format("found \"{}\", expected a number; if it means \"missing\", add it to data_config.missing_values; "
                    "if the column holds texts or codes, declare it as an id_feature",
                    ShownValue(value.text)));
  }
}

void RowWriter::AddProblem(size_t column, uint64_t place, uint32_t position, std::string text) {
  parsed_->problems.push_back({place, position, static_cast<int>(column), std::move(text)});
}

void RowWriter::AddRowProblem(uint64_t place, uint32_t position, std::string text) {
  parsed_->problems.push_back({place, position, -1, std::move(text)});
}

void RowWriter::Store() {
  const size_t rows = places_.size(), columns = requests_.size(), before = static_cast<size_t>(parsed_->rows);
  for (size_t i = 0; i < columns && rows > 0; ++i) {
    RowBlock::Column& column = parsed_->columns[i];
    if (requests_[i].kind == ColumnKind::kNumber) {
      column.numbers.resize(before + rows);
      for (size_t row = 0; row < rows; ++row) column.numbers[before + row] = numbers_[row * columns + i];
    } else {
      column.codes.resize(before + rows);
      const uint32_t known = column.dictionary.size();
      column.dictionary.FindAll(fields_.data() + i, columns, rows, column.codes.data() + before);
      if (column.dictionary.size() != known) CheckUtf8(i, known);
    }
  }
  parsed_->rows += static_cast<int64_t>(rows);
  places_.clear();
  fields_.clear();
  numbers_.clear();
  positions_.clear();
  std::vector<RowProblem>& problems = parsed_->problems;
  std::stable_sort(problems.begin(), problems.end(), [](const RowProblem& a, const RowProblem& b) {
    return a.place != b.place ? a.place < b.place : a.position < b.position;
  });
  if (problems.size() > kMaxProblems) problems.resize(kMaxProblems);
}

void RowWriter::CheckUtf8(size_t column, uint32_t first_code) {
  const RowBlock::Column& stored = parsed_->columns[column];
  const uint32_t* codes = stored.codes.data() + parsed_->rows;
  for (uint32_t code = first_code; code < stored.dictionary.size(); ++code) {
    if (IsUtf8(stored.dictionary.text(code))) continue;
    const auto row = static_cast<size_t>(std::find(codes, codes + places_.size(), code) - codes);
    AddProblem(column, places_[row], positions_[row * requests_.size() + column],
               "the value is not UTF-8 text, which is all that a column can hold");
  }
}

void RowWriter::Finish() { Store(); }

}  // namespace manygate
