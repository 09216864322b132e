// SPDX-License-Identifier: Apache-2.0
// The plug-in's table of functions: Arrow's Parquet reader and file systems behind manygate/data/columnar_plugin.h.
#include <arrow/c/bridge.h>
#include <arrow/io/buffered.h>
#include <arrow/io/interfaces.h>
#include <arrow/status.h>
#include <arrow/util/config.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <span>
#include <string>

#include "file_systems.h"
#include "manygate/data/columnar_plugin.h"
#include "parquet_file.h"

struct ManygateParquet {
  std::unique_ptr<manygate::columnar::ParquetFile> file;
};

struct ManygateInput {
  std::shared_ptr<arrow::io::InputStream> stream;
};

namespace {

constexpr int64_t kAheadBytes = int64_t{8} << 20;  // of a far file: each request costs tens of milliseconds

// Runs `work` and passes on what it says; no exception leaves the plug-in.
template <typename Work>
int Try(char* error, size_t error_bytes, Work work) {
  const auto say = [&](const std::string& text) { return std::snprintf(error, error_bytes, "%s", text.c_str()), 1; };
  try {
    const arrow::Status status = work();
    return status.ok() ? 0 : say(status.message());
  } catch (const std::exception& exception) {
    return say(exception.what());
  }
}

ManygateFileInfo InfoOf(const arrow::fs::FileInfo& info) {
  const auto time = info.mtime().time_since_epoch();
  const bool known = info.mtime() != arrow::fs::kNoTime;
  return {info.IsDirectory() ? -1 : info.size(),
          known ? std::chrono::duration_cast<std::chrono::nanoseconds>(time).count() : 0};
}

int Info(const char* path, ManygateFileInfo* info, char* error, size_t error_bytes) {
  return Try(error, error_bytes, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto location, manygate::columnar::Locate(path));
    ARROW_ASSIGN_OR_RAISE(const auto found, location.file_system->GetFileInfo(location.path));
    if (found.type() == arrow::fs::FileType::NotFound) return arrow::Status::IOError("no such file");
    *info = InfoOf(found);
    return arrow::Status::OK();
  });
}

int List(const char* folder, int recursive, void* context, void (*found)(void*, const char*, ManygateFileInfo),
         char* error, size_t error_bytes) {
  return Try(error, error_bytes, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto location, manygate::columnar::Locate(folder));
    arrow::fs::FileSelector selector;
    selector.base_dir = location.path;
    selector.recursive = recursive != 0;
    ARROW_ASSIGN_OR_RAISE(const auto entries, location.file_system->GetFileInfo(selector));
    for (const arrow::fs::FileInfo& entry : entries)
      found(context, manygate::columnar::UriOf(folder, entry.path()).c_str(), InfoOf(entry));
    return arrow::Status::OK();
  });
}

int InputOpen(const char* path, ManygateInput** input, char* error, size_t error_bytes) {
  return Try(error, error_bytes, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto location, manygate::columnar::Locate(path));
    ARROW_ASSIGN_OR_RAISE(auto stream, location.file_system->OpenInputStream(location.path));
    auto opened = std::make_unique<ManygateInput>();
    ARROW_ASSIGN_OR_RAISE(opened->stream, arrow::io::BufferedInputStream::Create(
                                              kAheadBytes, arrow::default_memory_pool(), std::move(stream)));
    *input = opened.release();
    return arrow::Status::OK();
  });
}

int InputRead(ManygateInput* input, void* buffer, size_t bytes, size_t* read, char* error, size_t error_bytes) {
  return Try(error, error_bytes, [&]() -> arrow::Status {
    *read = 0;
    while (*read < bytes) {
      ARROW_ASSIGN_OR_RAISE(const int64_t got, input->stream->Read(static_cast<int64_t>(bytes - *read),
                                                                   static_cast<char*>(buffer) + *read));
      if (got == 0) break;
      *read += static_cast<size_t>(got);
    }
    return arrow::Status::OK();
  });
}

void InputClose(ManygateInput* input) { delete input; }

int ParquetOpen(const char* path, int64_t batch_rows, ManygateParquet** file, char* error, size_t error_bytes) {
  return Try(error, error_bytes, [&]() -> arrow::Status {
    auto opened = std::make_unique<ManygateParquet>();
    ARROW_ASSIGN_OR_RAISE(opened->file, manygate::columnar::ParquetFile::Open(path, batch_rows));
    *file = opened.release();
    return arrow::Status::OK();
  });
}

int ParquetSchema(ManygateParquet* file, ArrowSchema* schema, char* error, size_t error_bytes) {
  return Try(error, error_bytes, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(const auto found, file->file->Schema());
    return arrow::ExportSchema(*found, schema);
  });
}

int32_t ParquetRowGroups(ManygateParquet* file) { return file->file->row_groups(); }

int64_t ParquetRows(ManygateParquet* file, int32_t row_group) { return file->file->rows(row_group); }

int ParquetRead(ManygateParquet* file, int32_t row_group, const int32_t* columns, int32_t num_columns,
                ArrowArrayStream* stream, char* error, size_t error_bytes) {
  return Try(error, error_bytes, [&]() -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(auto batches,
                          file->file->Read(row_group, std::span(columns, static_cast<size_t>(num_columns))));
    return arrow::ExportRecordBatchReader(std::move(batches), stream);
  });
}

void ParquetClose(ManygateParquet* file) { delete file; }

constexpr ManygateColumnar kColumnar = {.abi_version = MANYGATE_COLUMNAR_ABI,
                                        .arrow_version = ARROW_VERSION_STRING,
                                        .info = Info,
                                        .list = List,
                                        .input_open = InputOpen,
                                        .input_read = InputRead,
                                        .input_close = InputClose,
                                        .parquet_open = ParquetOpen,
                                        .parquet_schema = ParquetSchema,
                                        .parquet_row_groups = ParquetRowGroups,
                                        .parquet_rows = ParquetRows,
                                        .parquet_read = ParquetRead,
                                        .parquet_close = ParquetClose};

}  // namespace

extern "C" __attribute__((visibility("default"))) const ManygateColumnar* manygate_columnar() { return &kColumnar; }
