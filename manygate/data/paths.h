// SPDX-License-Identifier: Apache-2.0
// The files that an input path stands for: ExpandPaths (base/file.h), and folders and files of other machines besides.
//
//   ExpandSources("data/part-*.csv.gz,extra.csv")      // files and globs
//   ExpandSources("clicks/")                           // a folder: all its data files, at any depth
//   ExpandSources("s3://bucket/clicks/")               // the same; also s3://bucket/clicks/part-*.parquet
//   ExpandSources("memory:1/customers")                // a table in memory (memory_table.h) stands for itself
//
//   PartitionsOf("clicks/day=2024-01-31/country=DE/part-0.parquet")   // {{"day", "2024-01-31"}, {"country", "DE"}}
#ifndef MANYGATE_DATA_PATHS_H_
#define MANYGATE_DATA_PATHS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manygate/base/status.h"

namespace manygate {

// Of a folder: its Parquet files if it has any, or else its text files (.csv, .tsv, .txt, also .gz and .zst), sorted by
// path; files and folders whose names begin with "_" or "." are left out. Globs of local files know * ? [..], those of
// other machines only * (there, "?" begins the options). No file twice. InvalidInput: as ExpandPaths; a folder without
// data files; folders named key=value above text files, which do not become columns; see remote.h.
StatusOr<std::vector<std::string>> ExpandSources(std::string_view comma_separated);

// The folders named key=value, outermost first, percent-decoded; the value "" of __HIVE_DEFAULT_PARTITION__ is missing.
std::vector<std::pair<std::string, std::string>> PartitionsOf(std::string_view path);

}  // namespace manygate

#endif  // MANYGATE_DATA_PATHS_H_
