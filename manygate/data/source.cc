// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "manygate/base/file.h"
#include "manygate/data/cache.h"
#include "manygate/data/memory_table.h"
#include "manygate/data/paths.h"
#include "manygate/data/reader.h"

namespace manygate {

StatusOr<Table> ReadTable(const std::string& paths_with_globs, const config::DataConfig& config,
                          std::span<const ColumnRequest> requests, ThreadPool& pool, const std::string& cache_dir,
                          std::vector<std::string>* notes) {
  MG_ASSIGN_OR_RETURN(const SourceOptions options, SourceOptionsFromConfig(config));
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> files, ExpandSources(paths_with_globs));
  return ReadTableFiles(files, options, requests, pool, cache_dir, notes);
}

StatusOr<Table> ReadTableFiles(std::span<const std::string> files, const SourceOptions& options,
                               std::span<const ColumnRequest> requests, ThreadPool& pool, const std::string& cache_dir,
                               std::vector<std::string>* notes) {
  const bool in_memory = std::any_of(files.begin(), files.end(), IsMemoryPath);
  if (in_memory || cache_dir.empty() || cache_dir == "off") return ReadFiles(files, options, requests, pool);
  const auto note = [notes](std::string text) {
    if (notes != nullptr && !text.empty()) notes->push_back(std::move(text));
  };
  const CacheKey key{{files.begin(), files.end()}, options.Fingerprint(), {requests.begin(), requests.end()}};
  CacheLookup found = LoadCache(cache_dir, key);
  note(std::move(found.note));
  if (found.table.has_value()) return *std::move(found.table);
  // The state is taken before reading: a file that changes meanwhile must not be cached under its new state.
  StatusOr<std::vector<SourceState>> sources = ReadSourceStates(files);
  const bool has_folder = MakeDirectories(cache_dir).ok();
  MG_ASSIGN_OR_RETURN(Table table, ReadFiles(files, options, requests, pool, has_folder ? cache_dir : ""));
  if (!sources.ok() || !SourcesUnchanged(*sources)) {
    note(fmt::format("{} changed while it was read; no column cache is written.", table.source));
    return table;
  }
  const Status stored = StoreCache(cache_dir, key, *sources, table);
  if (!stored.ok()) note(fmt::format("The column cache could not be written: {}", stored.message()));
  const bool in_files =
      std::any_of(table.columns.begin(), table.columns.end(), [](const Column& c) { return c.mapped; });
  if (!stored.ok() || !in_files) return table;
  table = Table();  // its files are as large as the cache
  found = LoadCache(cache_dir, key);
  note(std::move(found.note));
  if (found.table.has_value()) return *std::move(found.table);
  return ReadFiles(files, options, requests, pool, cache_dir);
}

}  // namespace manygate
