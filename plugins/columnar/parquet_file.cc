// SPDX-License-Identifier: Apache-2.0
#include "parquet_file.h"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/type.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <string_view>
#include <vector>

#include "file_systems.h"

namespace manygate::columnar {
namespace {

constexpr int64_t kMagicBytes = 4;
constexpr int64_t kLeastBytes = 12;  // two of them and the size of the footer

// Says in other words than Arrow's what a file is that cannot be Parquet.
arrow::Status CheckMagic(arrow::io::RandomAccessFile& file) {
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file.GetSize());
  if (size == 0) return arrow::Status::Invalid("is empty, not even a Parquet file without rows");
  ARROW_ASSIGN_OR_RAISE(const auto head, file.ReadAt(0, kMagicBytes));
  const std::string_view magic(*head);
  if (magic == "PARE") return arrow::Status::Invalid("is an encrypted Parquet file, which is not supported");
  if (magic != "PAR1") return arrow::Status::Invalid("is not a Parquet file, which would begin with \"PAR1\"");
  ARROW_ASSIGN_OR_RAISE(const auto tail, file.ReadAt(size - kMagicBytes, kMagicBytes));
  if (size < kLeastBytes || std::string_view(*tail) != "PAR1") {
    return arrow::Status::Invalid("was cut off: after ", size,
                                  " bytes it does not end as a Parquet file does (copy it again)");
  }
  return arrow::Status::OK();
}

void AppendLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const parquet::arrow::SchemaField& child : field.children) AppendLeaves(child, leaves);
}

// Columns of texts that are not inside of lists or structures come with the dictionary that the file has anyway: each
// text is then looked at once, not once a row.
void ReadTextsWithDictionary(const parquet::SchemaDescriptor& schema, parquet::ArrowReaderProperties* properties) {
  for (int i = 0; i < schema.num_columns(); ++i) {
    const parquet::ColumnDescriptor* column = schema.Column(i);
    if (column->physical_type() == parquet::Type::BYTE_ARRAY && column->max_repetition_level() == 0 &&
        column->path()->ToDotVector().size() == 1) {
      properties->set_read_dictionary(i, true);
    }
  }
}

}  // namespace

arrow::Result<std::unique_ptr<ParquetFile>> ParquetFile::Open(const std::string& path, int64_t batch_rows) {
  ARROW_ASSIGN_OR_RAISE(const Location location, Locate(path));
  ARROW_ASSIGN_OR_RAISE(const auto input, location.file_system->OpenInputFile(location.path));
  ARROW_RETURN_NOT_OK(CheckMagic(*input));
  parquet::ReaderProperties parquet_properties = parquet::default_reader_properties();
  parquet_properties.set_page_checksum_verification(true);
  // Near files are read page by page. Of far ones, what is wanted of a row group is fetched at once, in few requests.
  if (!location.remote) parquet_properties.enable_buffered_stream();
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(input, parquet_properties));
  parquet::ArrowReaderProperties properties;
  properties.set_batch_size(batch_rows);
  properties.set_use_threads(false);  // the program's own threads work on what comes out
  properties.set_pre_buffer(location.remote);
  ReadTextsWithDictionary(*builder.raw_reader()->metadata()->schema(), &properties);
  auto file = std::make_unique<ParquetFile>();
  ARROW_ASSIGN_OR_RAISE(file->reader_, builder.properties(properties)->Build());
  return file;
}

arrow::Result<std::shared_ptr<arrow::Schema>> ParquetFile::Schema() {
  std::shared_ptr<arrow::Schema> schema;
  ARROW_RETURN_NOT_OK(reader_->GetSchema(&schema));
  return schema;
}

int64_t ParquetFile::rows(int row_group) const {
  return reader_->parquet_reader()->metadata()->RowGroup(row_group)->num_rows();
}

arrow::Result<std::shared_ptr<arrow::RecordBatchReader>> ParquetFile::Read(int row_group,
                                                                           std::span<const int32_t> columns) {
  std::vector<int> leaves;
  for (const int32_t column : columns) {
    AppendLeaves(reader_->manifest().schema_fields.at(static_cast<size_t>(column)), &leaves);
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::RecordBatchReader> batches,
                        reader_->GetRecordBatchReader({row_group}, leaves));
  return batches;
}

}  // namespace manygate::columnar
