// SPDX-License-Identifier: Apache-2.0
// Looks at a file that nobody has described: its dialect, and for each column what it holds.
//
//   MG_ASSIGN_OR_RETURN(SourceOptions options, DetectDialect(file, SourceOptions()));
//   MG_ASSIGN_OR_RETURN(InferredSchema schema, InferColumns({&file, 1}, options, pool));
//   for (const InferredColumn& column : schema.columns) ...
#ifndef MANYGATE_DATA_INFER_H_
#define MANYGATE_DATA_INFER_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/data/source_options.h"

namespace manygate {

// kInteger: every value that is not missing is a whole number. kNumber: every one is a number. kDate: every one is a
// date: ISO 8601 under any name; in another order, as 20240131, or as Unix seconds or milliseconds where the name says
// so (DateWord). kText: the rest. kEmpty: no value at all.
enum class InferredKind { kEmpty, kInteger, kNumber, kDate, kText };
const char* InferredKindName(InferredKind kind);  // "empty", "integer", "number", "date", "text"

// What to make of a column as a feature: a raw_feature, an id_feature, or nothing (constant, a text that is different
// in every row, or a date: as an id no day to come is known, as a number every later one is beyond the training range).
enum class FeatureSuggestion { kNumber, kId, kSkip };
const char* FeatureSuggestionName(FeatureSuggestion suggestion);  // "number", "id", "skip"

struct InferredColumn {
  std::string name;
  InferredKind kind = InferredKind::kEmpty;
  int64_t distinct = 0;          // values that are not missing; exact up to kDistinctCap, then kDistinctCap
  bool distinct_capped = false;  // there may be more
  int64_t missing = 0;           // rows
  double minimum = 0;            // kInteger, kNumber, dates that are numbers only
  double maximum = 0;
  std::vector<std::string> examples;  // the first five values
  std::string separator = "";         // kText: between several values in one text (data/value_lists.h); "": one value
  int64_t values = 0;                 // with a separator: different values within the texts
  FeatureSuggestion suggestion = FeatureSuggestion::kSkip;
  std::string reason;  // why, in a few words: "whole numbers; the name says code"
};

inline constexpr int64_t kDistinctCap = 65536;

struct InferredSchema {
  int64_t rows = 0;
  std::vector<InferredColumn> columns;
};

// One pass over all rows in memory that does not grow with them. Errors as ReadFiles.
StatusOr<InferredSchema> InferColumns(std::span<const std::string> files, const SourceOptions& options,
                                      ThreadPool& pool);

// `options` with dataset_type as DetectFormat (format.h) has it; of text, also with delimiter (one of , ; tab |),
// with_header, and skip_lines (one title line above the rows) replaced by what the first 64 KiB show; of lists of fields,
// with their delimiter; of a table in memory, as of a text file of "," with a line of names. The rest of `options` is kept
// and used. Errors as ReadFiles for files that are no text.
StatusOr<SourceOptions> DetectDialect(const std::string& file, const SourceOptions& options);

// The values of the first line, after skip_lines and comments: a row, or the names in a header; of lists of fields, those
// before the fields; of a table in memory, the names of its columns. Errors as ReadFiles for files that are no text.
StatusOr<std::vector<std::string>> FirstLine(const std::string& file, const SourceOptions& options);

}  // namespace manygate

#endif  // MANYGATE_DATA_INFER_H_
