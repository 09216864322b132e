// SPDX-License-Identifier: Apache-2.0
#include "manygate/cli/printing.h"

#include <fmt/format.h>

#include <filesystem>
#include <ostream>
#include <system_error>

#include "manygate/base/file.h"

namespace manygate::cli {
namespace {

bool IsFolder(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

}  // namespace

Status CheckOutputPath(const std::string& path) {
  if (IsFolder(path)) return InvalidInput(fmt::format("{}: is a folder, expected the name of a file to write", path));
  const std::string folder = DirectoryOf(path);
  if (!FileExists(folder)) {
    return InvalidInput(
        fmt::format("{}: the folder {} does not exist. Make it first: mkdir -p {}", path, folder, folder));
  }
  if (!IsFolder(folder)) return InvalidInput(fmt::format("{}: {} is a file, not a folder", path, folder));
  return OkStatus();
}

Status CheckModelDirectory(const std::string& dir) {
  std::string existing = WithoutSlash(dir);
  while (!FileExists(existing) && existing != "." && existing != "/") existing = DirectoryOf(existing);
  if (IsFolder(existing)) return OkStatus();
  return InvalidInput(fmt::format("model directory {}: {} is a file, not a folder", dir, existing));
}

std::string JoinPaths(std::span<const std::string> paths) {
  std::string joined;
  for (const std::string& path : paths) joined += (joined.empty() ? "" : ",") + path;
  return joined;
}

void PrintNotes(std::span<const std::string> notes, const Console& console) {
  for (const std::string& note : notes) console.err << "note: " << note << "\n";
  console.err.flush();
}

std::string Percent(int64_t part, int64_t whole) {
  return fmt::format("{:.2f} %", whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace manygate::cli
