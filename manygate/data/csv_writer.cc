// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/csv_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "manygate/base/check.h"

namespace manygate {
namespace {

constexpr size_t kBufferBytes = size_t{1} << 20;

}  // namespace

void AppendCsvText(std::string_view text, char delimiter, std::string* out) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  bool quote = !text.empty() && (is_blank(text.front()) || is_blank(text.back()));
  for (const char c : text) quote |= c == delimiter || c == '"' || c == '\n' || c == '\r';
  if (!quote) {
    out->append(text);
    return;
  }
  out->push_back('"');
  for (const char c : text) {
    if (c == '"') out->push_back('"');
    out->push_back(c);
  }
  out->push_back('"');
}

void AppendCsvNumber(float value, std::string* out) {
  if (!std::isnan(value)) fmt::format_to(std::back_inserter(*out), "{}", value);
}

CsvWriter::CsvWriter(char delimiter) : delimiter_(delimiter) {}
CsvWriter::~CsvWriter() = default;

Status CsvWriter::Open(const std::string& path, std::span<const std::string> header) {
  MG_CHECK(!header.empty(), "{}", path);
  MG_RETURN_IF_ERROR(file_.Open(path));
  compressor_ = MakeCompressor(path);
  num_columns_ = header.size();
  for (const std::string& name : header) Text(name);
  return EndRow();
}

void CsvWriter::Text(std::string_view text) {
  if (column_++ > 0) buffer_.push_back(delimiter_);
  AppendCsvText(text, delimiter_, &buffer_);
}

void CsvWriter::Integer(int64_t value) {
  if (column_++ > 0) buffer_.push_back(delimiter_);
  fmt::format_to(std::back_inserter(buffer_), "{}", value);
}

void CsvWriter::Number(float value) {
  if (column_++ > 0) buffer_.push_back(delimiter_);
  AppendCsvNumber(value, &buffer_);
}

void CsvWriter::Fixed(double value, int decimals) {
  if (column_++ > 0) buffer_.push_back(delimiter_);
  if (!std::isnan(value)) fmt::format_to(std::back_inserter(buffer_), "{:.{}f}", value, decimals);
}

Status CsvWriter::EndRow() {
  MG_CHECK(column_ == num_columns_, "{} values, {} columns", column_, num_columns_);
  // A row of one empty value would read as an empty line.
  if (num_columns_ == 1 && (buffer_.empty() || buffer_.back() == '\n')) buffer_ += "\"\"";
  column_ = 0;
  buffer_.push_back('\n');
  return buffer_.size() < kBufferBytes ? OkStatus() : Flush();
}

Status CsvWriter::RawRows(std::string_view rows) {
  MG_CHECK(column_ == 0, "{} values of a row before", column_);
  buffer_.append(rows);
  return buffer_.size() < kBufferBytes ? OkStatus() : Flush();
}

Status CsvWriter::Flush() {
  if (compressor_ != nullptr) {
    MG_RETURN_IF_ERROR(compressor_->Append(buffer_, /*finish=*/false, &file_));
  } else {
    MG_RETURN_IF_ERROR(file_.Append(buffer_));
  }
  buffer_.clear();
  return OkStatus();
}

Status CsvWriter::Close() {
  MG_RETURN_IF_ERROR(Flush());
  if (compressor_ != nullptr) MG_RETURN_IF_ERROR(compressor_->Append({}, /*finish=*/true, &file_));
  return file_.Commit();
}

}  // namespace manygate
