// SPDX-License-Identifier: Apache-2.0
// The compressed formats of text files, gzip (RFC 1952) and zstd (RFC 8878), as streams in both directions.
//
//   std::unique_ptr<Decompressor> unpack = MakeDecompressor(first_bytes_of_the_file);  // nullptr: not compressed
//   std::unique_ptr<Compressor> pack = MakeCompressor("out.csv.zst");                  // nullptr: plain
//
// Memory does not grow with the file. A zstd file whose window is over 128 MiB (made with --long=28 or more) is refused,
// as the zstd program itself does.
#ifndef MANYGATE_DATA_COMPRESSION_H_
#define MANYGATE_DATA_COMPRESSION_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "manygate/base/file.h"
#include "manygate/base/status.h"

namespace manygate {

// A file is one or more frames end to end (gzip calls them members); zstd also has frames without content to skip.
class Decompressor {
 public:
  struct Step {
    size_t consumed = 0;  // bytes of the input that are done with
    size_t produced = 0;  // bytes written to the output
    bool frame_end = false;
    std::string damage;   // what is wrong with the bytes; empty: nothing
    std::string refusal;  // why whole data is not unpacked, to follow "the zstd data "; empty: it is
  };

  virtual ~Decompressor() = default;
  virtual const char* format() const = 0;  // "gzip"
  // Unpacks as much as input and room allow; after a frame's end the next call starts another one.
  virtual Step Next(std::string_view input, char* output, size_t room) = 0;
  virtual bool MayStartFrame(char first_byte) const = 0;
  virtual bool IsPadding(char byte) const = 0;  // may stand behind a frame and means nothing
};

class Compressor {
 public:
  virtual ~Compressor() = default;
  // Appends the compressed text to *file; `finish`: ends the frame, no more may follow.
  virtual Status Append(std::string_view text, bool finish, AtomicFile* file) = 0;
};

// By the first bytes of a file, 4 or more where it has as many; nullptr: neither gzip nor zstd.
std::unique_ptr<Decompressor> MakeDecompressor(std::string_view head);

// By the end of a name, see CompressionOfName; nullptr: to be written as it is.
std::unique_ptr<Compressor> MakeCompressor(std::string_view path);

// "gzip" for names that end in .gz, "zstd" for .zst, nullptr for others.
const char* CompressionOfName(std::string_view path);

}  // namespace manygate

#endif  // MANYGATE_DATA_COMPRESSION_H_
