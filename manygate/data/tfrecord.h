// SPDX-License-Identifier: Apache-2.0
// Reads TFRecord files of tf.Example, plain, gzip or zstd.
//
//   std::unique_ptr<Reader> reader = MakeTfRecordReader(files, options);
//   MG_ASSIGN_OR_RETURN(Columns columns, reader->ReadColumns(true));   // the names of all features of all records
//   MG_RETURN_IF_ERROR(reader->ReadRows(requests, pool, consume));
//
// A record is a row, a feature a column. Columns are ordered by name, runs of digits as numbers: the order within a
// record is that of a hash table. ReadColumns(false) shows those of the first block of each file (1 MiB, or one record).
//
//   feature       as a category                                 as a number
//   bytes_list    the text, which must be UTF-8                 as the same text in CSV
//   int64_list    in decimal                                    rounded to the nearest float
//   float_list    by NumberText; NaN: missing                   the number; NaN: missing; infinity: a problem
//   several       joined by "\x1d"                              a problem
//   none, or no such feature: missing
//
// The same rows in CSV give an equal table. missing_values count in all three kinds of lists. Records are streamed in
// blocks of about 1 MiB, which all threads check and parse; nothing depends on the number of threads.
//
// Errors (InvalidInput, up to 10 problems per file, one a line, each "file: record 17 (byte 4711): ", where records count
// from 1 and bytes, of the unpacked file, from 0): a wrong checksum, a record over 64 MiB or cut off, one that is no
// tf.Example, a value that its column cannot hold; damaged gzip or zstd; a requested column that no record has.
#ifndef MANYGATE_DATA_TFRECORD_H_
#define MANYGATE_DATA_TFRECORD_H_

#include <memory>
#include <span>
#include <string>

#include "manygate/data/reader.h"
#include "manygate/data/source_options.h"
#include "manygate/data/tfrecord_file.h"

namespace manygate {

std::unique_ptr<Reader> MakeTfRecordReader(std::span<const std::string> files, const SourceOptions& options,
                                           size_t block_bytes = kRecordBlockBytes);

}  // namespace manygate

#endif  // MANYGATE_DATA_TFRECORD_H_
