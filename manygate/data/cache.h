// SPDX-License-Identifier: Apache-2.0
// The columns of a source, parsed once and kept on disk; loading is a memory map and a checksum (a few milliseconds for
// Census-Income). One file per (source paths, reading options, requested columns), "<first source>-<hash>.mgcache".
//
//   CacheKey key{files, options.Fingerprint(), requests};
//   CacheLookup found = LoadCache(cache_dir, key);
//   if (found.table) return *std::move(found.table);       // found.note says why not, "" if there was none
//   ... read ... StoreCache(cache_dir, key, sources, table)
//
// Format 2, little endian, every section at a multiple of 64 bytes:
//
//   | bytes | what                                                                                        |
//   | 8     | "MGCACHE" and a zero byte                                                                   |
//   | 4     | format version, 2; a reader refuses any other and the cache is rebuilt                      |
//   | 4     | 0                                                                                           |
//   | 8     | bytes of the whole file                                                                     |
//   | 8     | bytes of the description, which follows at byte 64                                          |
//   | 8     | bytes of the columns, which follow the description at the next multiple of 64               |
//   | 8     | XXH3 of the description                                                                     |
//   | 8     | XXH3 of the columns                                                                         |
//   | 8     | XXH3 of the 56 bytes before                                                                 |
//
//   description: text = u32 length + bytes; list = u32 count + elements
//     text key (options and requests), list of sources {text path, u64 bytes, i64 time in ns},
//     u64 rows, text name of the source, list of columns {text name, u8 kind, u8 code bytes, u32 dictionary size,
//     u64 offset of the values, u64 offset of the dictionary, u64 bytes of the dictionary}; offsets count from the
//     first byte of the columns.
//   columns: per column its values (codes of 1, 2, 4 bytes, or floats), then its dictionary: u32 length of each text,
//     then the texts end to end.
//
// A source is unchanged when its size and modification time agree. (Its content is not compared: to read a file once more
// takes a tenth of the time of parsing it, for the sake of files that were copied or touched.)
#ifndef MANYGATE_DATA_CACHE_H_
#define MANYGATE_DATA_CACHE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/table.h"

namespace manygate {

inline constexpr uint32_t kCacheFormatVersion = 2;

struct CacheKey {
  std::vector<std::string> files;
  std::string options;  // SourceOptions::Fingerprint()
  std::vector<ColumnRequest> requests;
};

// A source file as it was when it was read.
struct SourceState {
  std::string path;
  uint64_t bytes = 0;
  int64_t modified_ns = 0;
  bool operator==(const SourceState&) const = default;
};

// Size and time of each file. InvalidInput: a file cannot be read.
StatusOr<std::vector<SourceState>> ReadSourceStates(std::span<const std::string> files);
// True while size and time of each file are those of `states`.
bool SourcesUnchanged(std::span<const SourceState> states);

struct CacheLookup {
  std::optional<Table> table;
  // A sentence why an existing cache cannot be used (damaged, stale, another format); "" when there is none.
  std::string note;
};

std::string CachePath(const std::string& cache_dir, const CacheKey& key);
CacheLookup LoadCache(const std::string& cache_dir, const CacheKey& key);
// Makes the folder and writes the file atomically. Failed: cannot be written.
Status StoreCache(const std::string& cache_dir, const CacheKey& key, std::span<const SourceState> sources,
                  const Table& table);

}  // namespace manygate

#endif  // MANYGATE_DATA_CACHE_H_
