// SPDX-License-Identifier: Apache-2.0
// What several verbs need: checks of paths before long work begins, and notes for the user.
#ifndef MANYGATE_CLI_PRINTING_H_
#define MANYGATE_CLI_PRINTING_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/cli/cli.h"

namespace manygate::cli {

// Whether `path` can become a file. InvalidInput: its folder does not exist, or it is a folder itself.
Status CheckOutputPath(const std::string& path);

// Whether `dir` is a folder or can be made one. InvalidInput: it, or a part of the way to it, is a file.
Status CheckModelDirectory(const std::string& dir);

// "a.csv" and "b.csv,c.csv" -> "a.csv,b.csv,c.csv", the way a configuration names files.
std::string JoinPaths(std::span<const std::string> paths);

// One line each on console.err: "note: <text>".
void PrintNotes(std::span<const std::string> notes, const Console& console);

// "24.08 %"; of no rows 0.
std::string Percent(int64_t part, int64_t whole);

// "out/mmoe/" -> "out/mmoe"; "/" stays.
std::string WithoutSlash(std::string path);

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_PRINTING_H_
