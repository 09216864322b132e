// SPDX-License-Identifier: Apache-2.0
// One reader per format of files (config::DatasetType); all hand their rows over in blocks.
//
//   MG_ASSIGN_OR_RETURN(std::unique_ptr<Reader> reader, MakeReader(files, options));
//   MG_ASSIGN_OR_RETURN(Columns columns, reader->ReadColumns(false));
//   MG_RETURN_IF_ERROR(reader->ReadRows(requests, pool, [&](RowBlock& block) { Append(block); }));
//
// or, all at once:
//
//   MG_ASSIGN_OR_RETURN(Table table, ReadFiles(files, options, requests, pool));
#ifndef MANYGATE_DATA_READER_H_
#define MANYGATE_DATA_READER_H_

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/data/row_block.h"
#include "manygate/data/source_options.h"
#include "manygate/data/table.h"

namespace manygate {

struct Columns {
  std::vector<std::string> names;  // in the order of the files
  bool open = false;               // rows may have columns besides (formats whose rows name their values)

  bool MayHave(std::string_view name) const;
};

class Reader {
 public:
  virtual ~Reader() = default;

  // all: every column that any row has, if that takes reading them all; else what the beginnings of the files show.
  // InvalidInput: files that cannot be read, or whose columns differ where the format wants them equal.
  virtual StatusOr<Columns> ReadColumns(bool all) = 0;

  // The rows of all files, one after the other; block.columns[i] is requests[i], each name once. consume: called for one
  // block after the other, in order, by any thread but never by two at once; a block is reused after the call. The
  // content does not depend on the number of threads. InvalidInput: a requested column that no file has, and whatever
  // the format's header says.
  virtual Status ReadRows(std::span<const ColumnRequest> requests, ThreadPool& pool,
                          const std::function<void(RowBlock&)>& consume) = 0;
};

// The reader of options.dataset_type, or, where the files are tables in memory, memory_reader.h. InvalidInput: no files;
// files and tables in memory.
StatusOr<std::unique_ptr<Reader>> MakeReader(std::span<const std::string> files, const SourceOptions& options);

// ReadColumns(all) of that reader.
StatusOr<Columns> ReadColumns(std::span<const std::string> files, const SourceOptions& options, bool all);

// The requested columns of all files, in the order of the requests. folder: as TableBuilder has it. InvalidInput: as the
// reader; no rows.
StatusOr<Table> ReadFiles(std::span<const std::string> files, const SourceOptions& options,
                          std::span<const ColumnRequest> requests, ThreadPool& pool, const std::string& folder = "");

}  // namespace manygate

#endif  // MANYGATE_DATA_READER_H_
