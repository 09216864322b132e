// SPDX-License-Identifier: Apache-2.0
// The labels of a run without configuration: what the user asked for, held against what the columns hold.
#ifndef MANYGATE_CLI_INFER_LABELS_H_
#define MANYGATE_CLI_INFER_LABELS_H_

#include <span>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/config/accessors.h"
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
  config::TaskKind kind = config::TaskKind::kBinary;
  std::string positive_value = {};             // binary; "": the column holds 0 and 1
  std::vector<std::string> class_values = {};  // multi-class, in the order of the classes
};

// column: what inference found; values: the same column read as a category.
// Without a kind: two values are binary, texts of up to 20 values multi-class, other numbers a regression.
StatusOr<InferredLabel> InferLabel(const LabelRequest& request, const InferredColumn& column, const Column& values,
                                   int64_t rows);

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_INFER_LABELS_H_
