// SPDX-License-Identifier: Apache-2.0
// ExpandPaths of file.h: "data/part-*.csv.gz,data/extra.csv" -> files.
#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <filesystem>

#include "manygate/base/file.h"
#include "manygate/base/text.h"

namespace manygate {
namespace {

bool IsFolder(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

std::vector<std::string> Glob(const std::string& pattern) {
  std::vector<std::string> paths;
  if (FileExists(pattern)) return {pattern};  // a name may itself hold [ or *
  glob_t matches;
  if (glob(pattern.c_str(), 0, nullptr, &matches) == 0) {
    paths.assign(matches.gl_pathv, matches.gl_pathv + matches.gl_pathc);
  }
  globfree(&matches);
  std::sort(paths.begin(), paths.end());
  return paths;
}

// What a user who mistyped a path wants to see: the deepest folder that exists and what lies in it.
Status NothingMatches(const std::string& pattern) {
  std::string folder = DirectoryOf(pattern), missing = BaseName(pattern);
  const bool has_glob = pattern.find_first_of("*?[") != std::string::npos;
  while (!IsFolder(folder) && folder != "." && folder != "/") {
    missing = BaseName(folder);
    folder = DirectoryOf(folder);
  }
  const std::string start = fmt::format("{}: {}", pattern, has_glob ? "no file matches this pattern" : "no such file");
  StatusOr<std::vector<std::string>> names = ListDirectory(folder);
  if (!names.ok()) return InvalidInput(start);
  return InvalidInput(fmt::format("{}. {}", start, Suggestion(missing, *names, fmt::format("Files in {}", folder))));
}

}  // namespace

StatusOr<std::vector<std::string>> ExpandPaths(std::string_view comma_separated_globs) {
  std::vector<std::string> paths;
  for (const std::string& piece : Split(comma_separated_globs, ',')) {
    const std::string pattern(Trim(piece));
    if (pattern.empty()) {
      return InvalidInput(
          fmt::format("\"{}\": an empty path. Expected files or globs separated by commas", comma_separated_globs));
    }
    const bool has_glob = pattern.find_first_of("*?[") != std::string::npos;
    bool found = false;
    for (std::string& path : Glob(pattern)) {
      if (IsFolder(path)) {
        if (has_glob && path != pattern) continue;
        return InvalidInput(fmt::format("{0}: is a folder, expected a file. For all files in it write {0}/*", path));
      }
      found = true;
      if (std::find(paths.begin(), paths.end(), path) == paths.end()) paths.push_back(std::move(path));
    }
    if (!found) return NothingMatches(pattern);
  }
  return paths;
}

}  // namespace manygate
