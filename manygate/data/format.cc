// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/format.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace manygate {
namespace {

constexpr size_t kHeadBytes = 4096;

// The first bytes, as they stand in the file; none if it cannot be opened or is a folder.
StatusOr<std::string> ReadHead(const std::string& file) {
  std::string head(kHeadBytes, '\0');
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
  MG_ASSIGN_OR_RETURN(const std::string head, ReadHead(file));
  if (head.starts_with("PAR1") || file.ends_with(".parquet")) return config::ParquetDataset;
  return config::CsvDataset;
}

}  // namespace manygate
