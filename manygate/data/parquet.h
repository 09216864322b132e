// SPDX-License-Identifier: Apache-2.0
// Reads Parquet files, of this machine or another (remote.h), through the columnar plug-in: only the requested columns,
// in batches of some thousand rows.
//
//   std::unique_ptr<Reader> reader = MakeParquetReader(files, options);
//
// Folders named key=value above a file are columns, too (paths.h), unless the file has a column of that name. Columns of
// types that cannot be read (struct, map, time of day, ...) do no harm as long as nobody asks for them: ReadColumns(true)
// leaves them out, ReadColumns(false) names them. Of the options only missing_values counts.
// InvalidInput, each with file, and with row and column where it applies: no plug-in; not Parquet, cut off, damaged or
// encrypted; other columns, or texts in one file and numbers in another, or other key=value folders, than in the first
// file; a requested column that does not exist or holds what cannot be read as requested; text in a number column; text
// that is not UTF-8.
#ifndef MANYGATE_DATA_PARQUET_H_
#define MANYGATE_DATA_PARQUET_H_

#include <memory>
#include <span>
#include <string>

#include "manygate/data/reader.h"
#include "manygate/data/source_options.h"

namespace manygate {

std::unique_ptr<Reader> MakeParquetReader(std::span<const std::string> files, const SourceOptions& options);

}  // namespace manygate

#endif  // MANYGATE_DATA_PARQUET_H_
