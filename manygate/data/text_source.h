// SPDX-License-Identifier: Apache-2.0
// A file of text, of this machine or another (remote.h), as a stream of bytes, decompressed when it is gzip or zstd (seen by its first bytes, not by its name).
//
//   MG_ASSIGN_OR_RETURN(std::unique_ptr<TextSource> source, TextSource::Open("census.csv.gz"));
//   MG_ASSIGN_OR_RETURN(size_t bytes, source->Read(buffer, sizeof(buffer)));   // 0 at the end
#ifndef MANYGATE_DATA_TEXT_SOURCE_H_
#define MANYGATE_DATA_TEXT_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/compression.h"
#include "manygate/data/remote.h"

namespace manygate {

class TextSource {
 public:
  // InvalidInput: not there, a folder, not readable, empty; named .gz or .zst but not compressed; zip, bzip2, xz,
  // Parquet, PDF, UTF-16. is_content: says of the first bytes of a file (12 or more where it has as many) that they are
  // content of another kind than text, which may begin like any of these.
  static StatusOr<std::unique_ptr<TextSource>> Open(const std::string& path,
                                                    bool (*is_content)(std::string_view head) = nullptr);
  ~TextSource();
  TextSource(const TextSource&) = delete;
  TextSource& operator=(const TextSource&) = delete;

  // Fills `buffer` unless the end comes first; returns the number of bytes. InvalidInput: damaged or truncated gzip
  // or zstd, a read error of the system.
  StatusOr<size_t> Read(char* buffer, size_t size);

 private:
  explicit TextSource(std::string path) : path_(std::move(path)) {}
  Status OpenFile();
  Status ReadCompressed();  // refills compressed_
  StatusOr<size_t> ReadPlain(char* buffer, size_t size);
  StatusOr<size_t> Unpack(char* buffer, size_t size);
  StatusOr<bool> NextFrame();  // after the end of a compressed frame: is there another?

  const std::string path_;
  int descriptor_ = -1;
  std::unique_ptr<RemoteFile> remote_;          // instead of the descriptor
  std::unique_ptr<Decompressor> decompressor_;  // null: plain text
  bool end_ = false;
  bool in_frame_ = true;
  std::vector<char> compressed_;  // what was read ahead: the decompressor's input, else the first bytes of the text
  size_t compressed_used_ = 0;
  size_t compressed_size_ = 0;
  uint64_t compressed_offset_ = 0;  // of compressed_[0] in the file
};

}  // namespace manygate

#endif  // MANYGATE_DATA_TEXT_SOURCE_H_
