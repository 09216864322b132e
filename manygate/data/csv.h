// SPDX-License-Identifier: Apache-2.0
// Reads delimited text (CSV, TSV), plain, .gz or .zst.
//
//   std::unique_ptr<Reader> reader = MakeCsvReader(files, options);
//   std::vector<ColumnRequest> requests = {{"age", ColumnKind::kNumber}, {"job", ColumnKind::kCategory}};
//   MG_RETURN_IF_ERROR(reader->ReadRows(requests, pool, consume));
//
// Text is streamed in blocks of about 1 MiB that end at row ends; the whole text is never in memory. The blocks are
// parsed by the pool, each with dictionaries of its own, which are then merged in the order of the blocks: the table
// (and the text of every error) does not depend on the number of threads.
//
// Rows end with LF or CRLF; the last one may lack its end. A UTF-8 byte order mark, lines that start with
// options.comment, and empty lines at the end of a file are ignored. Text must be UTF-8. Numbers are decimal, rounded to
// the nearest float; "inf", "nan", hexadecimal and digit grouping are errors unless listed as missing values.
//
// Errors (InvalidInput, up to 10 problems per file, one a line, each "file:line: " or "file:line:field (name): ", where
// line counts physical lines from 1 and field counts values from 1): another number of values than columns, text in a
// number column, an open quote or text behind a closing quote, NUL bytes, text that is not UTF-8, an empty line between
// rows, a row over 64 MiB, no rows at all, UTF-16 or another file type, damaged or truncated gzip or zstd, a header with empty
// or repeated names or unlike the first file's, a requested column that does not exist.
#ifndef MANYGATE_DATA_CSV_H_
#define MANYGATE_DATA_CSV_H_

#include <memory>
#include <span>
#include <string>

#include "manygate/data/reader.h"
#include "manygate/data/source_options.h"

namespace manygate {

std::unique_ptr<Reader> MakeCsvReader(std::span<const std::string> files, const SourceOptions& options);

}  // namespace manygate

#endif  // MANYGATE_DATA_CSV_H_
