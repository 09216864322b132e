// SPDX-License-Identifier: Apache-2.0
// One text file: its column names, then its rows in blocks that begin and end at rows.
//
//   MG_ASSIGN_OR_RETURN(std::unique_ptr<CsvFile> file, CsvFile::Open(path, options));
//   TextBlock block;
//   for (;;) { MG_ASSIGN_OR_RETURN(bool more, file->Next(&block)); if (!more) break; Parse(block); }
#ifndef MANYGATE_DATA_CSV_FILE_H_
#define MANYGATE_DATA_CSV_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/csv_rows.h"
#include "manygate/data/source_options.h"
#include "manygate/data/text_source.h"

namespace manygate {

inline constexpr size_t kTextBlockBytes = size_t{1} << 20;
inline constexpr size_t kMaxRowBytes = size_t{64} << 20;

// Bytes without initial value, with kTextPadding blanks behind them.
class TextBuffer {
 public:
  char* data() { return data_.get(); }
  const char* data() const { return data_.get(); }
  size_t size() const { return size_; }
  void Reserve(size_t capacity);  // keeps the content
  void SetSize(size_t size);      // <= capacity; writes the padding
  size_t capacity() const { return capacity_; }

 private:
  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

struct TextBlock {
  TextBuffer text;
  bool at_end = false;        // the last block of the file
  bool has_quote = false;     // the quote character may stand in it; false: it does not
  bool row_too_long = false;  // the text is the beginning of a row over kMaxRowBytes; the file ends here
};

class CsvFile {
 public:
  // Skips the byte order mark, skip_lines and comments, reads the header. InvalidInput: see csv.h.
  static StatusOr<std::unique_ptr<CsvFile>> Open(const std::string& path, const SourceOptions& options,
                                                 size_t block_bytes = kTextBlockBytes);

  const std::string& path() const { return path_; }
  const std::vector<std::string>& names() const { return names_; }
  uint64_t first_line() const { return first_line_; }  // physical line of the first byte of the first block, from 1

  // False at the end. The block's buffer is reused.
  StatusOr<bool> Next(TextBlock* block);

 private:
  CsvFile(std::string path, const SourceOptions& options, size_t block_bytes)
      : path_(std::move(path)), options_(options), block_bytes_(block_bytes), rows_(options) {}
  Status Fill(size_t wanted);  // reads until `ahead_` holds that many unused bytes or the file ends
  Status SkipLines();
  Status SkipComments();  // those before the header or the first row
  Status ReadHeader();
  Status NameColumnsByFirstRow();
  Status CheckNames() const;
  StatusOr<RowResult> FirstRow();  // splits the first unused row, reading on as needed
  size_t LastRowEnd(const char* text, size_t size, bool has_quote);

  const std::string path_;
  const SourceOptions options_;
  const size_t block_bytes_;
  RowSplitter rows_;
  std::unique_ptr<TextSource> source_;
  std::vector<std::string> names_;
  uint64_t first_line_ = 1;
  TextBuffer ahead_;       // read but not handed out
  size_t ahead_used_ = 0;  // its bytes that are consumed
  bool source_ended_ = false;
  bool done_ = false;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_CSV_FILE_H_
