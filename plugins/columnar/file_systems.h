// SPDX-License-Identifier: Apache-2.0
// The file systems that Arrow knows, by path: names of local files, s3://, hdfs:// and what else this Arrow has.
//
//   ARROW_ASSIGN_OR_RAISE(Location location, Locate("s3://bucket/folder/rows.parquet"));
//   ARROW_ASSIGN_OR_RAISE(auto file, location.file_system->OpenInputFile(location.path));
#ifndef MANYGATE_PLUGINS_COLUMNAR_FILE_SYSTEMS_H_
#define MANYGATE_PLUGINS_COLUMNAR_FILE_SYSTEMS_H_

#include <arrow/filesystem/filesystem.h>
#include <arrow/result.h>

#include <memory>
#include <string>

namespace manygate::columnar {

struct Location {
  std::shared_ptr<arrow::fs::FileSystem> file_system;
  std::string path;  // as the file system names it
  bool remote = false;
};

// A file system is made once for each host, user and query, and finalised when the process ends.
arrow::Result<Location> Locate(const std::string& path_or_uri);

// The URI of another path of the same file system; for names of local files the path itself.
std::string UriOf(const std::string& path_or_uri, const std::string& path);

}  // namespace manygate::columnar

#endif  // MANYGATE_PLUGINS_COLUMNAR_FILE_SYSTEMS_H_
