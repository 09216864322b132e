// SPDX-License-Identifier: Apache-2.0
// Batches of Arrow (C data interface) become blocks of rows: what Parquet and every library that hands tables over in
// memory have in common.
//
//   MG_ASSIGN_OR_RETURN(const ArrowBlockMaker maker, ArrowBlockMaker::Make(*schema, requests, missing_values));
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

class ArrowBlockMaker {
 public:
  // schema: of the batches, a struct with one child per column. `missing_values` must outlive the maker. InvalidInput, a
  // line per request: a column that is not there, or there twice, or that cannot be read as requested.
  static StatusOr<ArrowBlockMaker> Make(const ArrowSchema& schema, std::span<const ColumnRequest> requests,
                                        std::span<const std::string> missing_values);

  // Any number of threads at once. problems: values that are no numbers, texts that are not UTF-8; the first kMaxProblems
  // of each column. InvalidInput: the batch is not of the schema, or damaged.
  Status Fill(const ArrowArray& batch, RowBlock* block, std::vector<ArrowBlockProblem>* problems) const;

 private:
  struct Source {
    int child;
    std::string name;
    ColumnKind kind;
    ArrowType type;
  };
  explicit ArrowBlockMaker(std::span<const std::string> missing_values) : missing_values_(missing_values) {}

  std::vector<Source> sources_;  // [requests]
  std::span<const std::string> missing_values_;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_ARROW_BLOCK_H_
