// SPDX-License-Identifier: Apache-2.0
// Reads tables that lie in memory (memory_table.h), one after the other, column by column where they lie.
//
//   std::unique_ptr<Reader> reader = MakeMemoryReader(paths, options);     // every path IsMemoryPath
//
// Of the options only missing_values counts and, where dataset_type is one of text, trim_blanks. Columns of types that
// cannot be read (struct, map, time of day, ...) do no harm as long as nobody asks for them: ReadColumns(true) leaves
// them out, ReadColumns(false) names them. InvalidInput, each with the path, and with row and column where it applies: as
// MemoryTable::Find; other columns, or texts in one table and numbers in another, than in the first; a requested column
// that does not exist or holds what cannot be read as requested; text in a number column; text that is not UTF-8.
#ifndef MANYGATE_DATA_MEMORY_READER_H_
#define MANYGATE_DATA_MEMORY_READER_H_

#include <memory>
#include <span>
#include <string>

#include "manygate/data/reader.h"
#include "manygate/data/source_options.h"

namespace manygate {

std::unique_ptr<Reader> MakeMemoryReader(std::span<const std::string> paths, const SourceOptions& options);

}  // namespace manygate

#endif  // MANYGATE_DATA_MEMORY_READER_H_
