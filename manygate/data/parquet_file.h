// SPDX-License-Identifier: Apache-2.0
// One Parquet file, opened by the columnar plug-in: its columns, then its rows in batches.
//
//   MG_ASSIGN_OR_RETURN(const std::unique_ptr<ParquetFile> file, ParquetFile::Open(path, 65536));
//   file->Select({0, 3});
//   ArrowOwner<ArrowArray> batch;
//   for (;;) { MG_ASSIGN_OR_RETURN(const bool more, file->Next(&batch)); if (!more) break; Use(*batch); batch.Release(); }
#ifndef MANYGATE_DATA_PARQUET_FILE_H_
#define MANYGATE_DATA_PARQUET_FILE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/arrow_type.h"
#include "manygate/data/columnar_plugin.h"

namespace manygate {

struct ParquetColumn {
  std::string name;
  ArrowType type;  // of folders: text
};

class ParquetFile {
 public:
  // batch_rows: the most rows of a batch. InvalidInput: no plug-in; not readable as Parquet.
  static StatusOr<std::unique_ptr<ParquetFile>> Open(const std::string& path, int64_t batch_rows);
  ~ParquetFile();
  ParquetFile(const ParquetFile&) = delete;
  ParquetFile& operator=(const ParquetFile&) = delete;

  const std::string& path() const { return path_; }
  // Those of the file, in its order.
  const std::vector<ParquetColumn>& columns() const { return columns_; }
  // Folders named key=value whose keys are no columns of the file.
  const std::vector<std::pair<std::string, std::string>>& partitions() const { return partitions_; }

  // Which columns the batches are to hold, by number, ascending; before the first Next.
  void Select(std::vector<int32_t> columns);
  // The type of the batches, for as long as the file is open.
  const ArrowSchema& batch_schema() const { return batch_schema_; }
  // The next rows; false at the end. The batch is released before. InvalidInput: damaged.
  StatusOr<bool> Next(ArrowOwner<ArrowArray>* batch);

 private:
  ParquetFile(std::string path, const ManygateColumnar* columnar) : path_(std::move(path)), columnar_(columnar) {}

  const std::string path_;
  const ManygateColumnar* const columnar_;
  ManygateParquet* file_ = nullptr;
  ArrowOwner<ArrowSchema> schema_;
  std::vector<ParquetColumn> columns_;
  std::vector<std::pair<std::string, std::string>> partitions_;
  std::vector<int32_t> selected_;
  std::vector<ArrowSchema*> selected_children_;
  ArrowSchema batch_schema_ = {};  // a view of schema_
  int32_t next_row_group_ = 0;
  ArrowOwner<ArrowArrayStream> stream_;  // of the row group before
};

// InvalidInput when the columns are not those of `first`.
Status CheckSameColumns(const ParquetFile& file, const ParquetFile& first);

}  // namespace manygate

#endif  // MANYGATE_DATA_PARQUET_FILE_H_
