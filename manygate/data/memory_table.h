// SPDX-License-Identifier: Apache-2.0
// A table that another library holds in memory (pandas, polars, pyarrow, ...), handed over through the C stream interface
// of Apache Arrow, which stands for a file wherever a file may stand: train_input_path, --data.
//
//   MG_ASSIGN_OR_RETURN(const std::shared_ptr<MemoryTable> table, MemoryTable::Make("customers"));
//   MG_RETURN_IF_ERROR(table->Add(&stream));              // columns; more of them by further streams of as many rows
//   pipeline.set_train_input_path(table->path());         // "memory:1/customers", while the table lives
//
// Values are read where they lie; nothing is copied before a run reads it. Its rows are typed, as those of Parquet
// (arrow_block.h), but texts are trimmed where those of a text file would be (data_config.trim_blanks), so that the same
// rows in a file of text give the same model. No column cache is kept of it.
#ifndef MANYGATE_DATA_MEMORY_TABLE_H_
#define MANYGATE_DATA_MEMORY_TABLE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/arrow_type.h"

namespace manygate {

// "memory:..." : the path of a MemoryTable.
bool IsMemoryPath(std::string_view path);

class MemoryTable {
 public:
  // name: for messages; characters that have a meaning in paths are replaced.
  static std::shared_ptr<MemoryTable> Make(std::string_view name);
  // The table of that path. InvalidInput: there is none (any more): it was in the memory of a process that has ended or
  // let go of it.
  static StatusOr<std::shared_ptr<const MemoryTable>> Find(const std::string& path);
  ~MemoryTable();
  MemoryTable(const MemoryTable&) = delete;
  MemoryTable& operator=(const MemoryTable&) = delete;

  const std::string& path() const { return path_; }
  int64_t rows() const;

  // Takes all batches of the stream, which must be of type struct; the caller still releases the stream. InvalidInput:
  // what the stream says; other rows than the columns that are there already; a name twice; a damaged batch.
  Status Add(ArrowArrayStream* stream);

  // All columns, a struct with one child per column; valid until the next Add.
  const ArrowSchema& schema() const;

  // Rows in their order, cut so that each piece lies within one batch of every stream and has at most `most_rows` rows.
  // array: of type schema(), a view that must not be released and lives as long as the table and the piece.
  class Piece;
  std::vector<Piece> Pieces(int64_t most_rows) const;

 private:
  MemoryTable(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_MEMORY_TABLE_H_
