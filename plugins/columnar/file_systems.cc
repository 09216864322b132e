// SPDX-License-Identifier: Apache-2.0
#include "file_systems.h"

#include <arrow/filesystem/localfs.h>
#include <arrow/util/config.h>
#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <string_view>

namespace manygate::columnar {
namespace {

using FileSystems = std::map<std::string, std::shared_ptr<arrow::fs::FileSystem>>;

std::mutex mutex;                                   // guards file_systems
FileSystems* const file_systems = new FileSystems;  // never destroyed: FinishAtExit empties it in time

// The pieces of "scheme://user@host/path?query".
struct UriParts {
  std::string_view scheme, user, host, path, query;  // user with its "@", query with its "?", path with its "/"

  explicit UriParts(std::string_view uri) {
    const size_t colon = uri.find("://");
    scheme = uri.substr(0, colon);
    uri.remove_prefix(colon + 3);
    if (const size_t mark = uri.find('?'); mark != uri.npos) query = uri.substr(mark), uri = uri.substr(0, mark);
    host = uri.substr(0, uri.find('/'));
    path = uri.substr(host.size());
    if (const size_t at = host.rfind('@'); at != host.npos) user = host.substr(0, at + 1), host.remove_prefix(at + 1);
  }
};

bool IsUri(std::string_view path) { return path.find("://") != path.npos; }

// Threads of a file system's library must have ended before the destructors of that library run.
void FinishAtExit() {
  {
    const std::lock_guard lock(mutex);
    file_systems->clear();
  }
  arrow::fs::EnsureFinalized();
}

// Since Arrow 26 S3 is a library of its own, which lies beside libarrow; before, it was part of libarrow.
arrow::Status LoadS3() {
  static const arrow::Status loaded = [] {
    Dl_info arrow_library;
    if (dladdr(reinterpret_cast<void*>(&arrow::fs::EnsureFinalized), &arrow_library) == 0) return arrow::Status::OK();
    const auto folder = std::filesystem::path(arrow_library.dli_fname).parent_path();
    const std::filesystem::path library = folder / ("libarrow_s3.so." ARROW_SO_VERSION);
    if (!std::filesystem::exists(library)) return arrow::Status::OK();
    return arrow::fs::LoadFileSystemFactories(library.c_str());
  }();
  return loaded;
}

// As a URI wants it: everything but letters, digits and these as %XX.
std::string Escape(std::string_view path) {
  constexpr std::string_view kPlain = "-_.~/=:@!$&'()*+,;";
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || kPlain.find(c) != kPlain.npos) {
      escaped += c;
    } else {
      escaped += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return escaped;
}

}  // namespace

arrow::Result<Location> Locate(const std::string& path_or_uri) {
  if (!IsUri(path_or_uri)) {
    static const auto* const local =
        new std::shared_ptr<arrow::fs::FileSystem>(std::make_shared<arrow::fs::LocalFileSystem>());
    return Location{*local, std::filesystem::absolute(path_or_uri).string(), false};
  }
  const UriParts parts(path_or_uri);
  if (parts.scheme == "s3") ARROW_RETURN_NOT_OK(LoadS3());
  // The bucket is part of the key too: its region belongs to the file system.
  const std::string key =
      std::string(parts.scheme) + "://" + std::string(parts.user) + std::string(parts.host) + std::string(parts.query);
  const std::lock_guard lock(mutex);
  if (const auto known = file_systems->find(key); known != file_systems->end()) {
    ARROW_ASSIGN_OR_RAISE(std::string path, known->second->PathFromUri(path_or_uri));
    return Location{known->second, std::move(path), true};
  }
  Location location{.file_system = nullptr, .path = "", .remote = true};
  ARROW_ASSIGN_OR_RAISE(location.file_system, arrow::fs::FileSystemFromUri(path_or_uri, &location.path));
  if (file_systems->empty()) std::atexit(FinishAtExit);
  file_systems->emplace(key, location.file_system);
  return location;
}

std::string UriOf(const std::string& path_or_uri, const std::string& path) {
  if (!IsUri(path_or_uri)) return path;
  const UriParts parts(path_or_uri);
  // A path without a leading slash begins with what stands in the place of the host: s3://bucket/key.
  const std::string_view host = path.starts_with("/") ? parts.host : "";
  return std::string(parts.scheme) + "://" + std::string(parts.user) + std::string(host) + Escape(path) +
         std::string(parts.query);
}

}  // namespace manygate::columnar
