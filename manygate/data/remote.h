// SPDX-License-Identifier: Apache-2.0
// Files of other machines, named by URIs (s3://bucket/key, hdfs://host:port/path), read through the columnar plug-in.
//
//   if (IsRemote(path)) { MG_ASSIGN_OR_RETURN(auto file, RemoteFile::Open(path)); ... }
//
// What follows a "?" in a URI are options of the file system: s3://bucket/key?region=eu-west-1. Credentials come from the
// environment (AWS_ACCESS_KEY_ID, ...); written into a URI they would stand in messages and in configurations.
#ifndef MANYGATE_DATA_REMOTE_H_
#define MANYGATE_DATA_REMOTE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/columnar_plugin.h"

namespace manygate {

// "scheme://...".
bool IsRemote(std::string_view path);

// The part before the "?".
std::string_view WithoutQuery(std::string_view path);

struct RemoteEntry {
  std::string path;
  bool is_folder = false;
  uint64_t bytes = 0;
  int64_t modified_ns = 0;
};

// InvalidInput: not there, not reachable, no plug-in.
StatusOr<RemoteEntry> RemoteInfo(const std::string& path);
// All files below a folder, sorted by path; with `recursive` false all that is in it. Errors as RemoteInfo.
StatusOr<std::vector<RemoteEntry>> ListRemote(const std::string& folder, bool recursive);

// A file read from begin to end.
class RemoteFile {
 public:
  // Errors as RemoteInfo.
  static StatusOr<std::unique_ptr<RemoteFile>> Open(const std::string& path);
  ~RemoteFile();
  RemoteFile(const RemoteFile&) = delete;
  RemoteFile& operator=(const RemoteFile&) = delete;

  // Fills `buffer` unless the end comes first; returns the number of bytes. InvalidInput: the connection or the file.
  StatusOr<size_t> Read(char* buffer, size_t size);

 private:
  RemoteFile(std::string path, const ManygateColumnar* columnar) : path_(std::move(path)), columnar_(columnar) {}

  const std::string path_;
  const ManygateColumnar* const columnar_;
  ManygateInput* input_ = nullptr;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_REMOTE_H_
