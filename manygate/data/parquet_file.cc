// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/parquet_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "manygate/base/text.h"
#include "manygate/data/columnar.h"
#include "manygate/data/paths.h"

namespace manygate {
namespace {

const ParquetColumn* Find(const std::vector<ParquetColumn>& columns, const std::string& name) {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&name](const ParquetColumn& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

std::string Keys(const ParquetFile& file) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : file.partitions()) keys.push_back(key);
  return keys.empty() ? "none" : JoinNames(keys);
}

}  // namespace

StatusOr<std::unique_ptr<ParquetFile>> ParquetFile::Open(const std::string& path, int64_t batch_rows) {
  StatusOr<const ManygateColumnar*> columnar = LoadColumnar();
  if (!columnar.ok()) return InvalidInput(fmt::format("{}: {}", path, columnar.status().message()));
  std::unique_ptr<ParquetFile> file(new ParquetFile(path, *columnar));
  MG_RETURN_IF_ERROR(CallColumnar(path, (*columnar)->parquet_open, path.c_str(), batch_rows, &file->file_));
  MG_RETURN_IF_ERROR(CallColumnar(path, (*columnar)->parquet_schema, file->file_, file->schema_.get()));
  for (int64_t i = 0; i < file->schema_->n_children; ++i) {
    const ArrowSchema& child = *file->schema_->children[i];
    std::string name = child.name == nullptr ? "" : child.name;
    if (Find(file->columns_, name) != nullptr) {
      return InvalidInput(
          fmt::format("{}: the column name \"{}\" is there twice; give each column a name of its own", path, name));
    }
    file->columns_.push_back({std::move(name), ParseArrowType(child)});
  }
  for (auto& [key, value] : PartitionsOf(path))
    if (Find(file->columns_, key) == nullptr) file->partitions_.emplace_back(key, value);
  return file;
}

ParquetFile::~ParquetFile() {
  stream_.Release();
  if (file_ != nullptr) columnar_->parquet_close(file_);
}

void ParquetFile::Select(std::vector<int32_t> columns) {
  selected_ = std::move(columns);
  selected_children_.clear();
  for (const int32_t column : selected_) selected_children_.push_back(schema_->children[column]);
  batch_schema_ = {};
  batch_schema_.format = "+s";
  batch_schema_.n_children = static_cast<int64_t>(selected_.size());
  batch_schema_.children = selected_children_.data();
}

StatusOr<bool> ParquetFile::Next(ArrowOwner<ArrowArray>* batch) {
  for (;;) {
    if (stream_.released()) {
      if (next_row_group_ == columnar_->parquet_row_groups(file_)) return false;
      MG_RETURN_IF_ERROR(CallColumnar(path_, columnar_->parquet_read, file_, next_row_group_++,
                                      static_cast<const int32_t*>(selected_.data()),
                                      static_cast<int32_t>(selected_.size()), stream_.get()));
    }
    const int error = stream_->get_next(stream_.get(), batch->get());
    if (error != 0) {
      return InvalidInput(fmt::format("{}: row group {} of {} is damaged: {}", path_, next_row_group_,
                                      columnar_->parquet_row_groups(file_), StreamErrorReason(stream_.get(), error)));
    }
    if (!batch->released()) return true;
    stream_.Release();
  }
}

Status CheckSameColumns(const ParquetFile& file, const ParquetFile& first) {
  constexpr char kRule[] = "files read together must have the same columns";
  for (const ParquetColumn& column : first.columns()) {
    const ParquetColumn* const found = Find(file.columns(), column.name);
    if (found == nullptr)
      return InvalidInput(
          fmt::format("{}: has no column \"{}\", which {} has; {}", file.path(), column.name, first.path(), kRule));
    const std::string content = found->type.Content(), expected = column.type.Content();
    // A part without any value may be written without a type.
    if (content != expected && found->type.kind != ArrowKind::kNull && column.type.kind != ArrowKind::kNull)
      return InvalidInput(fmt::format("{}: column \"{}\" holds values of type {}, expected {} as in {}", file.path(),
                                      column.name, found->type.name, column.type.name, first.path()));
  }
  for (const ParquetColumn& column : file.columns()) {
    if (Find(first.columns(), column.name) == nullptr)
      return InvalidInput(
          fmt::format("{}: has a column \"{}\", which {} has not; {}", file.path(), column.name, first.path(), kRule));
  }
  if (Keys(file) == Keys(first)) return OkStatus();
  return InvalidInput(fmt::format("{}: the names of its folders give it columns {}, expected {} as of {}", file.path(),
                                  Keys(file), Keys(first), first.path()));
}

}  // namespace manygate
