// SPDX-License-Identifier: Apache-2.0
// The labels of a run without configuration: what the user asked for, held against what the columns hold.
#ifndef MANYGATE_CLI_INFER_LABELS_H_
#define MANYGATE_CLI_INFER_LABELS_H_

#include <span>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/infer.h"
#include "manygate/data/table.h"

namespace manygate::cli {

// "click:binary" -> {"click", "binary"}; kind "" where none is given. A colon whose right side is no kind is an error
// unless a column has the whole name.
struct LabelRequest {
  std::string name;
  std::string kind;
};
StatusOr<std::vector<LabelRequest>> ParseLabels(std::span<const std::string> texts, const InferredSchema& schema);

struct InferredLabel {
  std::string name;
  bool binary = false;
  std::string positive_value = {};  // "": the column holds 0 and 1
  double variance = 0;              // of the numbers of a regression
};

// column: what inference found; values: the same column read as a category.
StatusOr<InferredLabel> InferLabel(const LabelRequest& request, const InferredColumn& column, const Column& values,
                                   int64_t rows);

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_INFER_LABELS_H_
