// SPDX-License-Identifier: Apache-2.0
// One file of records, plain, gzip or zstd, in blocks of whole records.
//
//   MG_ASSIGN_OR_RETURN(std::unique_ptr<TfRecordFile> file, TfRecordFile::Open(path));
//   RecordBlock block;
//   for (;;) {
//     MG_ASSIGN_OR_RETURN(bool more, file->Next(&block));
//     if (!more) break;
//     for (const RecordBlock::Record& record : block.records) use(block.Content(record));
//   }
//
// The form of a record stands in base/crc32c.h. The length of each is checked when it is read, its bytes by whoever takes
// the block (HasValidContent): that is most of the work, and can be shared among threads.
#ifndef MANYGATE_DATA_TFRECORD_FILE_H_
#define MANYGATE_DATA_TFRECORD_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/csv_file.h"
#include "manygate/data/text_source.h"

namespace manygate {

inline constexpr size_t kRecordBlockBytes = size_t{1} << 20;
inline constexpr size_t kMaxRecordBytes = size_t{64} << 20;

struct RecordBlock {
  struct Record {
    size_t begin;  // of its content in `bytes`
    size_t size;
  };
  TextBuffer bytes;
  std::vector<Record> records;
  uint64_t first_record = 1;  // number of records[0] in the file, from 1
  uint64_t first_byte = 0;    // where bytes[0] stands in the unpacked file

  std::string_view Content(const Record& record) const { return {bytes.data() + record.begin, record.size}; }
  bool HasValidContent(const Record& record) const;
  // "17 (byte 4711)", as messages name it.
  std::string Name(size_t index) const;
};

// Whether a file that begins like this is one of records: the checksum of the first length is right.
bool StartsWithRecord(std::string_view head);

class TfRecordFile {
 public:
  // InvalidInput: as TextSource::Open.
  static StatusOr<std::unique_ptr<TfRecordFile>> Open(const std::string& path, size_t block_bytes = kRecordBlockBytes);

  const std::string& path() const { return path_; }

  // False at the end. The block's buffers are reused. InvalidInput: a wrong checksum of a length, a record over 64 MiB or
  // cut off; damaged gzip or zstd. What stands before it has been handed out by then.
  StatusOr<bool> Next(RecordBlock* block);

 private:
  TfRecordFile(std::string path, size_t block_bytes) : path_(std::move(path)), block_bytes_(block_bytes) {}
  Status Fill(size_t wanted);  // reads until `ahead_` holds that many bytes or the file ends
  // Whole records in `ahead_`; *wanted: the bytes that the first one needs if there is none.
  Status FindRecords(RecordBlock* block, size_t* wanted);
  Status Problem(const RecordBlock& block, std::string_view text) const;

  const std::string path_;
  const size_t block_bytes_;
  std::unique_ptr<TextSource> source_;
  TextBuffer ahead_;  // read but not handed out; begins at a record
  bool source_ended_ = false;
  Status problem_;  // behind the records that were handed out last
  uint64_t next_record_ = 1;
  uint64_t next_byte_ = 0;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_TFRECORD_FILE_H_
