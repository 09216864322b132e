// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/cache.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/file.h"
#include "manygate/base/memory.h"
#include "manygate/data/cache_format.h"
#include "manygate/data/highest_code.h"
#include "manygate/data/remote.h"

namespace manygate {
namespace {

// A cache of that size gives the memory of its pages back between uses.
constexpr size_t kLargeBytes = size_t{256} << 20;

uint64_t RoundUp(uint64_t bytes) { return (bytes + 63) / 64 * 64; }

std::string KeyText(const CacheKey& key) {
  std::string text = key.options + "\n";
  for (const ColumnRequest& request : key.requests) {
    text += fmt::format("{}:{}:{};", request.name.size(), request.name, static_cast<int>(request.kind));
  }
  return text;
}

bool Stat(const std::string& path, SourceState* state) {
  if (IsRemote(path)) {
    const StatusOr<RemoteEntry> info = RemoteInfo(path);
    if (!info.ok()) return false;
    *state = {.path = path, .bytes = info->bytes, .modified_ns = info->modified_ns};
    return true;
  }
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return false;
  state->path = path;
  state->bytes = static_cast<uint64_t>(info.st_size);
  state->modified_ns = static_cast<int64_t>(info.st_mtim.tv_sec) * 1000000000 + info.st_mtim.tv_nsec;
  return true;
}

// [offset, offset + bytes) lies within `total`.
bool Within(uint64_t offset, uint64_t bytes, uint64_t total) { return offset <= total && bytes <= total - offset; }

bool LoadDictionary(const ColumnPlace& place, std::string_view bytes, std::vector<std::string>* dictionary) {
  const uint64_t lengths_bytes = uint64_t{place.dictionary_size} * 4;
  if (place.dictionary_size == 0 || lengths_bytes > bytes.size()) return false;
  uint64_t at = lengths_bytes;
  dictionary->reserve(place.dictionary_size);
  for (uint32_t i = 0; i < place.dictionary_size; ++i) {
    uint32_t length;
    memcpy(&length, bytes.data() + uint64_t{i} * 4, 4);
    if (length > bytes.size() - at) return false;
    dictionary->emplace_back(bytes.substr(at, length));
    at += length;
  }
  return at == bytes.size() && dictionary->front().empty();
}

// False: the description does not fit the bytes.
bool LoadColumn(const ColumnPlace& place, uint64_t rows, std::string_view columns, Column* column) {
  const bool is_number = place.kind == ColumnKind::kNumber;
  const uint8_t width = place.value_bytes;
  if (is_number ? width != 4 : (width != 1 && width != 2 && width != 4)) return false;
  if (rows > columns.size() || place.values_offset % 64 != 0) return false;
  if (!Within(place.values_offset, rows * width, columns.size())) return false;
  column->name = place.name;
  column->kind = place.kind;
  column->mapped = columns.size() >= kLargeBytes;
  const void* values = columns.data() + place.values_offset;
  if (is_number) {
    column->numbers = static_cast<const float*>(values);
    return true;
  }
  if (!Within(place.dictionary_offset, place.dictionary_bytes, columns.size())) return false;
  column->codes = values;
  column->code_bytes = width;
  if (!LoadDictionary(place, columns.substr(place.dictionary_offset, place.dictionary_bytes), &column->dictionary)) {
    return false;
  }
  const uint32_t highest = HighestCode(values, width, static_cast<int64_t>(rows));
  column->Release(0, static_cast<int64_t>(rows));
  return highest < column->dictionary.size();
}

struct OpenedCache {
  std::shared_ptr<MappedFile> file;
  CacheHead head;
  CacheDescription description;
  std::string_view columns;
};

// Piece by piece, so that a large file is never in memory as a whole.
uint64_t ColumnsChecksum(std::string_view columns) {
  constexpr size_t kPieceBytes = size_t{16} << 20;
  XXH3_state_t* hash = XXH3_createState();
  XXH3_64bits_reset(hash);
  for (size_t at = 0; at < columns.size(); at += kPieceBytes) {
    const std::string_view piece = columns.substr(at, kPieceBytes);
    XXH3_64bits_update(hash, piece.data(), piece.size());
    if (columns.size() >= kLargeBytes) ReleasePages(piece.data(), piece.size());
  }
  const uint64_t checksum = XXH3_64bits_digest(hash);
  XXH3_freeState(hash);
  return checksum;
}

// A reason why the file is not a sound cache, or "".
std::string OpenCache(const std::string& path, OpenedCache* cache) {
  StatusOr<MappedFile> mapped = MappedFile::Open(path);
  if (!mapped.ok()) return "it cannot be read";
  cache->file = std::make_shared<MappedFile>(*std::move(mapped));
  const std::string_view bytes = cache->file->view();
  CacheHead& head = cache->head;
  if (bytes.size() < kCacheHeadBytes) return "it is cut off";
  memcpy(&head, bytes.data(), kCacheHeadBytes);
  if (memcmp(head.magic, kCacheMagic, sizeof(kCacheMagic)) != 0) return "it is not a cache file";
  if (head.version != kCacheFormatVersion) {
    return fmt::format("it has format {}, this program reads {}", head.version, kCacheFormatVersion);
  }
  if (head.head_checksum != Xxh3(bytes.data(), kCacheHeadBytes - 8)) return "it is damaged (head)";
  if (head.file_bytes != bytes.size()) {
    return fmt::format("it has {} bytes instead of {}", bytes.size(), head.file_bytes);
  }
  if (!Within(kCacheHeadBytes, head.description_bytes, bytes.size())) return "it is damaged (sizes)";
  const uint64_t columns_offset = RoundUp(kCacheHeadBytes + head.description_bytes);
  if (!Within(columns_offset, head.columns_bytes, bytes.size()) ||
      columns_offset + head.columns_bytes != bytes.size()) {
    return "it is damaged (sizes)";
  }
  const std::string_view description = bytes.substr(kCacheHeadBytes, head.description_bytes);
  cache->columns = bytes.substr(columns_offset);
  if (Xxh3(description.data(), description.size()) != head.description_checksum) return "it is damaged (description)";
  if (ColumnsChecksum(cache->columns) != head.columns_checksum) return "it is damaged (columns)";
  std::optional<CacheDescription> unpacked = UnpackCacheDescription(description);
  if (!unpacked.has_value()) return "it is damaged (description)";
  cache->description = *std::move(unpacked);
  return "";
}

// Compares the sources with what they were; a reason why what was made of them is stale, or "".
std::string CompareSources(std::span<const SourceState> sources) {
  for (const SourceState& then : sources) {
    SourceState now;
    if (!Stat(then.path, &now)) return fmt::format("{} is not there any more", then.path);
    if (now.bytes != then.bytes) {
      return fmt::format("{} has changed ({} bytes then, {} now)", then.path, then.bytes, now.bytes);
    }
    if (now.modified_ns != then.modified_ns) return fmt::format("{} has changed (its time)", then.path);
  }
  return "";
}

// AtomicFile buffers what it is given; large parts go through it in pieces.
Status AppendPieces(std::string_view bytes, AtomicFile* file) {
  constexpr size_t kPieceBytes = size_t{1} << 20;
  for (size_t at = 0; at < bytes.size(); at += kPieceBytes)
    MG_RETURN_IF_ERROR(file->Append(bytes.substr(at, kPieceBytes)));
  return OkStatus();
}

std::string PackDictionary(const std::vector<std::string>& dictionary) {
  std::string packed;
  for (const std::string& text : dictionary) {
    const auto length = static_cast<uint32_t>(text.size());
    packed.append(reinterpret_cast<const char*>(&length), sizeof(length));
  }
  for (const std::string& text : dictionary) packed += text;
  return packed;
}

// Hands the bytes of the columns to `sink`, piece by piece: run once for the checksum and once for the file, so that
// there is no second copy of the table in memory. Notes where everything lies (places may be null); returns the size.
StatusOr<uint64_t> EmitColumns(const Table& table, std::vector<ColumnPlace>* places,
                               const std::function<Status(std::string_view)>& sink) {
  static constexpr char kZeros[64] = {};
  uint64_t at = 0;
  const auto emit = [&](std::string_view piece) -> Status {
    MG_RETURN_IF_ERROR(sink(piece));
    const uint64_t padding = RoundUp(piece.size()) - piece.size();
    at += piece.size() + padding;
    return sink({kZeros, padding});
  };
  for (const Column& column : table.columns) {
    const bool is_number = column.kind == ColumnKind::kNumber;
    const auto width = static_cast<uint8_t>(is_number ? 4 : column.code_bytes);
    const void* values = is_number ? column.numbers : column.codes;
    const std::string dictionary = PackDictionary(column.dictionary);
    ColumnPlace place{.name = column.name,
                      .kind = column.kind,
                      .value_bytes = width,
                      .dictionary_size = static_cast<uint32_t>(column.dictionary.size()),
                      .values_offset = at,
                      .dictionary_offset = 0,
                      .dictionary_bytes = dictionary.size()};
    MG_RETURN_IF_ERROR(emit({static_cast<const char*>(values), static_cast<size_t>(table.rows) * width}));
    column.Release(0, table.rows);
    place.dictionary_offset = at;
    MG_RETURN_IF_ERROR(emit(dictionary));
    if (places != nullptr) places->push_back(std::move(place));
  }
  return at;
}

}  // namespace

StatusOr<std::vector<SourceState>> ReadSourceStates(std::span<const std::string> files) {
  std::vector<SourceState> states;
  for (const std::string& file : files) {
    SourceState state;
    if (!Stat(file, &state)) return InvalidInput(fmt::format("{}: cannot be read: {}", file, strerror(errno)));
    states.push_back(std::move(state));
  }
  return states;
}

bool SourcesUnchanged(std::span<const SourceState> states) { return CompareSources(states).empty(); }

std::string CachePath(const std::string& cache_dir, const CacheKey& key) {
  std::string text = KeyText(key);
  for (const std::string& file : key.files) text += fmt::format("{}:{};", file.size(), file);
  std::string first = key.files.empty() ? "none" : key.files.front();
  if (IsRemote(first)) first = WithoutQuery(first);
  const std::string name = BaseName(first);
  return JoinPath(cache_dir, fmt::format("{}-{:016x}.mgcache", name, Xxh3(text.data(), text.size())));
}

CacheLookup LoadCache(const std::string& cache_dir, const CacheKey& key) {
  const std::string path = CachePath(cache_dir, key);
  if (!FileExists(path)) return {};
  OpenedCache cache;
  std::string reason = OpenCache(path, &cache);
  CacheDescription& description = cache.description;
  if (reason.empty() && (description.key != KeyText(key) || description.sources.size() != key.files.size())) {
    reason = "it belongs to other columns or options";
  }
  for (size_t i = 0; reason.empty() && i < key.files.size(); ++i) {
    if (description.sources[i].path != key.files[i]) reason = "it belongs to other files";
  }
  if (reason.empty()) reason = CompareSources(description.sources);
  Table table;
  if (reason.empty() && description.columns.size() != key.requests.size()) reason = "it is damaged (columns)";
  for (size_t i = 0; reason.empty() && i < description.columns.size(); ++i) {
    table.columns.emplace_back();
    if (!LoadColumn(description.columns[i], description.rows, cache.columns, &table.columns.back()) ||
        table.columns.back().name != key.requests[i].name || table.columns.back().kind != key.requests[i].kind) {
      reason = "it is damaged (columns)";
    }
  }
  if (!reason.empty())
    return {std::nullopt, fmt::format("The column cache {} is not used: {}. It is made anew.", path, reason)};
  table.rows = static_cast<int64_t>(description.rows);
  table.source = description.source;
  table.storage.push_back(cache.file);
  return {std::move(table), ""};
}

Status StoreCache(const std::string& cache_dir, const CacheKey& key, std::span<const SourceState> sources,
                  const Table& table) {
  MG_RETURN_IF_ERROR(MakeDirectories(cache_dir));
  CacheDescription description;
  description.key = KeyText(key);
  description.sources.assign(sources.begin(), sources.end());
  description.rows = static_cast<uint64_t>(table.rows);
  description.source = table.source;
  XXH3_state_t* hash = XXH3_createState();
  XXH3_64bits_reset(hash);
  const uint64_t columns_bytes = EmitColumns(table, &description.columns, [hash](std::string_view piece) {
                                   XXH3_64bits_update(hash, piece.data(), piece.size());
                                   return OkStatus();
                                 }).value();
  const uint64_t checksum = XXH3_64bits_digest(hash);
  XXH3_freeState(hash);
  const std::string packed = PackCacheDescription(description);
  const uint64_t columns_offset = RoundUp(kCacheHeadBytes + packed.size());
  CacheHead head = {};
  memcpy(head.magic, kCacheMagic, sizeof(kCacheMagic));
  head.version = kCacheFormatVersion;
  head.file_bytes = columns_offset + columns_bytes;
  head.description_bytes = packed.size();
  head.columns_bytes = columns_bytes;
  head.description_checksum = Xxh3(packed.data(), packed.size());
  head.columns_checksum = checksum;
  head.head_checksum = Xxh3(&head, kCacheHeadBytes - 8);
  AtomicFile file;
  MG_RETURN_IF_ERROR(file.Open(CachePath(cache_dir, key)));
  MG_RETURN_IF_ERROR(file.Append({reinterpret_cast<const char*>(&head), sizeof(head)}));
  MG_RETURN_IF_ERROR(file.Append(packed));
  MG_RETURN_IF_ERROR(file.Append(std::string(columns_offset - kCacheHeadBytes - packed.size(), '\0')));
  MG_RETURN_IF_ERROR(
      EmitColumns(table, nullptr, [&file](std::string_view piece) { return AppendPieces(piece, &file); }).status());
  // What a power failure damages is seen by its checksums and made anew.
  return file.Commit(Durability::kNone);
}

}  // namespace manygate
