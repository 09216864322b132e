// SPDX-License-Identifier: Apache-2.0
// Reads what libFuzzer makes up as a file of CSV. Two things must hold beside the sanitizers' silence: the result does not
// depend on where the text is cut into blocks, and a table has a code of its dictionary in every cell.
//
//   build/fuzz/tests/csv_fuzz -max_total_time=60 -timeout=10 build/fuzz/corpus/csv tests/fuzz/corpus/csv
//
// The first byte of an input chooses the options (see OptionsOf), the second which columns are numbers; the rest is the
// file, which may be compressed.
#include <cstdint>
#include <string>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/data/csv_block.h"
#include "manygate/data/csv_pipeline.h"
#include "manygate/data/reader.h"
#include "tests/fuzz/fuzzing.h"

namespace manygate {
namespace {

constexpr size_t kSmallBlockBytes = 64;

SourceOptions OptionsOf(uint8_t choice) {
  SourceOptions options;
  options.with_header = (choice & 1) != 0;
  options.delimiter = ",\t;|"[(choice >> 1) & 3];
  if ((choice & 8) != 0) options.quote = '\0';
  options.trim_blanks = (choice & 16) == 0;
  if ((choice & 32) != 0) options.comment = "#";
  if ((choice & 64) != 0) options.missing_values = {"?", "-1"};
  options.skip_lines = choice >> 7;
  return options;
}

// Every cell as text, from blocks of that size. The head of a file is judged by its first block, so `file` may not open.
StatusOr<Cells> ReadInBlocks(const std::string& path, const SourceOptions& options, uint8_t numbers, size_t block_bytes,
                             ThreadPool& pool) {
  MG_ASSIGN_OR_RETURN(const std::unique_ptr<CsvFile> file, CsvFile::Open(path, options, block_bytes));
  ParsePlan plan{.options = options, .names = file->names(), .targets = {}};
  const std::vector<ColumnRequest> requests = RequestsOf(plan.names, numbers);
  for (size_t i = 0; i < requests.size(); ++i) plan.targets.push_back({static_cast<int>(i), requests[i].kind});
  std::vector<BlockParser> parsers(static_cast<size_t>(pool.size()), BlockParser(plan));
  Cells cells;
  const Status status = ParseFile(*file, parsers, pool, [&](RowBlock& block) { cells.Append(block, requests); });
  cells.problem = status.message();
  return cells;
}

void CompareBlockSizes(const std::string& path, const SourceOptions& options, uint8_t numbers, ThreadPool& pool) {
  const StatusOr<Cells> whole = ReadInBlocks(path, options, numbers, kTextBlockBytes, pool);
  const StatusOr<Cells> cut = ReadInBlocks(path, options, numbers, kSmallBlockBytes, pool);
  if (!whole.ok() || !cut.ok()) return;
  // Not the same problems: a NUL byte is the only one that is told of its block.
  MG_CHECK(whole->problem.empty() == cut->problem.empty(), "in one block: {}\nin small blocks: {}", whole->problem,
           cut->problem);
  if (!whole->problem.empty()) return;
  MG_CHECK(whole->texts == cut->texts, "{} cells in one block, {} in small blocks", whole->texts.size(),
           cut->texts.size());
}

void ReadTable(const std::string& path, const SourceOptions& options, uint8_t numbers, ThreadPool& pool) {
  const StatusOr<Columns> columns = ReadColumns({&path, 1}, options, false);
  if (!columns.ok()) return;
  const std::vector<ColumnRequest> requests = RequestsOf(columns->names, numbers);
  const StatusOr<Table> table = ReadFiles({&path, 1}, options, requests, pool);
  if (!table.ok()) {
    CheckNamesFile(table.status().message(), path);
    return;
  }
  MG_CHECK(table->rows > 0 && table->columns.size() == requests.size(), "{} rows, {} columns", table->rows,
           table->columns.size());
  for (const Column& column : table->columns) {
    for (int64_t row = 0; row < table->rows && column.kind == ColumnKind::kCategory; ++row)
      MG_CHECK(column.Code(row) < column.dictionary.size(), "code {} of {}", column.Code(row),
               column.dictionary.size());
  }
}

}  // namespace
}  // namespace manygate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static manygate::ThreadPool pool(1);
  if (size < 2) return 0;
  const manygate::MemoryFile file({reinterpret_cast<const char*>(data) + 2, size - 2});
  const manygate::SourceOptions options = manygate::OptionsOf(data[0]);
  manygate::ReadTable(file.path(), options, data[1], pool);
  manygate::CompareBlockSizes(file.path(), options, data[1], pool);
  return 0;
}
