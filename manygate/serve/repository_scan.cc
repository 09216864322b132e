// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/repository_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "manygate/base/file.h"
#include "manygate/base/manifest.h"

namespace manygate::serve {
namespace {

namespace fs = std::filesystem;

bool IsFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

StatusOr<FoundModels> ScanModelDirectory(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::canonical(path, error);
  const std::string name = whole.filename().string();
  if (!IsModelName(name))
    return InvalidInput(
        fmt::format("{} is a model directory, and requests name a model by its folder, which \"{}\" cannot "
                    "be: rename it to letters, digits, \"_\", \"-\" and \".\"",
                    path, name));
  FoundModels models;
  models[name][1] = path;
  return models;
}

void ScanModel(const std::string& dir, std::map<int64_t, std::string>* versions,
               std::vector<std::string>* passed_over) {
  if (FileExists(JoinPath(dir, kManifestName))) {
    passed_over->push_back(
        fmt::format("passed over {}: a model directory without a version; expected {}", dir, JoinPath(dir, "1")));
    return;
  }
  const auto entries = ListDirectory(dir);
  if (!entries.ok()) {
    passed_over->push_back(fmt::format("passed over {}: {}", dir, entries.status().message()));
    return;
  }
  for (const std::string& entry : *entries) {
    const std::string path = JoinPath(dir, entry);
    if (entry[0] == '.' || !IsFolder(path)) continue;
    const int64_t version = ParseVersion(entry);
    if (version == 0) {
      passed_over->push_back(fmt::format("passed over {}: versions are whole numbers from 1", path));
    } else if (FileExists(JoinPath(path, kManifestName))) {
      (*versions)[version] = path;
    }
  }
}

}  // namespace

bool IsModelName(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  };
  return !name.empty() && name[0] != '.' && std::ranges::all_of(name, allowed);
}

int64_t ParseVersion(std::string_view text) {
  int64_t version = 0;
  if (text.empty() || text[0] < '1' || text[0] > '9') return 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  return error == std::errc() && end == text.data() + text.size() ? version : 0;
}

StatusOr<FoundModels> ScanRepository(const std::string& path, std::vector<std::string>* passed_over) {
  if (FileExists(JoinPath(path, kManifestName))) return ScanModelDirectory(path);
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> entries, ListDirectory(path));
  FoundModels models;
  for (const std::string& entry : entries) {
    const std::string dir = JoinPath(path, entry);
    if (entry[0] == '.' || !IsFolder(dir)) continue;
    if (IsModelName(entry)) {
      std::map<int64_t, std::string> versions;
      ScanModel(dir, &versions, passed_over);
      if (!versions.empty()) models[entry] = std::move(versions);
    } else {
      passed_over->push_back(
          fmt::format("passed over {}: names of models are of letters, digits, \"_\", \"-\" and \".\"", dir));
    }
  }
  return models;
}

std::string ManifestOf(const std::string& dir) {
  constexpr uint64_t kMostBytes = 1 << 20;  // what VerifyManifest reads
  const std::string path = JoinPath(dir, kManifestName);
  const auto size = FileSize(path);
  if (!size.ok() || *size > kMostBytes) return "";
  auto bytes = ReadFile(path);
  return bytes.ok() ? *std::move(bytes) : "";
}

std::string FolderStamp(const std::string& dir) {
  std::vector<std::string> lines;
  std::error_code error;
  for (fs::recursive_directory_iterator at(dir, error), end; !error && at != end; at.increment(error)) {
    std::error_code problem;
    const uint64_t size = fs::is_regular_file(at->path(), problem) ? fs::file_size(at->path(), problem) : 0;
    const auto time = fs::last_write_time(at->path(), problem).time_since_epoch().count();
    lines.push_back(fmt::format("{} {} {}\n", at->path().string(), size, time));
  }
  std::ranges::sort(lines);
  return fmt::format("{}", fmt::join(lines, ""));
}

}  // namespace manygate::serve
