// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/parquet.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "manygate/base/text.h"
#include "manygate/data/arrow_block.h"
#include "manygate/data/number_text.h"
#include "manygate/data/ordered_pipeline.h"
#include "manygate/data/parquet_file.h"
#include "manygate/data/problem_list.h"
#include "manygate/data/utf8.h"

namespace manygate {
namespace {

// One batch on its way.
struct Piece {
  ArrowOwner<ArrowArray> batch;
  int64_t first_row = 0;  // of the file
  RowBlock of_file;       // the columns that the file has
  RowBlock block;         // all
  std::vector<ArrowBlockProblem> problems;
  Status status;
};

// A column that a folder's name gives to all rows of a file.
struct FolderColumn {
  size_t request;
  std::string text;
  float number = 0;
};

// What of a file goes where.
struct FilePlan {
  std::vector<ColumnRequest> requests;  // of the file's own columns
  std::vector<size_t> targets;          // where they stand among all requests
  std::vector<int32_t> numbers;         // of the file's columns
  std::vector<FolderColumn> folders;
};

Status PlanFolder(const ParquetFile& file, const ColumnRequest& request, size_t index, const std::string& value,
                  const SourceOptions& options, FilePlan* plan) {
  FolderColumn column{index, value};
  const bool missing = value.empty() || std::find(options.missing_values.begin(), options.missing_values.end(),
                                                  value) != options.missing_values.end();
  if (!IsUtf8(value)) return InvalidInput(fmt::format("{}: the name of its folder is not UTF-8", file.path()));
  if (missing) {
    column.number = std::numeric_limits<float>::quiet_NaN();
  } else if (request.kind == ColumnKind::kNumber && ParseFloat(value, &column.number) != NumberParse::kOk) {
    return InvalidInput(fmt::format(
        "{}: folder \"{}={}\": found \"{}\", expected a number; if the column holds texts or codes, declare it as an "
        "id_feature",
        file.path(), request.name, ShownValue(value), ShownValue(value)));
  }
  plan->folders.push_back(std::move(column));
  return OkStatus();
}

// All requests that nothing answers are reported together.
Status CheckRequests(const ParquetFile& file, std::span<const ColumnRequest> requests) {
  std::vector<std::string> names;
  for (const ParquetColumn& column : file.columns()) names.push_back(column.name);
  for (const auto& [key, value] : file.partitions()) names.push_back(key);
  std::string problems;
  for (const ColumnRequest& request : requests) {
    if (std::find(names.begin(), names.end(), request.name) != names.end()) continue;
    problems += fmt::format("{}{}: column \"{}\" is not in the file. {}", problems.empty() ? "" : "\n", file.path(),
                            request.name, Suggestion(request.name, names, "Columns"));
  }
  return problems.empty() ? OkStatus() : InvalidInput(std::move(problems));
}

size_t FindRequest(std::span<const ColumnRequest> requests, const std::string& name) {
  const auto is_it = [&name](const ColumnRequest& request) { return request.name == name; };
  return static_cast<size_t>(std::find_if(requests.begin(), requests.end(), is_it) - requests.begin());
}

StatusOr<FilePlan> PlanFile(const ParquetFile& file, std::span<const ColumnRequest> requests,
                            const SourceOptions& options) {
  MG_RETURN_IF_ERROR(CheckRequests(file, requests));
  FilePlan plan;
  for (size_t i = 0; i < file.columns().size(); ++i) {
    const size_t request = FindRequest(requests, file.columns()[i].name);
    if (request == requests.size()) continue;
    plan.requests.push_back(requests[request]);
    plan.targets.push_back(request);
    plan.numbers.push_back(static_cast<int32_t>(i));
  }
  for (const auto& [key, value] : file.partitions()) {
    const size_t request = FindRequest(requests, key);
    if (request == requests.size()) continue;
    MG_RETURN_IF_ERROR(PlanFolder(file, requests[request], request, value, options, &plan));
  }
  // Without any column of the file its rows would have no batch to be counted in.
  if (plan.numbers.empty() && !file.columns().empty()) plan.numbers.push_back(0);
  return plan;
}

void FillFolderColumn(const FolderColumn& from, ColumnKind kind, int64_t rows, RowBlock::Column* column) {
  if (kind == ColumnKind::kNumber) {
    column->numbers.assign(static_cast<size_t>(rows), from.number);
    return;
  }
  const std::string_view text = from.text;
  column->SetTexts({&text, 1});
  column->codes.assign(static_cast<size_t>(rows), uint32_t{column->codes[0]});
}

// The path in front of every line.
std::string InEachLine(const std::string& path, const std::string& text) {
  std::string lines;
  for (const std::string& line : Split(text, '\n')) lines += (lines.empty() ? "" : "\n") + path + ": " + line;
  return lines;
}

class ParquetReader : public Reader {
 public:
  ParquetReader(std::span<const std::string> files, const SourceOptions& options)
      : files_(files.begin(), files.end()), options_(options) {}

