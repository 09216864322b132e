// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/csv_pipeline.h"

#include <fmt/format.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "manygate/base/check.h"

namespace manygate {
namespace {

// Every thread takes the next block from the file (one at a time: reading and decompressing are sequential), parses it,
// and whoever holds the next block in order hands it over.
class Pipeline {
 public:
  Pipeline(CsvFile& file, std::span<BlockParser> parsers, const std::function<void(RowBlock&)>& consume)
      : file_(file), parsers_(parsers), consume_(consume), max_blocks_(2 * parsers.size() + 1) {}

  void Work(int thread) {
    for (;;) {
      uint64_t number = 0;
      std::unique_ptr<ParsedBlock> parsed = TakeBlock(&number);
      if (parsed == nullptr) return;
      parsers_[static_cast<size_t>(thread)].Parse(parsed.get());
      HandOver(number, std::move(parsed));
    }
  }

  Status Result() const {
    std::string text = problems_;
    if (!read_status_.ok()) {
      if (text.empty()) return read_status_;
      text += "\n" + read_status_.message();
    }
    return text.empty() ? OkStatus() : InvalidInput(text);
  }

 private:
  // The next block of the file, or null at the end. Waits while too many blocks are under way.
  std::unique_ptr<ParsedBlock> TakeBlock(uint64_t* number) {
    std::lock_guard reading(read_mutex_);
    std::unique_ptr<ParsedBlock> parsed;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stop_ || next_read_ - next_consumed_ < max_blocks_; });
      if (stop_ || ended_) return nullptr;
      if (!free_.empty()) {
        parsed = std::move(free_.back());
        free_.pop_back();
      }
    }
    if (parsed == nullptr) parsed = std::make_unique<ParsedBlock>();
    const StatusOr<bool> more = file_.Next(&parsed->block);
    std::lock_guard lock(mutex_);
    if (!more.ok()) read_status_ = more.status();
    if (!more.ok() || !*more) {
      ended_ = true;
      return nullptr;
    }
    *number = next_read_++;
    return parsed;
  }

  void HandOver(uint64_t number, std::unique_ptr<ParsedBlock> parsed) {
    std::lock_guard lock(mutex_);
    waiting_[number] = std::move(parsed);
    while (!waiting_.empty() && waiting_.begin()->first == next_consumed_) {
      std::unique_ptr<ParsedBlock> next = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      ++next_consumed_;
      if (!stop_) Consume(*next);
      free_.push_back(std::move(next));
    }
    changed_.notify_all();
  }

  void Consume(ParsedBlock& parsed) {
    if (empty_line_ != 0 && parsed.has_row) {
      AddProblem(empty_line_, -1, kEmptyLineProblem);
      empty_line_ = 0;
      // The block's own first empty lines go on from there.
      std::vector<ParsedBlock::Problem>& own = parsed.problems;
      if (!own.empty() && own[0].line == 0 && own[0].text == kEmptyLineProblem) own.erase(own.begin());
    }
    for (const ParsedBlock::Problem& problem : parsed.problems) {
      AddProblem(lines_before_ + problem.line, problem.field, problem.text);
    }
    if (parsed.has_trailing_empty_line && empty_line_ == 0) empty_line_ = lines_before_ + parsed.trailing_empty_line;
    lines_before_ += parsed.lines;
    if (num_problems_ == 0) consume_(parsed);
  }

  void AddProblem(uint64_t line, int field, const std::string& text) {
    if (num_problems_ == kMaxProblems) return;
    std::string place = fmt::format("{}:{}", file_.path(), line);
    if (field >= 0) {
      const auto index = static_cast<size_t>(field);
      place += fmt::format(":{}", field + 1);
      if (index < file_.names().size()) place += fmt::format(" ({})", file_.names()[index]);
    }
    problems_ += fmt::format("{}{}: {}", problems_.empty() ? "" : "\n", place, text);
    if (++num_problems_ == kMaxProblems) {
      problems_ += fmt::format("\n{}: {} problems, stopped looking", file_.path(), kMaxProblems);
      stop_ = true;
    }
  }

  CsvFile& file_;
  const std::span<BlockParser> parsers_;
  const std::function<void(RowBlock&)>& consume_;
  const uint64_t max_blocks_;

  std::mutex read_mutex_;  // held while reading; taken before mutex_
  std::mutex mutex_;       // guards all that follows
  std::condition_variable changed_;
  std::vector<std::unique_ptr<ParsedBlock>> free_;
  std::map<uint64_t, std::unique_ptr<ParsedBlock>> waiting_;
  uint64_t next_read_ = 0;
  uint64_t next_consumed_ = 0;
  bool ended_ = false;
  bool stop_ = false;
  Status read_status_;
  uint64_t lines_before_ = file_.first_line();
  uint64_t empty_line_ = 0;  // physical line; 0: none is pending
  size_t num_problems_ = 0;
  std::string problems_;
};

Status CheckSameColumns(const CsvFile& file, const std::string& first_path, const std::vector<std::string>& names,
                        bool with_header) {
  const std::vector<std::string>& found = file.names();
  if (found == names) return OkStatus();
  if (found.size() != names.size()) {
    return InvalidInput(fmt::format(
        "{}:{}: found {} columns, expected {} as in {}; files read together must have the same "
        "columns",
        file.path(), with_header ? file.first_line() - 1 : file.first_line(), found.size(), names.size(), first_path));
  }
  size_t i = 0;
  while (found[i] == names[i]) ++i;
  return InvalidInput(
      fmt::format("{}:{}:{}: found column \"{}\", expected \"{}\" as in {}; files read together must have "
                  "the same columns in the same order",
                  file.path(), file.first_line() - 1, i + 1, found[i], names[i], first_path));
}

}  // namespace

Status ParseFile(CsvFile& file, std::span<BlockParser> parsers, ThreadPool& pool,
                 const std::function<void(RowBlock&)>& consume) {
  MG_CHECK(static_cast<int>(parsers.size()) == pool.size(), "{} parsers, {} threads", parsers.size(), pool.size());
  Pipeline pipeline(file, parsers, consume);
  pool.Run([&pipeline](int thread) { pipeline.Work(thread); });
  return pipeline.Result();
}

Status ForEachFile(std::span<const std::string> files, const SourceOptions& options,
                   const std::vector<std::string>& names, const std::function<Status(CsvFile&)>& parse) {
  std::string problems;
  int bad_files = 0;
  for (const std::string& path : files) {
    const Status status = [&] {
      MG_ASSIGN_OR_RETURN(const std::unique_ptr<CsvFile> file, CsvFile::Open(path, options));
      MG_RETURN_IF_ERROR(CheckSameColumns(*file, files[0], names, options.with_header));
      return parse(*file);
    }();
    if (status.ok()) continue;
    if (status.code() != StatusCode::kInvalidInput) return status;
    problems += (problems.empty() ? "" : "\n") + status.message();
    if (++bad_files == static_cast<int>(kMaxProblems)) break;
  }
  return problems.empty() ? OkStatus() : InvalidInput(problems);
}

}  // namespace manygate
