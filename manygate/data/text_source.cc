// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/text_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

namespace manygate {
namespace {

constexpr size_t kCompressedBytes = 256 << 10;

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// What else the file may be, by its first bytes; nullptr: text, as far as can be seen.
const char* OtherFileType(std::string_view head) {
  static constexpr std::pair<std::string_view, const char*> kTypes[] = {
      {"\xFF\xFE", "UTF-16 text; convert it with: iconv -f UTF-16 -t UTF-8"},
      {"\xFE\xFF", "UTF-16 text; convert it with: iconv -f UTF-16 -t UTF-8"},
      {"PK\x03\x04", "a zip archive (or a spreadsheet); unpack it, or save the sheet as CSV"},
      {"BZh", "bzip2 data; unpack it or compress it with gzip"},
      {"\xFD"
       "7zXZ",
       "xz data; unpack it or compress it with gzip"},
      {"\x28\xB5\x2F\xFD", "zstd data; unpack it or compress it with gzip"},
      {"PAR1", "a Parquet file; export it as CSV"},
      {"%PDF", "a PDF document"},
  };
  for (const auto& [magic, what] : kTypes) {
    if (head.substr(0, magic.size()) == magic) return what;
  }
  return nullptr;
}

}  // namespace

StatusOr<std::unique_ptr<TextSource>> TextSource::Open(const std::string& path) {
  std::unique_ptr<TextSource> source(new TextSource(path));
  source->descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (source->descriptor_ < 0) return InvalidInput(fmt::format("{}: cannot be opened: {}", path, strerror(errno)));
  struct stat info;
  if (fstat(source->descriptor_, &info) == 0 && S_ISDIR(info.st_mode)) {
    return InvalidInput(fmt::format("{}: is a folder; name its files, for instance \"{}/*.csv\"", path, path));
  }
  source->compressed_.resize(kCompressedBytes);
  MG_RETURN_IF_ERROR(source->ReadCompressed());
  const std::string_view head(source->compressed_.data(), source->compressed_size_);
  if (head.empty()) return InvalidInput(fmt::format("{}: is empty", path));
  source->is_gzip_ = head.size() >= 2 && head.substr(0, 2) == "\x1F\x8B";
  if (!source->is_gzip_) {
    if (const char* what = OtherFileType(head)) {
      return InvalidInput(fmt::format("{}: expected text (CSV, TSV), plain or gzip; found {}", path, what));
    }
    if (EndsWith(path, ".gz")) {
      return InvalidInput(
          fmt::format("{}: is named .gz but does not hold gzip data; if it is plain text, rename it", path));
    }
  }
  if (source->is_gzip_) {
    // 15 + 16: the largest window, gzip framing only.
    if (inflateInit2(&source->stream_, 15 + 16) != Z_OK) return Failed(fmt::format("{}: out of memory for zlib", path));
    source->inflating_ = true;
  }
  return source;
}

TextSource::~TextSource() {
  if (is_gzip_) inflateEnd(&stream_);
  if (descriptor_ >= 0) close(descriptor_);
}

Status TextSource::ReadCompressed() {
  compressed_offset_ += compressed_size_;
  compressed_used_ = compressed_size_ = 0;
  MG_ASSIGN_OR_RETURN(compressed_size_, ReadPlain(compressed_.data(), compressed_.size()));
  return OkStatus();
}

StatusOr<size_t> TextSource::ReadPlain(char* buffer, size_t size) {
  size_t filled = 0;
  while (filled < size) {
    const ssize_t got = read(descriptor_, buffer + filled, size - filled);
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return InvalidInput(fmt::format("{}: cannot be read: {}", path_, strerror(errno)));
    filled += static_cast<size_t>(got);
  }
  return filled;
}

StatusOr<size_t> TextSource::Read(char* buffer, size_t size) {
  if (is_gzip_) return Inflate(buffer, size);
  const size_t ahead = std::min(size, compressed_size_ - compressed_used_);
  memcpy(buffer, compressed_.data() + compressed_used_, ahead);
  compressed_used_ += ahead;
  if (ahead == size) return size;
  MG_ASSIGN_OR_RETURN(const size_t rest, ReadPlain(buffer + ahead, size - ahead));
  return ahead + rest;
}

StatusOr<bool> TextSource::NextMember() {
  // gzip files may be joined end to end; some tools pad the end with zeros.
  for (;;) {
    if (compressed_used_ == compressed_size_) MG_RETURN_IF_ERROR(ReadCompressed());
    if (compressed_size_ == 0) return false;
    const auto* next = reinterpret_cast<const unsigned char*>(compressed_.data()) + compressed_used_;
    if (*next == 0x1F) break;
    if (*next != 0) {
      return InvalidInput(
          fmt::format("{}: damaged: {} bytes behind the end of the gzip data, from byte {} on, are not gzip", path_,
                      compressed_size_ - compressed_used_, compressed_offset_ + compressed_used_));
    }
    ++compressed_used_;
  }
  inflateReset(&stream_);
  return true;
}

StatusOr<size_t> TextSource::Inflate(char* buffer, size_t size) {
  size_t filled = 0;
  while (filled < size && !end_) {
    if (!inflating_) {
      MG_ASSIGN_OR_RETURN(inflating_, NextMember());
      end_ = !inflating_;
      continue;
    }
    if (compressed_used_ == compressed_size_) MG_RETURN_IF_ERROR(ReadCompressed());
    if (compressed_size_ == 0) {
      return InvalidInput(
          fmt::format("{}: the gzip data ends too early, after {} bytes; the file was cut off (copy it again)", path_,
                      compressed_offset_));
    }
    stream_.next_in = reinterpret_cast<Bytef*>(compressed_.data() + compressed_used_);
    stream_.avail_in = static_cast<uInt>(compressed_size_ - compressed_used_);
    stream_.next_out = reinterpret_cast<Bytef*>(buffer + filled);
    const uInt room = static_cast<uInt>(std::min<size_t>(size - filled, 1u << 30));
    stream_.avail_out = room;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    filled += room - stream_.avail_out;
    compressed_used_ = compressed_size_ - stream_.avail_in;
    if (code == Z_STREAM_END) {
      inflating_ = false;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      return InvalidInput(fmt::format("{}: the gzip data is damaged near byte {} ({}); copy or unpack the file again",
                                      path_, compressed_offset_ + compressed_used_,
                                      stream_.msg != nullptr ? stream_.msg : "no details"));
    }
  }
  return filled;
}

}  // namespace manygate
