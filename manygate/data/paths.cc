// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/paths.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>

#include "manygate/base/file.h"
#include "manygate/base/text.h"
#include "manygate/data/memory_table.h"
#include "manygate/data/remote.h"

namespace manygate {
namespace {

constexpr std::array<std::string_view, 1> kParquetNames = {".parquet"};
constexpr std::array<std::string_view, 3> kTextNames = {".csv", ".tsv", ".txt"};
constexpr char kNothingMatches[] = "no file matches this pattern";

std::string WithoutSlash(std::string_view folder) {
  while (folder.size() > 1 && folder.ends_with("/")) folder.remove_suffix(1);
  return std::string(folder);
}

// Whether the path ends in one of these, with or without .gz or .zst behind it.
bool HasEnding(std::string_view path, std::span<const std::string_view> endings) {
  path = IsRemote(path) ? WithoutQuery(path) : path;
  for (const std::string_view packed : {".gz", ".zst"})
    if (path.ends_with(packed)) path.remove_suffix(packed.size());
  return std::any_of(endings.begin(), endings.end(),
                     [path](std::string_view ending) { return path.ends_with(ending); });
}

// Spark, Hive and others keep what is no data under such names: _SUCCESS, _temporary, .part-0.parquet.crc.
bool IsHidden(std::string_view path_below) {
  for (const std::string& name : Split(path_below, '/'))
    if (name.starts_with("_") || name.starts_with(".")) return true;
  return false;
}

// All files below a folder, without the hidden ones, by path.
StatusOr<std::vector<std::string>> FilesBelow(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const bool hidden = IsHidden(at->path().filename().string());
    if (hidden) at.disable_recursion_pending();
    std::error_code ignored;
    if (!hidden && at->is_regular_file(ignored)) files.push_back(at->path().string());
  }
  if (error) return InvalidInput(fmt::format("{}: the folder cannot be read: {}", folder, error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

StatusOr<std::vector<std::string>> RemoteFilesBelow(const std::string& folder) {
  MG_ASSIGN_OR_RETURN(const std::vector<RemoteEntry> entries, ListRemote(folder, true));
  const size_t folder_size = WithoutSlash(WithoutQuery(folder)).size();
  std::vector<std::string> files;
  for (const RemoteEntry& entry : entries) {
    const std::string_view path = WithoutQuery(entry.path);
    if (path.size() > folder_size + 1 && !IsHidden(path.substr(folder_size + 1))) files.push_back(entry.path);
  }
  return files;
}

// Those of a folder's files that are its data.
StatusOr<std::vector<std::string>> DataFiles(const std::string& folder, const std::vector<std::string>& files) {
  std::vector<std::string> chosen;
  const auto choose = [&](std::span<const std::string_view> endings) {
    std::copy_if(files.begin(), files.end(), std::back_inserter(chosen),
                 [&](const std::string& file) { return HasEnding(file, endings); });
    return !chosen.empty();
  };
  if (choose(kParquetNames)) return chosen;
  if (!choose(kTextNames)) {
    return InvalidInput(
        fmt::format("{}: a folder without data files, at any depth. Expected files named .parquet, .csv, .tsv or .txt; "
                    "others can be named: {}/*",
                    folder, WithoutSlash(folder)));
  }
  for (const std::string& file : chosen) {
    if (PartitionsOf(file.substr(WithoutSlash(WithoutQuery(folder)).size())).empty()) continue;
    return InvalidInput(fmt::format(
        "{}: folders named key=value become columns of Parquet files, not of text; write the column into the "
        "files, or name the files: {}",
        folder, file));
  }
  return chosen;
}

// "s3://bucket/clicks/day=*/part-?.parquet" lists s3://bucket/clicks.
StatusOr<std::vector<std::string>> RemoteGlob(const std::string& pattern) {
  const std::string plain(WithoutQuery(pattern));
  const size_t slash = plain.rfind('/', plain.find_first_of("*["));
  const std::string query = pattern.substr(plain.size());
  const bool deep = plain.find('/', slash + 1) != std::string::npos;
  MG_ASSIGN_OR_RETURN(const std::vector<RemoteEntry> entries, ListRemote(plain.substr(0, slash) + query, deep));
  std::vector<std::string> files, names;
  for (const RemoteEntry& entry : entries) {
    const std::string path(WithoutQuery(entry.path));
    names.push_back(path.substr(std::min(path.size(), slash + 1)));
    if (!entry.is_folder && fnmatch(plain.c_str(), path.c_str(), FNM_PATHNAME) == 0) files.push_back(entry.path);
  }
  if (!files.empty()) return files;
  return InvalidInput(
      fmt::format("{}: {}. {}", pattern, kNothingMatches, Suggestion(plain.substr(slash + 1), names, "Files there")));
}

StatusOr<std::vector<std::string>> ExpandRemote(const std::string& piece) {
  if (WithoutQuery(piece).find_first_of("*[") != std::string_view::npos) return RemoteGlob(piece);
  MG_ASSIGN_OR_RETURN(const RemoteEntry entry, RemoteInfo(piece));
  if (!entry.is_folder) return std::vector<std::string>{piece};
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> files, RemoteFilesBelow(piece));
  return DataFiles(piece, files);
}

StatusOr<std::vector<std::string>> ExpandPiece(const std::string& piece) {
  if (IsMemoryPath(piece)) return std::vector<std::string>{piece};
  if (IsRemote(piece)) return ExpandRemote(piece);
  std::error_code error;
  if (!std::filesystem::is_directory(piece, error)) return ExpandPaths(piece);
  MG_ASSIGN_OR_RETURN(const std::vector<std::string> files, FilesBelow(piece));
  return DataFiles(piece, files);
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// "a%20b" -> "a b".
std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) >= 0 && HexDigit(text[i + 2]) >= 0;
    decoded += escape ? static_cast<char>(HexDigit(text[i + 1]) * 16 + HexDigit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return decoded;
}

}  // namespace

StatusOr<std::vector<std::string>> ExpandSources(std::string_view comma_separated) {
  std::vector<std::string> paths;
  for (const std::string& untrimmed : Split(comma_separated, ',')) {
    const std::string piece(Trim(untrimmed));
    if (piece.empty()) {
      return InvalidInput(
          fmt::format("\"{}\": an empty path. Expected files, folders or globs separated by commas", comma_separated));
    }
    MG_ASSIGN_OR_RETURN(std::vector<std::string> files, ExpandPiece(piece));
    for (std::string& file : files)
      if (std::find(paths.begin(), paths.end(), file) == paths.end()) paths.push_back(std::move(file));
  }
  return paths;
}

std::vector<std::pair<std::string, std::string>> PartitionsOf(std::string_view path) {
  const bool remote = IsRemote(path);
  std::vector<std::string> names = Split(remote ? WithoutQuery(path) : path, '/');
  names.pop_back();  // the file
  std::vector<std::pair<std::string, std::string>> partitions;
  for (const std::string& escaped : names) {
    // A URI has escapes of its own around those of the folder's name.
    const std::string name = remote ? PercentDecoded(escaped) : escaped;
    const size_t equals = name.find('=');
    if (equals == 0 || equals == std::string::npos) continue;
    std::string value = PercentDecoded(name.substr(equals + 1));
    if (value == "__HIVE_DEFAULT_PARTITION__") value.clear();
    partitions.emplace_back(PercentDecoded(name.substr(0, equals)), std::move(value));
  }
  return partitions;
}

}  // namespace manygate
