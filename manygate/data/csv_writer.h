// SPDX-License-Identifier: Apache-2.0
// Writes CSV that ReadFiles reads back value for value: values are quoted only where they must be. The file appears under
// its name when Close succeeds; before that, or after an error, nothing of it is left.
//
//   CsvWriter out;
//   MG_RETURN_IF_ERROR(out.Open("out.csv.gz", {"id", "probs_click"}));
//   out.Text(id); out.Number(0.25f); MG_RETURN_IF_ERROR(out.EndRow());
//   MG_RETURN_IF_ERROR(out.Close());
#ifndef MANYGATE_DATA_CSV_WRITER_H_
#define MANYGATE_DATA_CSV_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "manygate/base/file.h"
#include "manygate/base/status.h"
#include "manygate/data/compression.h"

namespace manygate {

class CsvWriter {
 public:
  explicit CsvWriter(char delimiter = ',');
  ~CsvWriter();
  CsvWriter(const CsvWriter&) = delete;
  CsvWriter& operator=(const CsvWriter&) = delete;

  // Starts the file with a header line; compressed when the name ends in ".gz" (gzip) or ".zst" (zstd).
  Status Open(const std::string& path, std::span<const std::string> header);

  // The values of a row, left to right; then EndRow. MG_CHECK: as many values as the header has names.
  void Text(std::string_view text);
  void Integer(int64_t value);
  void Number(float value);  // the shortest text that reads back as the same float; NaN is written as nothing
  void Fixed(double value, int decimals);  // NaN is written as nothing
  void Missing() { Text({}); }
  Status EndRow();

  // Rows already formatted, each with its line end, for callers that format in parallel.
  Status RawRows(std::string_view rows);

  Status Close();

 private:
  Status Flush();

  const char delimiter_;
  AtomicFile file_;
  std::unique_ptr<Compressor> compressor_;  // null: plain text
  std::string buffer_;
  size_t num_columns_ = 0;
  size_t column_ = 0;
};

// `text` as one value of a row, quoted where ReadFiles would otherwise not give it back: appended to *out.
void AppendCsvText(std::string_view text, char delimiter, std::string* out);
// `value` in the shortest form that reads back as the same float; nothing for NaN.
void AppendCsvNumber(float value, std::string* out);

}  // namespace manygate

#endif  // MANYGATE_DATA_CSV_WRITER_H_
