// SPDX-License-Identifier: Apache-2.0
// Reads lists of fields, plain, .gz or .zst: lines of some values and then any number of "field:id" in any order, as
// Ali-CCP comes for ESMM.
//
//   17,0,1,101:88,109_14:5,109_14:9          sample_id, click, purchase; then field 101 and, with two values, 109_14
//
//   std::unique_ptr<Reader> reader = MakeFieldListReader(files, options);
//   MG_ASSIGN_OR_RETURN(Columns columns, reader->ReadColumns(true));   // the leading values, then all fields of all rows
//   MG_RETURN_IF_ERROR(reader->ReadRows(requests, pool, consume));
//
// The leading values are named by options.names. Without names they are column_0, column_1, ..., as many as the first row
// has before its first item with a colon. Every row must have as many. Fields are ordered by name, runs of digits as
// numbers; ReadColumns(false) shows those of the first block of each file (1 MiB). A field that is there several times has
// several values, joined by "\x1d" in the order of the row; one that is not there, or has no id, is missing.
//
// Rows, lines, comments, blanks and blocks are as in csv.h; quotes are ordinary characters. Empty items among the fields
// are passed over; with a blank as the delimiter, everywhere, so that several blanks count as one.
//
// Errors (InvalidInput, up to 10 problems per file, one a line, each "file:line: " or "file:line:item: ", where both count
// from 1): another number of leading values than expected, an item among the fields that is not "field:id" (weights, as in
// "field:id:weight", are not read), a field with the name of a leading value, several values or text in a number column;
// an empty line between rows and what else csv.h names of lines; options.with_header; a requested column that no row has.
#ifndef MANYGATE_DATA_FIELD_LIST_H_
#define MANYGATE_DATA_FIELD_LIST_H_

#include <memory>
#include <span>
#include <string>

#include "manygate/data/csv_file.h"
#include "manygate/data/reader.h"
#include "manygate/data/source_options.h"

namespace manygate {

std::unique_ptr<Reader> MakeFieldListReader(std::span<const std::string> files, const SourceOptions& options,
                                            size_t block_bytes = kTextBlockBytes);

}  // namespace manygate

#endif  // MANYGATE_DATA_FIELD_LIST_H_
