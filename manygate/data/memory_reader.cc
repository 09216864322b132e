// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/memory_reader.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "manygate/base/text.h"
#include "manygate/data/arrow_block.h"
#include "manygate/data/memory_table.h"
#include "manygate/data/ordered_pipeline.h"
#include "manygate/data/problem_list.h"

namespace manygate {
namespace {

using TablePointer = std::shared_ptr<const MemoryTable>;

// Some rows on their way.
struct Part {
  const MemoryTable::Piece* piece = nullptr;
  RowBlock block;
  std::vector<ArrowBlockProblem> problems;
};

Status CheckSameColumns(const MemoryTable& table, const MemoryTable& first) {
  constexpr char kRule[] = "tables read together must have the same columns";
  const ArrowSchema &schema = table.schema(), &expected = first.schema();
  for (const std::string& name : ArrowColumnNames(expected)) {
    const int found = FindArrowColumn(schema, name);
    if (found < 0)
      return InvalidInput(
          fmt::format("{}: has no column \"{}\", which {} has; {}", table.path(), name, first.path(), kRule));
    const ArrowType type = ParseArrowType(*schema.children[found]);
    const ArrowType wanted = ParseArrowType(*expected.children[FindArrowColumn(expected, name)]);
    // A part without any value may come without a type.
    if (type.Content() != wanted.Content() && type.kind != ArrowKind::kNull && wanted.kind != ArrowKind::kNull)
      return InvalidInput(fmt::format("{}: column \"{}\" holds values of type {}, expected {} as in {}", table.path(),
                                      name, type.name, wanted.name, first.path()));
  }
  for (const std::string& name : ArrowColumnNames(schema))
    if (FindArrowColumn(expected, name) < 0)
      return InvalidInput(
          fmt::format("{}: has a column \"{}\", which {} has not; {}", table.path(), name, first.path(), kRule));
  return OkStatus();
}

class MemoryReader : public Reader {
 public:
  MemoryReader(std::span<const std::string> paths, const SourceOptions& options)
      : paths_(paths.begin(), paths.end()),
        missing_values_(options.missing_values),
        trim_blanks_(options.trim_blanks &&
                     (options.dataset_type == config::CsvDataset || options.dataset_type == config::FieldListDataset)) {
  }

  StatusOr<Columns> ReadColumns(bool all) override {
    MG_ASSIGN_OR_RETURN(const std::vector<TablePointer> tables, FindTables());
    Columns columns;
    const ArrowSchema& schema = tables[0]->schema();
    const std::vector<std::string> names = ArrowColumnNames(schema);
    for (size_t i = 0; i < names.size(); ++i)
      if (!all || CheckReadable(ParseArrowType(*schema.children[i]), ColumnKind::kCategory).ok())
        columns.names.push_back(names[i]);
    return columns;
  }

  Status ReadRows(std::span<const ColumnRequest> requests, ThreadPool& pool,
                  const std::function<void(RowBlock&)>& consume) override {
    MG_ASSIGN_OR_RETURN(const std::vector<TablePointer> tables, FindTables());
    std::string problems;
    for (const TablePointer& table : tables) {
      const Status status = ReadTable(*table, requests, pool, consume);
      if (!status.ok()) problems += (problems.empty() ? "" : "\n") + status.message();
    }
    return problems.empty() ? OkStatus() : InvalidInput(problems);
  }

 private:
  StatusOr<std::vector<TablePointer>> FindTables() const {
    std::vector<TablePointer> tables;
    for (const std::string& path : paths_) {
      MG_ASSIGN_OR_RETURN(TablePointer table, MemoryTable::Find(path));
      if (!tables.empty()) MG_RETURN_IF_ERROR(CheckSameColumns(*table, *tables[0]));
      tables.push_back(std::move(table));
    }
    return tables;
  }

  Status ReadTable(const MemoryTable& table, std::span<const ColumnRequest> requests, ThreadPool& pool,
                   const std::function<void(RowBlock&)>& consume) const {
    const StatusOr<ArrowBlockMaker> maker =
        ArrowBlockMaker::Make(table.schema(), requests, missing_values_, trim_blanks_);
    if (!maker.ok()) {
      std::string lines;
      for (const std::string& line : Split(maker.status().message(), '\n'))
        lines += fmt::format("{}{}: {}", lines.empty() ? "" : "\n", table.path(), line);
      return InvalidInput(lines);
    }
    const std::vector<MemoryTable::Piece> pieces = table.Pieces(ArrowBatchRows(requests.size()));
    size_t next = 0;
    ProblemList problems(table.path());
    OrderedPipeline<Part> pipeline(
        [&](Part* part) -> StatusOr<bool> {
          if (next == pieces.size()) return false;
          part->piece = &pieces[next++];
          return true;
        },
        [&](Part* part, int) {
          part->problems.clear();
          maker->FillSound(part->piece->array, &part->block, &part->problems);
        },
        [&](Part& part) {
          for (const ArrowBlockProblem& problem : part.problems) {
            problems.Add(fmt::format("{}: row {} ({})", table.path(), part.piece->first_row + problem.problem.row + 1,
                                     requests[problem.request].name),
                         problem.problem.text);
          }
          if (problems.empty()) consume(part.block);
          return !problems.full();
        });
    return problems.Result(pipeline.Run(pool));
  }

  const std::vector<std::string> paths_;
  const std::vector<std::string> missing_values_;
  const bool trim_blanks_;
};

}  // namespace

std::unique_ptr<Reader> MakeMemoryReader(std::span<const std::string> paths, const SourceOptions& options) {
  return std::make_unique<MemoryReader>(paths, options);
}

}  // namespace manygate
