// SPDX-License-Identifier: Apache-2.0
// Which format a file has that nobody has described, by its first bytes.
//
//   MG_ASSIGN_OR_RETURN(options.dataset_type, DetectFormat(files[0]));
#ifndef MANYGATE_DATA_FORMAT_H_
#define MANYGATE_DATA_FORMAT_H_

#include <string>

#include "manygate/base/status.h"
#include "manygate/config/pipeline.pb.h"

namespace manygate {

// Parquet: begins with "PAR1", or is named .parquet (its reader then says what is wrong with it). TFRecord and lists of
// fields, compressed or not: StartsWithRecord (tfrecord_file.h) and GuessFieldList (field_list_guess.h). All else is text;
// tables in memory (memory_table.h) too, whose texts are read as those of a text file. A file that cannot be opened or
// unpacked is text too: the reader of text says why. InvalidInput: a read error of the system, or of another machine.
StatusOr<config::DatasetType> DetectFormat(const std::string& file);

// As people call it: "text", "Parquet", "TFRecord", "lists of fields".
std::string FormatName(config::DatasetType type);

// The beginning of a file of text or records, unpacked, as far as its form is judged by it; "" where it cannot be read.
std::string UnpackedHead(const std::string& file);

}  // namespace manygate

#endif  // MANYGATE_DATA_FORMAT_H_
