// SPDX-License-Identifier: Apache-2.0
// Files: whole reads, memory maps, atomic writes, globs, checksums. A reader never sees half a file: every write goes
// to a temporary file in the same folder (name ending ".tmp"), is flushed to disk and renamed.
//
//   MG_ASSIGN_OR_RETURN(std::string text, ReadFile(path));
//   MG_RETURN_IF_ERROR(WriteFileAtomic(path, text));
//   AtomicFile out;                       // for long outputs; without Commit nothing stays behind
//   MG_RETURN_IF_ERROR(out.Open(path));
//   MG_RETURN_IF_ERROR(out.Append(rows));
//   MG_RETURN_IF_ERROR(out.Commit());
//
// A path that does not exist or cannot be read is InvalidInput; a write that fails is Failed. Every message names the
// path and the system's own text.
#ifndef MANYGATE_BASE_FILE_H_
#define MANYGATE_BASE_FILE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manygate/base/status.h"

namespace manygate {

StatusOr<std::string> ReadFile(const std::string& path);
Status WriteFileAtomic(const std::string& path, std::string_view content);

// kSynced: flush, fsync, rename, fsync of the folder. kNone: no fsync, for what can be made anew and is checked when it is
// read: after a power failure the file may be damaged under its name.
enum class Durability { kSynced, kNone };

class AtomicFile {
 public:
  AtomicFile() = default;
  ~AtomicFile();  // without Commit: removes the temporary file
  AtomicFile(AtomicFile&& other) noexcept { *this = std::move(other); }
  AtomicFile& operator=(AtomicFile&& other) noexcept;

  Status Open(const std::string& path);     // the folder must exist
  Status Append(std::string_view content);  // buffered; after an error Commit fails too
  Status Commit(Durability durability = Durability::kSynced);
  const std::string& path() const { return path_; }

 private:
  Status Flush();
  void Abandon();

  std::string path_;
  std::string temporary_path_;
  std::string buffer_;
  int descriptor_ = -1;
  bool failed_ = false;
};

// A whole file mapped read-only; an empty file gives an empty view.
class MappedFile {
 public:
  static StatusOr<MappedFile> Open(const std::string& path);
  MappedFile() = default;
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept { *this = std::move(other); }
  MappedFile& operator=(MappedFile&& other) noexcept;

  const char* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

// Files named by "a.csv,part-*.csv.gz" (globs * ? [..]), sorted within each glob, no file twice. InvalidInput when one
// piece matches nothing (the message lists the folder's nearest file names) or names a folder.
StatusOr<std::vector<std::string>> ExpandPaths(std::string_view comma_separated_globs);

Status MakeDirectories(const std::string& path);  // like mkdir -p; fine if it exists
Status SyncFolder(const std::string& folder);     // after a rename in it, which a power failure may forget otherwise
Status RemoveTree(const std::string& path);  // file or folder with all below; links are not followed; fine if absent
bool FileExists(const std::string& path);    // file or folder
StatusOr<uint64_t> FileSize(const std::string& path);
// Names (not paths) of the entries of a folder, sorted, without "." and "..".
StatusOr<std::vector<std::string>> ListDirectory(const std::string& path);
std::string JoinPath(std::string_view folder, std::string_view name);
std::string DirectoryOf(const std::string& path);  // "a/b.csv" -> "a", "b.csv" -> "."
std::string BaseName(const std::string& path);     // "a/b.csv" -> "b.csv"

uint64_t Xxh3(const void* data, size_t size);  // XXH3, 64 bits
StatusOr<uint64_t> Xxh3File(const std::string& path);

}  // namespace manygate

#endif  // MANYGATE_BASE_FILE_H_