  StatusOr<Columns> ReadColumns(bool all) override {
    MG_ASSIGN_OR_RETURN(const std::unique_ptr<ParquetFile> first, ParquetFile::Open(files_[0], ArrowBatchRows(1)));
    const auto check = [&first](const std::string& path) -> Status {
      if (path == first->path()) return OkStatus();
      MG_ASSIGN_OR_RETURN(const std::unique_ptr<ParquetFile> file, ParquetFile::Open(path, ArrowBatchRows(1)));
      return CheckSameColumns(*file, *first);
    };
    MG_RETURN_IF_ERROR(ForEachPath(files_, check));
    Columns columns;
    for (const ParquetColumn& column : first->columns())
      if (!all || CheckReadable(column.type, ColumnKind::kCategory).ok()) columns.names.push_back(column.name);
    for (const auto& [key, value] : first->partitions()) columns.names.push_back(key);
    return columns;
  }

  Status ReadRows(std::span<const ColumnRequest> requests, ThreadPool& pool,
                  const std::function<void(RowBlock&)>& consume) override {
    MG_ASSIGN_OR_RETURN(const std::unique_ptr<ParquetFile> first, ParquetFile::Open(files_[0], ArrowBatchRows(1)));
    MG_RETURN_IF_ERROR(PlanFile(*first, requests, options_).status());
    return ForEachPath(files_, [&](const std::string& path) -> Status {
      MG_ASSIGN_OR_RETURN(const std::unique_ptr<ParquetFile> file,
                          ParquetFile::Open(path, ArrowBatchRows(requests.size())));
      MG_RETURN_IF_ERROR(CheckSameColumns(*file, *first));
      return ReadFile(*file, requests, pool, consume);
    });
  }

 private:
  Status ReadFile(ParquetFile& file, std::span<const ColumnRequest> requests, ThreadPool& pool,
                  const std::function<void(RowBlock&)>& consume) const {
    MG_ASSIGN_OR_RETURN(const FilePlan plan, PlanFile(file, requests, options_));
    file.Select(plan.numbers);
    const StatusOr<ArrowBlockMaker> maker =
        ArrowBlockMaker::Make(file.batch_schema(), plan.requests, options_.missing_values, /*trim_blanks=*/false);
    if (!maker.ok()) return InvalidInput(InEachLine(file.path(), maker.status().message()));
    int64_t rows = 0;
    ProblemList problems(file.path());
    Status damage;
    OrderedPipeline<Piece> pipeline(
        [&](Piece* piece) -> StatusOr<bool> {
          MG_ASSIGN_OR_RETURN(const bool more, file.Next(&piece->batch));
          piece->first_row = rows;
          if (more) rows += piece->batch->length;
          return more;
        },
        [&](Piece* piece, int) {
          piece->problems.clear();
          piece->status = maker->Fill(*piece->batch, &piece->of_file, &piece->problems);
          piece->batch.Release();
          if (piece->status.ok() && piece->problems.empty()) Assemble(plan, requests, piece);
        },
        [&](Piece& piece) {
          for (const ArrowBlockProblem& problem : piece.problems) {
            problems.Add(fmt::format("{}: row {} ({})", file.path(), piece.first_row + problem.problem.row + 1,
                                     plan.requests[problem.request].name),
                         problem.problem.text);
          }
          if (!piece.status.ok()) damage = InvalidInput(fmt::format("{}: {}", file.path(), piece.status.message()));
          if (problems.empty() && damage.ok()) consume(piece.block);
          return damage.ok() && !problems.full();
        });
    const Status read = pipeline.Run(pool);
    return problems.Result(damage.ok() ? read : damage);
  }

  // Puts the columns of the file and those of its folders in the order of the requests.
  static void Assemble(const FilePlan& plan, std::span<const ColumnRequest> requests, Piece* piece) {
    piece->block.rows = piece->of_file.rows;
    piece->block.columns.resize(requests.size());
    for (size_t i = 0; i < plan.targets.size(); ++i)
      std::swap(piece->block.columns[plan.targets[i]], piece->of_file.columns[i]);
    for (const FolderColumn& column : plan.folders)
      FillFolderColumn(column, requests[column.request].kind, piece->block.rows, &piece->block.columns[column.request]);
  }

  const std::vector<std::string> files_;
  const SourceOptions options_;
};

}  // namespace

std::unique_ptr<Reader> MakeParquetReader(std::span<const std::string> files, const SourceOptions& options) {
  return std::make_unique<ParquetReader>(files, options);
}

}  // namespace manygate
