// SPDX-License-Identifier: Apache-2.0
// Batches of Arrow (C data interface) become blocks of rows: what Parquet and every library that hands tables over in
// memory have in common.
//
//   MG_ASSIGN_OR_RETURN(const ArrowBlockMaker maker,
//                       ArrowBlockMaker::Make(*schema, requests, missing_values, /*trim_blanks=*/false));
//   MG_RETURN_IF_ERROR(maker.Fill(*batch, &block, &problems));   // block.columns[i] is requests[i]
//
// Equal rows give equal blocks, however they are stored: texts with or without a dictionary, with offsets or as views,
// integers of any width. What stands in a category column as text: arrow_values.h.
#ifndef MANYGATE_DATA_ARROW_BLOCK_H_
#define MANYGATE_DATA_ARROW_BLOCK_H_

#include <span>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/arrow_type.h"
#include "manygate/data/arrow_values.h"
#include "manygate/data/row_block.h"
#include "manygate/data/table.h"

namespace manygate {

struct ArrowBlockProblem {
  size_t request;
  ArrowProblem problem;  // row: of the batch, from 0
};

// Rows of a batch of so many columns: few enough for some batches of every thread in memory, many enough to share a
// dictionary.
int64_t ArrowBatchRows(size_t columns);

class ArrowBlockMaker {
 public:
  // schema: of the batches, a struct with one child per column. `missing_values` must outlive the maker. trim_blanks:
  // spaces and tabs around texts do not count. InvalidInput, a line per request: a column that is not there, or there
  // twice, or that cannot be read as requested.
  static StatusOr<ArrowBlockMaker> Make(const ArrowSchema& schema, std::span<const ColumnRequest> requests,
                                        std::span<const std::string> missing_values, bool trim_blanks);

  // Any number of threads at once. problems: values that are no numbers, texts that are not UTF-8; the first kMaxProblems
  // of each column. InvalidInput: the batch is not of the schema, or damaged.
  Status Fill(const ArrowArray& batch, RowBlock* block, std::vector<ArrowBlockProblem>* problems) const;
  // The same of a batch, or a part of one, whose columns are known to be sound.
  void FillSound(const ArrowArray& batch, RowBlock* block, std::vector<ArrowBlockProblem>* problems) const;

 private:
  struct Source {
    int child;
    std::string name;
    ColumnKind kind;
    ArrowType type;
  };
  ArrowBlockMaker(std::span<const std::string> missing_values, bool trim_blanks)
      : missing_values_(missing_values), trim_blanks_(trim_blanks) {}

  std::vector<Source> sources_;  // [requests]
  std::span<const std::string> missing_values_;
  bool trim_blanks_;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_ARROW_BLOCK_H_
