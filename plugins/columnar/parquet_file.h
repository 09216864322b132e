// SPDX-License-Identifier: Apache-2.0
// A Parquet file whose rows come as batches of Arrow, row group by row group, in memory that does not grow with either.
//
//   ARROW_ASSIGN_OR_RAISE(auto file, ParquetFile::Open("rows.parquet", 65536));
//   ARROW_ASSIGN_OR_RAISE(auto batches, file->Read(0, {2, 0}));   // row group 0, the third and the first column
#ifndef MANYGATE_PLUGINS_COLUMNAR_PARQUET_FILE_H_
#define MANYGATE_PLUGINS_COLUMNAR_PARQUET_FILE_H_

#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <parquet/arrow/reader.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace manygate::columnar {

class ParquetFile {
 public:
  // Invalid: not a Parquet file, cut off, encrypted.
  static arrow::Result<std::unique_ptr<ParquetFile>> Open(const std::string& path, int64_t batch_rows);

  arrow::Result<std::shared_ptr<arrow::Schema>> Schema();
  int row_groups() const { return reader_->num_row_groups(); }
  int64_t rows(int row_group) const;
  // columns: numbers of the schema's fields. The file must outlive the reader.
  arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> Read(int row_group, std::span<const int32_t> columns);

 private:
  std::unique_ptr<parquet::arrow::FileReader> reader_;
};

}  // namespace manygate::columnar

#endif  // MANYGATE_PLUGINS_COLUMNAR_PARQUET_FILE_H_
