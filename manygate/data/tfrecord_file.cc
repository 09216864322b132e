// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/tfrecord_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "manygate/base/crc32c.h"
#include "manygate/base/text.h"

namespace manygate {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read as they lie in memory");

template <typename Number>
Number LoadNumber(const char* bytes) {
  Number number;
  memcpy(&number, bytes, sizeof(number));
  return number;
}

bool HasValidLength(const char* head) {
  return LoadNumber<uint32_t>(head + sizeof(uint64_t)) == MaskCrc(Crc32c(head, sizeof(uint64_t)));
}

}  // namespace

bool StartsWithRecord(std::string_view head) { return head.size() >= kRecordHeadBytes && HasValidLength(head.data()); }

bool RecordBlock::HasValidContent(const Record& record) const {
  const std::string_view content = Content(record);
  return LoadNumber<uint32_t>(content.data() + content.size()) == MaskCrc(Crc32c(content.data(), content.size()));
}

std::string RecordBlock::Name(size_t index) const {
  const size_t begin = index < records.size() ? records[index].begin - kRecordHeadBytes
                       : records.empty()      ? 0
                                              : records.back().begin + records.back().size + kRecordTailBytes;
  return fmt::format("{} (byte {})", first_record + index, first_byte + begin);
}

StatusOr<std::unique_ptr<TfRecordFile>> TfRecordFile::Open(const std::string& path, size_t block_bytes) {
  std::unique_ptr<TfRecordFile> file(new TfRecordFile(path, std::max(block_bytes, kRecordHeadBytes)));
  MG_ASSIGN_OR_RETURN(file->source_, TextSource::Open(path, StartsWithRecord));
  return file;
}

Status TfRecordFile::Fill(size_t wanted) {
  if (ahead_.size() >= wanted || source_ended_) return OkStatus();
  ahead_.Reserve(wanted);
  const size_t before = ahead_.size();
  MG_ASSIGN_OR_RETURN(const size_t got, source_->Read(ahead_.data() + before, wanted - before));
  source_ended_ = got < wanted - before;
  ahead_.SetSize(before + got);
  return OkStatus();
}

Status TfRecordFile::Problem(const RecordBlock& block, std::string_view text) const {
  return InvalidInput(fmt::format("{}: record {}: {}", path_, block.Name(block.records.size()), text));
}

Status TfRecordFile::FindRecords(RecordBlock* block, size_t* wanted) {
  size_t at = 0;
  while (at < ahead_.size()) {
    const size_t left = ahead_.size() - at;
    if (left < kRecordHeadBytes && !source_ended_) break;
    if (left >= kRecordHeadBytes && !HasValidLength(ahead_.data() + at)) {
      if (next_byte_ + at > 0) return Problem(*block, "the checksum of its length is wrong: the file is damaged");
      return InvalidInput(
          fmt::format("{}: is not a file of TFRecords: the checksum of the first length is wrong. Is "
                      "data_config.dataset_type right?",
                      path_));
    }
    const uint64_t size = left < kRecordHeadBytes ? 0 : LoadNumber<uint64_t>(ahead_.data() + at);
    if (size > kMaxRecordBytes)
      return Problem(*block, fmt::format("its length is {}, at most 64 MiB are read", FormatBytes(size)));
    const size_t whole = kRecordHeadBytes + static_cast<size_t>(size) + kRecordTailBytes;
    if (left < whole) {
      if (source_ended_)
        return Problem(*block, fmt::format("the file ends {} bytes into it; it was cut off (copy it again)", left));
      if (block->records.empty()) *wanted = std::max(whole, block_bytes_);
      break;
    }
    block->records.push_back({at + kRecordHeadBytes, static_cast<size_t>(size)});
    at += whole;
  }
  return OkStatus();
}

StatusOr<bool> TfRecordFile::Next(RecordBlock* block) {
  block->records.clear();
  block->first_record = next_record_;
  block->first_byte = next_byte_;
  size_t wanted = block_bytes_;
  while (block->records.empty()) {
    if (!problem_.ok()) return problem_;
    MG_RETURN_IF_ERROR(Fill(wanted));
    if (ahead_.size() == 0) return false;
    problem_ = FindRecords(block, &wanted);
  }
  const RecordBlock::Record& last = block->records.back();
  const size_t end = last.begin + last.size + kRecordTailBytes;
  // The block takes the buffer; what is left moves into the block's former buffer.
  std::swap(block->bytes, ahead_);
  const size_t rest = block->bytes.size() - end;
  ahead_.Reserve(std::max(block_bytes_, rest));
  memcpy(ahead_.data(), block->bytes.data() + end, rest);
  ahead_.SetSize(rest);
  block->bytes.SetSize(end);
  next_record_ += block->records.size();
  next_byte_ += end;
  return true;
}

}  // namespace manygate
