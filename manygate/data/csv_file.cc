// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/csv_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/text.h"
#include "manygate/data/utf8.h"

namespace manygate {

void TextBuffer::Reserve(size_t capacity) {
  if (capacity <= capacity_) return;
  std::unique_ptr<char[]> larger(new char[capacity + kTextPadding]);
  if (size_ > 0) memcpy(larger.get(), data_.get(), size_);
  data_ = std::move(larger);
  capacity_ = capacity;
}

void TextBuffer::SetSize(size_t size) {
  MG_CHECK(size <= capacity_, "size {} capacity {}", size, capacity_);
  size_ = size;
  memset(data_.get() + size, ' ', kTextPadding);
}

StatusOr<std::unique_ptr<CsvFile>> CsvFile::Open(const std::string& path, const SourceOptions& options,
                                                 size_t block_bytes) {
  std::unique_ptr<CsvFile> file(new CsvFile(path, options, block_bytes));
  MG_ASSIGN_OR_RETURN(file->source_, TextSource::Open(path));
  MG_RETURN_IF_ERROR(file->Fill(block_bytes));
  const std::string_view head(file->ahead_.data(), file->ahead_.size());
  if (head.empty()) return InvalidInput(fmt::format("{}: is empty", path));
  if (head.find('\n') == std::string_view::npos && head.find('\r') < head.size() - 1) {
    return InvalidInput(
        fmt::format("{}: lines end with a carriage return only; convert it with: tr '\\r' '\\n'", path));
  }
  if (head.substr(0, 3) == "\xEF\xBB\xBF") file->ahead_used_ = 3;
  MG_RETURN_IF_ERROR(file->SkipLines());
  MG_RETURN_IF_ERROR(file->SkipComments());
  if (options.with_header) {
    MG_RETURN_IF_ERROR(file->ReadHeader());
  } else if (!options.names.empty()) {
    file->names_ = options.names;
  } else {
    MG_RETURN_IF_ERROR(file->NameColumnsByFirstRow());
  }
  return file;
}

Status CsvFile::Fill(size_t wanted) {
  if (ahead_used_ > 0) {
    const size_t rest = ahead_.size() - ahead_used_;
    memmove(ahead_.data(), ahead_.data() + ahead_used_, rest);
    ahead_.SetSize(rest);
    ahead_used_ = 0;
  }
  if (ahead_.size() >= wanted || source_ended_) return OkStatus();
  ahead_.Reserve(wanted);
  MG_ASSIGN_OR_RETURN(const size_t got, source_->Read(ahead_.data() + ahead_.size(), wanted - ahead_.size()));
  source_ended_ = got < wanted - ahead_.size();
  ahead_.SetSize(ahead_.size() + got);
  return OkStatus();
}

Status CsvFile::SkipLines() {
  for (uint64_t skipped = 0; skipped < options_.skip_lines;) {
    const std::string_view rest(ahead_.data() + ahead_used_, ahead_.size() - ahead_used_);
    const size_t end = rest.find('\n');
    if (end != std::string_view::npos) {
      ahead_used_ += end + 1;
      ++first_line_;
      ++skipped;
      continue;
    }
    if (source_ended_) {
      return InvalidInput(fmt::format("{}: ends within the {} lines to skip (skip_lines)", path_, options_.skip_lines));
    }
    if (rest.size() >= kMaxRowBytes) return InvalidInput(fmt::format("{}:{}: a line over 64 MiB", path_, first_line_));
    MG_RETURN_IF_ERROR(Fill(std::max(block_bytes_, rest.size() * 2)));
  }
  return OkStatus();
}

Status CsvFile::SkipComments() {
  while (!options_.comment.empty()) {
    if (ahead_.size() - ahead_used_ < options_.comment.size()) MG_RETURN_IF_ERROR(Fill(block_bytes_));
    const std::string_view rest(ahead_.data() + ahead_used_, ahead_.size() - ahead_used_);
    if (!rest.starts_with(options_.comment)) return OkStatus();
    const size_t end = rest.find('\n');
    if (end != std::string_view::npos) {
      ahead_used_ += end + 1;
      ++first_line_;
    } else if (source_ended_) {
      ahead_used_ = ahead_.size();
    } else if (rest.size() >= kMaxRowBytes) {
      return InvalidInput(fmt::format("{}:{}: a line over 64 MiB", path_, first_line_));
    } else {
      MG_RETURN_IF_ERROR(Fill(std::max(block_bytes_, rest.size() * 2)));
    }
  }
  return OkStatus();
}

StatusOr<RowResult> CsvFile::FirstRow() {
  for (;;) {
    rows_.Start(ahead_.data() + ahead_used_, ahead_.size() - ahead_used_, source_ended_);
    const RowResult result = rows_.Next();
    const size_t size = ahead_.size() - ahead_used_;
    if (result != RowResult::kIncomplete) return result;
    if (size >= kMaxRowBytes) return InvalidInput(fmt::format("{}:{}: a row over 64 MiB", path_, first_line_));
    MG_RETURN_IF_ERROR(Fill(std::max(block_bytes_, size * 2)));
  }
}

Status CsvFile::ReadHeader() {
  MG_ASSIGN_OR_RETURN(const RowResult result, FirstRow());
  switch (result) {
    case RowResult::kRow: break;
    case RowResult::kOpenQuote:
      return InvalidInput(
          fmt::format("{}:{}: a quote ({}) in the header is never closed", path_, first_line_, options_.quote));
    case RowResult::kTextAfterQuote:
      return InvalidInput(
          fmt::format("{}:{}: the header has text behind the closing quote of name {}; is the delimiter "
                      "right?",
                      path_, first_line_, rows_.num_fields() + 1));
    default: return InvalidInput(fmt::format("{}: ends before the header line", path_));
  }
  for (int i = 0; i < rows_.num_fields(); ++i) {
    const Field& field = rows_.field(i);
    names_.push_back(field.has_escape ? Unescaped(field, options_.quote) : std::string(field.view()));
  }
  MG_RETURN_IF_ERROR(CheckNames());
  ahead_used_ += rows_.position();
  first_line_ += rows_.lines();
  return OkStatus();
}

Status CsvFile::CheckNames() const {
  std::string problems;
  std::unordered_map<std::string_view, size_t> seen;
  for (size_t i = 0; i < names_.size(); ++i) {
    std::string problem;
    const auto [first, is_new] = seen.emplace(names_[i], i);
    if (names_[i].find('\0') != std::string::npos) {
      problem = fmt::format(
          "{}:{}:{}: the name holds a NUL byte; if the file is UTF-16, convert it with: iconv -f UTF-16 "
          "-t UTF-8",
          path_, first_line_, i + 1);
    } else if (names_[i].empty()) {
      problem = fmt::format("{}:{}:{}: the header has an empty name; every column needs one (an extra delimiter?)",
                            path_, first_line_, i + 1);
    } else if (!is_new) {
      problem = fmt::format("{}:{}:{}: the header has the name \"{}\" twice (column {} too); names must differ", path_,
                            first_line_, i + 1, names_[i], first->second + 1);
    } else if (!IsUtf8(names_[i])) {
      problem = fmt::format(
          "{}:{}:{}: the name is not UTF-8 text; convert the file, for instance with: iconv -f LATIN1 -t "
          "UTF-8",
          path_, first_line_, i + 1);
    }
    if (!problem.empty()) problems += (problems.empty() ? "" : "\n") + problem;
  }
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

Status CsvFile::NameColumnsByFirstRow() {
  MG_ASSIGN_OR_RETURN(const RowResult result, FirstRow());
  // A first row that cannot be split is reported, with all its details, by whoever parses it.
  const int count = result == RowResult::kRow ? rows_.num_fields() : 1;
  for (int i = 0; i < count; ++i) names_.push_back(fmt::format("column_{}", i));
  return OkStatus();
}

size_t CsvFile::LastRowEnd(const char* text, size_t size, bool has_quote) {
  if (!has_quote) {
    const size_t end = std::string_view(text, size).rfind('\n');
    return end == std::string_view::npos ? 0 : end + 1;
  }
  // A line end may stand inside quotes, and only splitting the rows from the start tells.
  rows_.Start(text, size, /*at_end=*/false, /*may_have_quotes=*/true);
  for (;;) {
    const RowResult result = rows_.Next();
    if (result == RowResult::kEnd) return rows_.position();
    if (result == RowResult::kIncomplete) return rows_.row_begin();
  }
}

StatusOr<bool> CsvFile::Next(TextBlock* block) {
  if (done_) return false;
  size_t wanted = block_bytes_;
  for (;;) {
    MG_RETURN_IF_ERROR(Fill(wanted));
    block->row_too_long = false;
    if (ahead_.size() == 0) {
      done_ = true;
      return false;
    }
    const size_t size = std::min(ahead_.size(), wanted);
    block->has_quote = options_.quote != '\0' && memchr(ahead_.data(), options_.quote, size) != nullptr;
    const bool is_rest = source_ended_ && size == ahead_.size();
    size_t end = is_rest ? size : LastRowEnd(ahead_.data(), size, block->has_quote);
    if (end == 0 && size >= kMaxRowBytes) {
      block->row_too_long = true;
      end = size;
    }
    if (end == 0) {
      wanted = std::min(wanted * 2, kMaxRowBytes);
      continue;
    }
    block->at_end = (source_ended_ && end == ahead_.size()) || block->row_too_long;
    done_ = block->at_end;
    // The block takes the buffer; what is left moves into the block's former buffer.
    std::swap(block->text, ahead_);
    const size_t rest = block->text.size() - end;
    ahead_.Reserve(std::max(block_bytes_, rest));
    memcpy(ahead_.data(), block->text.data() + end, rest);
    ahead_.SetSize(rest);
    ahead_used_ = 0;
    block->text.SetSize(end);
    return true;
  }
}

}  // namespace manygate
