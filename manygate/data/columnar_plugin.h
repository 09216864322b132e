// SPDX-License-Identifier: Apache-2.0
// What the program and its columnar plug-in (plugins/columnar: Parquet, S3, HDFS) say to each other: plain C, so that
// the two may be built by different compilers, and the only header that both include.
//
//   const auto get = reinterpret_cast<const ManygateColumnar* (*)()>(dlsym(library, "manygate_columnar"));
//   const ManygateColumnar* columnar = get();
//   if (columnar->abi_version != MANYGATE_COLUMNAR_ABI) ...
//
// Every function may be called by several threads at once; one open file by one thread at a time. Paths: names of local
// files, or URIs ("s3://bucket/key?region=eu-west-1", "hdfs://host:8020/folder/file").
// Functions that return int: 0, or else a sentence without the name of the file is written to `error`, cut off at
// error_bytes - 1 bytes.
#ifndef MANYGATE_DATA_COLUMNAR_PLUGIN_H_
#define MANYGATE_DATA_COLUMNAR_PLUGIN_H_

#include <stddef.h>
#include <stdint.h>

#include "manygate/data/arrow_abi.h"

// Raised with every change of this file.
#define MANYGATE_COLUMNAR_ABI 1

extern "C" {

struct ManygateParquet;  // an open Parquet file
struct ManygateInput;    // an open file, read from begin to end

struct ManygateFileInfo {
  int64_t bytes;        // -1: a folder
  int64_t modified_ns;  // since 1970-01-01 UTC; 0: not known
};

struct ManygateColumnar {
  uint32_t abi_version;
  const char* arrow_version;

  int (*info)(const char* path, struct ManygateFileInfo* info, char* error, size_t error_bytes);
  // Calls found() for everything below a folder, or only what is directly in it, in no order. path: a URI as that of the
  // folder, its query included.
  int (*list)(const char* folder, int recursive, void* context,
              void (*found)(void* context, const char* path, struct ManygateFileInfo info), char* error,
              size_t error_bytes);

  int (*input_open)(const char* path, struct ManygateInput** input, char* error, size_t error_bytes);
  // *read: less than `bytes` only at the end.
  int (*input_read)(struct ManygateInput* input, void* buffer, size_t bytes, size_t* read, char* error,
                    size_t error_bytes);
  void (*input_close)(struct ManygateInput* input);

  // batch_rows: the most rows of a batch.
  int (*parquet_open)(const char* path, int64_t batch_rows, struct ManygateParquet** file, char* error,
                      size_t error_bytes);
  int (*parquet_schema)(struct ManygateParquet* file, struct ArrowSchema* schema, char* error, size_t error_bytes);
  int32_t (*parquet_row_groups)(struct ManygateParquet* file);
  int64_t (*parquet_rows)(struct ManygateParquet* file, int32_t row_group);
  // The rows of one row group; columns: numbers of children of the schema, in the wanted order. Texts may come with a
  // dictionary that differs from batch to batch. The file must stay open while the stream is read.
  int (*parquet_read)(struct ManygateParquet* file, int32_t row_group, const int32_t* columns, int32_t num_columns,
                      struct ArrowArrayStream* stream, char* error, size_t error_bytes);
  void (*parquet_close)(struct ManygateParquet* file);
};

// The plug-in's only symbol: const struct ManygateColumnar* manygate_columnar(void);
#define MANYGATE_COLUMNAR_SYMBOL "manygate_columnar"

}  // extern "C"

#endif  // MANYGATE_DATA_COLUMNAR_PLUGIN_H_
