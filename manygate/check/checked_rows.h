// SPDX-License-Identifier: Apache-2.0
// The rows that the checks look at, and how they ask for values.
//
//   for (const CheckedColumn& column : rows.features)
//     for (const uint32_t row : rows.train) use(ValueKey(*column.train, row));
#ifndef MANYGATE_CHECK_CHECKED_ROWS_H_
#define MANYGATE_CHECK_CHECKED_ROWS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "manygate/config/feature_list.h"
#include "manygate/config/load.h"
#include "manygate/config/pipeline.pb.h"
#include "manygate/data/table.h"
#include "manygate/features/schema.h"

namespace manygate::check {

// A column that features read. Both pointers are the same where one file holds all rows.
struct CheckedColumn {
  std::string name;
  std::string where;  // of the first of its features
  const Column* train = nullptr;
  const Column* evaluation = nullptr;
  std::vector<const config::ListedFeature*> features;  // of listed_features
};

struct CheckedLabel {
  features::LabelSchema schema;  // not fitted
  std::string where;
  const Column* train = nullptr;
  const Column* evaluation = nullptr;
};

struct CheckedRows {
  const config::LoadedPipeline* loaded = nullptr;
  Table train_table;
  Table evaluation_table;  // empty unless `separate`
  bool separate = false;   // the evaluation rows come from eval_input_path
  bool sampled = false;    // `train` and `evaluation` are only some of the rows
  // Row numbers. Of one file: the training rows and those that are held out for validation and test. Of two: training
  // rows of the first, all rows of the second.
  std::vector<uint32_t> train, evaluation;
  std::vector<std::string> file_columns;  // all columns of the training file, in order
  std::vector<config::ListedFeature> listed_features;
  std::vector<CheckedColumn> features;  // each column that features read as it is, once, in the order of the features
  std::vector<CheckedLabel> labels;

  const Table& evaluation_source() const { return separate ? evaluation_table : train_table; }
  const config::Pipeline& pipeline() const { return loaded->pipeline; }
};

// Equal values of a column have equal keys: the code of a category, the bits of a number. Missing has a key too.
uint32_t ValueKey(const Column& column, int64_t row);
bool IsMissing(const Column& column, int64_t row);

// The values as numbers, one per row; NaN where a value is missing or a text is no number.
std::vector<float> NumbersOf(const Column& column, std::span<const uint32_t> rows);

// Rows that hold each code of a category column.
std::vector<int64_t> CountCodes(const Column& column, std::span<const uint32_t> rows);

// At most `most` of the rows, evenly spread.
std::vector<uint32_t> SampleOf(std::span<const uint32_t> rows, size_t most);

// Whether a raw_feature reads the column.
bool ReadsNumbers(const CheckedColumn& column);

// An id_feature with a learnt vocabulary and neither min_count nor max_vocabulary: no training row reaches its input of
// unknown values.
bool LearnsEveryValue(const config::FeatureConfig& encoding);
// Whether a text of the column may hold several values of the feature: some does (IdFeature.separator), or it is a sequence.
bool HoldsLists(const config::ListedFeature& feature, const Column& column);
// One of the column's features does, of one value a row: texts that hold several (IdFeature.separator) are not meant.
bool LearnsEveryValue(const CheckedColumn& column);

// `mmoe.config:3:1: the evaluation file`, or what is held out of the training file.
std::string EvaluationWhere(const CheckedRows& rows);

// "12.3 %", "0.04 %"
std::string Percent(double share);
// `"a", "b", "c", ... (12 in all)`
std::string QuotedNames(std::span<const std::string> names, size_t limit = 5);

}  // namespace manygate::check

#endif  // MANYGATE_CHECK_CHECKED_ROWS_H_
