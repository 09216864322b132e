// SPDX-License-Identifier: Apache-2.0
// Runs one file through the parsers of all threads and hands the parsed blocks over in the order of the file.
//
//   std::vector<BlockParser> parsers(pool.size(), BlockParser(plan));
//   Status status = ParseFile(*file, parsers, pool, [&](RowBlock& block) { Append(block); });
#ifndef MANYGATE_DATA_CSV_PIPELINE_H_
#define MANYGATE_DATA_CSV_PIPELINE_H_

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/data/csv_block.h"
#include "manygate/data/csv_file.h"

namespace manygate {

// consume: called for one block after the other, in order, by any thread but never by two at once; not called any more
// once a problem was found. Returns InvalidInput with the first kMaxProblems problems of the file, one a line.
Status ParseFile(CsvFile& file, std::span<BlockParser> parsers, ThreadPool& pool,
                 const std::function<void(RowBlock&)>& consume);

// Opens every file after checking that its columns are those of the first, and runs `parse` on it; the problems of all
// files are joined (at most 10 files with problems). `names`: the columns of the first file.
Status ForEachFile(std::span<const std::string> files, const SourceOptions& options,
                   const std::vector<std::string>& names, const std::function<Status(CsvFile&)>& parse);

}  // namespace manygate

#endif  // MANYGATE_DATA_CSV_PIPELINE_H_
