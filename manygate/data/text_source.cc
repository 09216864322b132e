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
      {"PAR1", "a Parquet file; data_config.dataset_type: ParquetDataset reads it"},
      {"%PDF", "a PDF document"},
  };
  for (const auto& [magic, what] : kTypes) {
    if (head.substr(0, magic.size()) == magic) return what;
  }
  return nullptr;
}

}  // namespace

StatusOr<std::unique_ptr<TextSource>> TextSource::Open(const std::string& path,
                                                       bool (*is_content)(std::string_view head)) {
  std::unique_ptr<TextSource> source(new TextSource(path));
  MG_RETURN_IF_ERROR(source->OpenFile());
  source->compressed_.resize(kCompressedBytes);
  MG_RETURN_IF_ERROR(source->ReadCompressed());
  const std::string_view head(source->compressed_.data(), source->compressed_size_);
  if (head.empty()) return InvalidInput(fmt::format("{}: is empty", path));
  if (is_content != nullptr && is_content(head)) return source;
  source->decompressor_ = MakeDecompressor(head);
  if (source->decompressor_ != nullptr) return source;
  if (const char* what = OtherFileType(head)) {
    return InvalidInput(fmt::format("{}: expected text (CSV, TSV), plain, gzip or zstd; found {}", path, what));
  }
  const std::string_view name = IsRemote(path) ? WithoutQuery(path) : std::string_view(path);
  if (const char* format = CompressionOfName(name)) {
    return InvalidInput(fmt::format("{}: is named {} but does not hold {} data; if it is plain text, rename it", path,
                                    name.substr(name.rfind('.')), format));
  }
  return source;
}

Status TextSource::OpenFile() {
  if (IsRemote(path_)) {
    MG_ASSIGN_OR_RETURN(remote_, RemoteFile::Open(path_));
    return OkStatus();
  }
  descriptor_ = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) return InvalidInput(fmt::format("{}: cannot be opened: {}", path_, strerror(errno)));
  struct stat info;
  if (fstat(descriptor_, &info) == 0 && S_ISDIR(info.st_mode)) {
    return InvalidInput(fmt::format("{}: is a folder; name its files, for instance \"{}/*.csv\"", path_, path_));
  }
  return OkStatus();
}

TextSource::~TextSource() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status TextSource::ReadCompressed() {
  compressed_offset_ += compressed_size_;
  compressed_used_ = compressed_size_ = 0;
  MG_ASSIGN_OR_RETURN(compressed_size_, ReadPlain(compressed_.data(), compressed_.size()));
  return OkStatus();
}

StatusOr<size_t> TextSource::ReadPlain(char* buffer, size_t size) {
  if (remote_ != nullptr) return remote_->Read(buffer, size);
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
  if (decompressor_ != nullptr) return Unpack(buffer, size);
  const size_t ahead = std::min(size, compressed_size_ - compressed_used_);
  memcpy(buffer, compressed_.data() + compressed_used_, ahead);
  compressed_used_ += ahead;
  if (ahead == size) return size;
  MG_ASSIGN_OR_RETURN(const size_t rest, ReadPlain(buffer + ahead, size - ahead));
  return ahead + rest;
}

StatusOr<bool> TextSource::NextFrame() {
  // Compressed files may be joined end to end.
  for (;;) {
    if (compressed_used_ == compressed_size_) MG_RETURN_IF_ERROR(ReadCompressed());
    if (compressed_size_ == 0) return false;
    const char next = compressed_[compressed_used_];
    if (decompressor_->MayStartFrame(next)) return true;
    if (!decompressor_->IsPadding(next)) {
      return InvalidInput(
          fmt::format("{}: damaged: {} bytes behind the end of the {} data, from byte {} on, are not {}", path_,
                      compressed_size_ - compressed_used_, decompressor_->format(),
                      compressed_offset_ + compressed_used_, decompressor_->format()));
    }
    ++compressed_used_;
  }
}

StatusOr<size_t> TextSource::Unpack(char* buffer, size_t size) {
  size_t filled = 0;
  while (filled < size && !end_) {
    if (!in_frame_) {
      MG_ASSIGN_OR_RETURN(in_frame_, NextFrame());
      end_ = !in_frame_;
      continue;
    }
    if (compressed_used_ == compressed_size_) MG_RETURN_IF_ERROR(ReadCompressed());
    const Decompressor::Step step = decompressor_->Next(
        {compressed_.data() + compressed_used_, compressed_size_ - compressed_used_}, buffer + filled, size - filled);
    filled += step.produced;
    compressed_used_ += step.consumed;
    in_frame_ = !step.frame_end;
    if (!step.refusal.empty()) {
      return InvalidInput(fmt::format("{}: the {} data {}", path_, decompressor_->format(), step.refusal));
    }
    if (!step.damage.empty()) {
      return InvalidInput(fmt::format("{}: the {} data is damaged near byte {} ({}); copy or unpack the file again",
                                      path_, decompressor_->format(), compressed_offset_ + compressed_used_,
                                      step.damage));
    }
    // Only a step that has neither input nor something kept back makes nothing of it.
    if (in_frame_ && compressed_size_ == 0 && step.produced == 0) {
      return InvalidInput(
          fmt::format("{}: the {} data ends too early, after {} bytes; the file was cut off (copy it again)", path_,
                      decompressor_->format(), compressed_offset_));
    }
  }
  return filled;
}

}  // namespace manygate
