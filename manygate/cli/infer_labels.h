// SPDX-License-Identifier: Apache-2.0
// The labels of a run without configuration: what the user asked for, held against what the columns hold.
#ifndef MANYGATE_CLI_INFER_LABELS_H_
#define MANYGATE_CLI_INFER_LABELS_H_

#include <cstdint>
#include <span>
#include <string>
#include <utility>
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
  int64_t rows = 0;                            // with a value
  int64_t positives = 0;                       // binary: rows that are 1
  std::vector<int64_t> class_rows = {};        // multi-class, as class_values
  int64_t zeros = 0;                           // numbers: rows that are 0
  double mean = 0;                             // numbers
};

// column: what inference found; values: the same column read as a category.
// Without a kind: two values are binary, texts of up to 20 values multi-class, other numbers a regression.
StatusOr<InferredLabel> InferLabel(const LabelRequest& request, const InferredColumn& column, const Column& values,
                                   int64_t rows);

// "binary, 1 where it is ">50K", in 24.08 % of the rows; without a value in 1.20 %". rows: of the data.
std::string LabelNote(const InferredLabel& label, int64_t rows);

// The value that a binary label's positive rows hold, of its two (text, rows): a word for yes, else the one that is not
// a word for no, else the one that starts with ">" or ends in "+", else the rarer one.
std::string ChoosePositive(std::span<const std::pair<std::string, int64_t>> values);

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_INFER_LABELS_H_
