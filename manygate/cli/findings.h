// SPDX-License-Identifier: Apache-2.0
// What data that nobody has described hold, found before a configuration is written for them: dialect, columns, labels,
// and the columns that are no features.
//
//   MG_ASSIGN_OR_RETURN(Findings findings, LookAtData({.paths = "f.csv", .labels = {"click"}}, pool));
//   for (const InferredColumn& column : findings.schema.columns)
//     if (IsFeature(findings, column.name)) fmt::print("{}: {}\n", column.name, ColumnNote(column, findings.schema.rows));
#ifndef MANYGATE_CLI_FINDINGS_H_
#define MANYGATE_CLI_FINDINGS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/base/thread_pool.h"
#include "manygate/cli/infer_labels.h"
#include "manygate/data/infer.h"
#include "manygate/data/source_options.h"
#include "manygate/data/table.h"

namespace manygate::cli {

struct DataRequest {
  std::string paths;                // as train_input_path
  std::vector<std::string> labels;  // NAME or NAME:KIND
  // Of the columns of a file without a header, or of the values before the fields of lists; empty: column_0, column_1, ...
  std::vector<std::string> names = {};
};

struct Findings {
  InferredSchema schema;
  SourceOptions options;
  std::vector<InferredLabel> labels;            // in the order asked for
  std::map<std::string, std::string> left_out;  // column -> why it is no feature
  std::vector<std::string> doubts;              // sentences for the user: what may have been understood wrongly
};

// InvalidInput: no such file or column (with the nearest name), a label twice, a label of a kind that its values do not
// allow; names that are more or fewer than the first line's fields, or for a file that has a header.
StatusOr<Findings> LookAtData(const DataRequest& request, ThreadPool& pool);

// "age, sex,f1..f3" -> age, sex, f1, f2, f3. InvalidInput: a name that is empty or there twice; two dots that are no range
// of names; more than 100,000 names.
StatusOr<std::vector<std::string>> ParseColumnNames(const std::string& text);

// Neither a label nor left out.
bool IsFeature(const Findings& findings, const std::string& column);

// Texts, numbers that are names of things, and whole numbers of few values, each with rows enough to learn from.
bool IsId(const InferredColumn& column, int64_t rows);

// "text, 41 different values, 1.8 % missing": what makes the column the feature that it is.
std::string ColumnNote(const InferredColumn& column, int64_t rows);

// For the user: the summary, doubts, a line per label, the features by kind, and a line per column left out.
std::vector<std::string> DescribeFindings(const Findings& findings, const std::string& paths);

// "32,561 rows, 15 columns separated by ",", named by the first line".
std::string DataNote(const Findings& findings);

// How data that nobody has described is read, before its dialect is detected: the usual texts mean "missing".
SourceOptions DataOptions();

}  // namespace manygate::cli

#endif  // MANYGATE_CLI_FINDINGS_H_
