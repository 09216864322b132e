// SPDX-License-Identifier: Apache-2.0
// The head and the description of a cache file (cache.h draws them) as structs, and to and from bytes.
//
//   std::string bytes = PackCacheDescription(description);
//   std::optional<CacheDescription> same = UnpackCacheDescription(bytes);
#ifndef MANYGATE_DATA_CACHE_FORMAT_H_
#define MANYGATE_DATA_CACHE_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/data/cache.h"
#include "manygate/data/table.h"

namespace manygate {

inline constexpr char kCacheMagic[8] = "MGCACHE";
inline constexpr size_t kCacheHeadBytes = 64;

struct CacheHead {
  char magic[8];
  uint32_t version;
  uint32_t zero;
  uint64_t file_bytes;
  uint64_t description_bytes;
  uint64_t columns_bytes;
  uint64_t description_checksum;
  uint64_t columns_checksum;
  uint64_t head_checksum;  // of the bytes before
};
static_assert(sizeof(CacheHead) == kCacheHeadBytes);

struct ColumnPlace {
  std::string name;
  ColumnKind kind;
  uint8_t value_bytes;
  uint32_t dictionary_size;
  uint64_t values_offset;
  uint64_t dictionary_offset;
  uint64_t dictionary_bytes;
};

struct CacheDescription {
  std::string key;
  std::vector<SourceState> sources;
  uint64_t rows = 0;
  std::string source;
  std::vector<ColumnPlace> columns;
};

std::string PackCacheDescription(const CacheDescription& description);
// Nothing when the bytes are not exactly one description. Every size is checked before it is used; whether offsets lie
// within the file is for the caller to check.
std::optional<CacheDescription> UnpackCacheDescription(std::string_view text);

}  // namespace manygate

#endif  // MANYGATE_DATA_CACHE_FORMAT_H_
