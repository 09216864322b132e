// SPDX-License-Identifier: Apache-2.0
// Reading and writing schema.pbtxt, the fitted features and labels of a model (schema.proto).
//
//   MG_RETURN_IF_ERROR(WriteFileAtomic(JoinPath(model_dir, kSchemaFileName), features::SchemaToText(schema)));
//   MG_ASSIGN_OR_RETURN(features::Schema schema, features::SchemaFromText(text, path));
//   features::RequiredColumns(schema, {.labels = true});   // what to ask the reader of raw rows for
#ifndef MANYGATE_FEATURES_SCHEMA_H_
#define MANYGATE_FEATURES_SCHEMA_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/table.h"
#include "manygate/features/schema.pb.h"

namespace manygate::features {

inline constexpr char kSchemaFileName[] = "schema.pbtxt";
inline constexpr uint32_t kSchemaFormatVersion = 1;
// Ids are int32 in a batch.
inline constexpr uint64_t kMaxVocabularySize = (uint64_t{1} << 31) - 1;
// Values of a row that one feature can hold.
inline constexpr uint32_t kMostValues = 65536;

// Protobuf text; UTF-8 texts stay readable.
std::string SchemaToText(const Schema& schema);

// The text may be damaged or foreign. InvalidInput, naming `file`: not protobuf text (with line and column), a format
// version this program does not know, or a state that does not fit together (ValidateSchema).
StatusOr<Schema> SchemaFromText(std::string_view text, const std::string& file);

// Whether every feature is complete and the shape of an encoded row follows from the features. All problems, a line
// each.
Status ValidateSchema(const Schema& schema);

// What is wrong with a feature or label by itself, as a clause behind its name; "" if nothing.
std::string FeatureProblem(const FeatureSchema& feature);
std::string LabelProblem(const LabelSchema& label);
// Why two embedded features of equal embedding_name cannot share a table; "" if they can.
std::string SharedTableProblem(const FeatureSchema& first, const FeatureSchema& second);

// The columns of raw rows that encoding needs, each once: features, labels, row weights, groups. A column that two
// consumers want in two kinds is asked for as a category; the one who wants numbers then reads the dictionary's texts
// as numbers.
struct ColumnChoice {
  bool labels = true;  // the columns of the labels and of the groups of rows
  bool weight = true;  // the columns of row weights
};
std::vector<ColumnRequest> RequiredColumns(const Schema& schema, const ColumnChoice& choice);

// Adds {name, kind} to `requests`, once, by the rule above.
void AddRequest(std::string_view name, ColumnKind kind, std::vector<ColumnRequest>* requests);

// How a fitted label is read: binary labels and classes as categories (their few texts are then known for messages),
// others as numbers.
ColumnKind SourceKind(const LabelSchema& label);

// Ids of a feature, the unknown and missing buckets included: follows from its kind and fitted state (schema.proto).
// Piecewise-linear features: the number T of pieces, the model's inputs besides the missing indicator.
uint64_t CountIds(const FeatureSchema& feature);

// VOCABULARY: ids that values have, the unknown and missing rows left out.
uint64_t NumWrittenIds(const FeatureSchema& feature);

// Features whose values are ids, and their weights.
inline bool IsId(const FeatureSchema& feature) {
  return feature.encoding() == FeatureSchema::ONE_HOT || feature.encoding() == FeatureSchema::EMBEDDING;
}
// Features with a column of EncodedTable's ids: ids and pieces.
inline bool HasIdSlot(const FeatureSchema& feature) { return feature.encoding() != FeatureSchema::NUMBERS; }
// How many columns of EncodedTable's ids a feature has: as many as values of a row.
inline int NumIdSlots(const FeatureSchema& feature) {
  return HasIdSlot(feature) ? static_cast<int>(feature.num_values()) : 0;
}
// Columns of EncodedTable's numbers: of ids the weights of weighted ones, else 0.
inline int NumNumbers(const FeatureSchema& feature) {
  if (IsId(feature)) return feature.weighted() ? static_cast<int>(feature.num_values()) : 0;
  return static_cast<int>(feature.width());
}

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_SCHEMA_H_
