// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/csv_pipeline.h"

#include <fmt/format.h>

#include <memory>

#include "manygate/base/check.h"
#include "manygate/data/ordered_pipeline.h"
#include "manygate/data/problem_list.h"

namespace manygate {
namespace {

// Takes the parsed blocks of one file in order: counts its lines, gathers its problems, passes on what is sound.
class BlockConsumer {
 public:
  BlockConsumer(const CsvFile& file, const std::function<void(RowBlock&)>& consume)
      : file_(file), consume_(consume), problems_(file.path()), lines_before_(file.first_line()) {}

  // False: enough problems.
  bool Consume(ParsedBlock& parsed) {
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
    if (problems_.empty()) consume_(parsed);
    return !problems_.full();
  }

  Status Result(const Status& read_status) const { return problems_.Result(read_status); }

 private:
  void AddProblem(uint64_t line, int field, const std::string& text) {
    std::string place = fmt::format("{}:{}", file_.path(), line);
    if (field >= 0) {
      const auto index = static_cast<size_t>(field);
      place += fmt::format(":{}", field + 1);
      if (index < file_.names().size()) place += fmt::format(" ({})", file_.names()[index]);
    }
    problems_.Add(place, text);
  }

  const CsvFile& file_;
  const std::function<void(RowBlock&)>& consume_;
  ProblemList problems_;
  uint64_t lines_before_;
  uint64_t empty_line_ = 0;  // physical line; 0: none is pending
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
  BlockConsumer consumer(file, consume);
  OrderedPipeline<ParsedBlock> pipeline(
      [&](ParsedBlock* parsed) { return file.Next(&parsed->block); },
      [&](ParsedBlock* parsed, int thread) { parsers[static_cast<size_t>(thread)].Parse(parsed); },
      [&](ParsedBlock& parsed) { return consumer.Consume(parsed); });
  return consumer.Result(pipeline.Run(pool));
}

Status ForEachFile(std::span<const std::string> files, const SourceOptions& options,
                   const std::vector<std::string>& names, const std::function<Status(CsvFile&)>& parse) {
  return ForEachPath(files, [&](const std::string& path) -> Status {
    MG_ASSIGN_OR_RETURN(const std::unique_ptr<CsvFile> file, CsvFile::Open(path, options));
    MG_RETURN_IF_ERROR(CheckSameColumns(*file, files[0], names, options.with_header));
    return parse(*file);
  });
}

}  // namespace manygate
