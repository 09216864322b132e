// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/format.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#include "manygate/data/field_list_guess.h"
#include "manygate/data/memory_table.h"
#include "manygate/data/remote.h"
#include "manygate/data/text_source.h"
#include "manygate/data/tfrecord_file.h"

namespace manygate {
namespace {

constexpr size_t kHeadBytes = 4096;
constexpr size_t kUnpackedBytes = 256 << 10;

// The first bytes, as they stand in the file; none if it cannot be opened or is a folder.
StatusOr<std::string> ReadHead(const std::string& file) {
  std::string head(kHeadBytes, '\0');
  if (IsRemote(file)) {
    MG_ASSIGN_OR_RETURN(const std::unique_ptr<RemoteFile> remote, RemoteFile::Open(file));
    MG_ASSIGN_OR_RETURN(const size_t size, remote->Read(head.data(), head.size()));
    head.resize(size);
    return head;
  }
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return std::string();
  size_t filled = 0;
  ssize_t got = 0;
  while (filled < head.size()) {
    got = read(descriptor, head.data() + filled, head.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<size_t>(got);
  }
  const int error = got < 0 ? errno : 0;
  close(descriptor);
  if (error != 0 && error != EISDIR) {
    return InvalidInput(fmt::format("{}: cannot be read: {}", file, strerror(error)));
  }
  head.resize(filled);
  return head;
}

}  // namespace

StatusOr<config::DatasetType> DetectFormat(const std::string& file) {
  if (IsMemoryPath(file)) return config::CsvDataset;
  MG_ASSIGN_OR_RETURN(const std::string head, ReadHead(file));
  const std::string_view name = IsRemote(file) ? WithoutQuery(file) : std::string_view(file);
  if (head.starts_with("PAR1") || name.ends_with(".parquet")) return config::ParquetDataset;
  const std::string unpacked = UnpackedHead(file);
  if (StartsWithRecord(unpacked)) return config::TFRecordDataset;
  return GuessFieldList(unpacked).has_value() ? config::FieldListDataset : config::CsvDataset;
}

std::string UnpackedHead(const std::string& file) {
  const StatusOr<std::unique_ptr<TextSource>> source = TextSource::Open(file, StartsWithRecord);
  if (!source.ok()) return "";
  std::string head(kUnpackedBytes, '\0');
  const StatusOr<size_t> size = (*source)->Read(head.data(), head.size());
  if (!size.ok()) return "";
  head.resize(*size);
  return head;
}

std::string FormatName(config::DatasetType type) {
  switch (type) {
    case config::CsvDataset: return "text";
    case config::ParquetDataset: return "Parquet";
    case config::TFRecordDataset: return "TFRecord";
    case config::FieldListDataset: return "lists of fields";
    case config::KafkaDataset: break;  // refused when it is configured
  }
  return "";
}

}  // namespace manygate
