// SPDX-License-Identifier: Apache-2.0
// A configured input path becomes a table: globs and folders, dialect, cache on disk, reader.
//
//   std::vector<std::string> notes;
//   StatusOr<Table> table = ReadTable("part-*.csv.gz", config.data_config(), requests, pool, cache_dir, &notes);
#ifndef MANYGATE_DATA_SOURCE_H_
#define MANYGATE_DATA_SOURCE_H_

#include <span>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/config/pipeline.pb.h"
#include "manygate/data/source_options.h"
#include "manygate/data/table.h"

namespace manygate {

// paths_with_globs: "a.csv,part-*.csv.gz", as ExpandSources takes them. cache_dir: folder of the column cache, made when
// it is missing; "" or "off": no cache, nor is there one of tables in memory. notes: sentences for the log (why a cache was rebuilt, or could not be written); may be null.
// Errors: those of ExpandSources, SourceOptionsFromConfig and ReadFiles. A cache that cannot be read or written is a note.
StatusOr<Table> ReadTable(const std::string& paths_with_globs, const config::DataConfig& config,
                          std::span<const ColumnRequest> requests, ThreadPool& pool, const std::string& cache_dir,
                          std::vector<std::string>* notes);

// The same for files and options that are already known.
StatusOr<Table> ReadTableFiles(std::span<const std::string> files, const SourceOptions& options,
                               std::span<const ColumnRequest> requests, ThreadPool& pool, const std::string& cache_dir,
                               std::vector<std::string>* notes);

}  // namespace manygate

#endif  // MANYGATE_DATA_SOURCE_H_
