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
  // what the stream says; other rows than the columns that are there already; a name twice; a damaged batch. The table is
  // then as before. Not while another thread reads the table.
  Status Add(ArrowArrayStream* stream);

  // All columns, a struct with one child per column; valid until the next Add.
  const ArrowSchema& schema() const;

  // Some rows of all columns. `array` is of type schema(), a view: to be read while the table lives, never released.
  struct Piece {
    int64_t first_row = 0;  // of the table
    ArrowArray array = {};
    std::vector<ArrowArray> columns = {};
    std::vector<ArrowArray*> column_pointers = {};

    Piece() = default;
    Piece(Piece&&) = default;
    Piece& operator=(Piece&&) = default;
  };
  // All rows in their order, cut so that each piece lies within one batch of every stream and has at most `most_rows`
  // rows. Of tables without columns or rows: none.
  std::vector<Piece> Pieces(int64_t most_rows) const;

 private:
  struct Stream;
  explicit MemoryTable(std::string path);

  const std::string path_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<ArrowSchema*> columns_;  // of all streams
  ArrowSchema schema_ = {};            // a view of them
};

}  // namespace manygate

#endif  // MANYGATE_DATA_MEMORY_TABLE_H_
