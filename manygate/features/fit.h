// SPDX-License-Identifier: Apache-2.0
// Fits features and labels on the training rows. Nothing of the other rows gets into the schema.
//
//   std::vector<ColumnRequest> requests = features::RequiredColumns(loaded.pipeline);
//   Table table = ...;                                     // read with those requests
//   std::vector<std::string> notes;                        // for the log: constant features and the like
//   MG_ASSIGN_OR_RETURN(features::Schema schema, features::FitFeatures(loaded, table, training_rows, &notes));
//   MG_ASSIGN_OR_RETURN(features::EncodedTable rows, features::Encode(schema, table, true, pool));
#ifndef MANYGATE_FEATURES_FIT_H_
#define MANYGATE_FEATURES_FIT_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/config/load.h"
#include "manygate/config/pipeline.pb.h"
#include "manygate/data/table.h"
#include "manygate/features/schema.h"

namespace manygate::features {

// The columns that the features, the labels, the row weights and groups of rows read, each once, in that order. Columns
// of id features, of binary labels, of classes and of groups are categories, the others numbers; a column wanted as
// both is a category.
std::vector<ColumnRequest> RequiredColumns(const config::Pipeline& pipeline);

// The columns whose equal values make groups of rows, each once, in the order of the towers: grouped_auc.grouping_key
// of their metrics, jrc_loss.session_name of their losses. Schema::group_column.
std::vector<std::string> GroupColumns(const config::Pipeline& pipeline);

// table: has the required columns; training_rows: row numbers of `table`, not empty, each at most once.
// InvalidInput lists all problems, one a line, each with its place in the configuration: a column that the table lacks
// (with the nearest name); texts where numbers were expected; a binary label with other values than 0 and 1, with one
// class only, or with no value at all; a class that is not known; a negative label where a loss takes none; towers that
// want one label in two kinds; a positive value that the data never has; a negative or missing row weight; features
// that share a table but not its size. `notes`, if given, gets what is odd but allowed.
StatusOr<Schema> FitFeatures(const config::LoadedPipeline& loaded, const Table& table,
                             std::span<const uint32_t> training_rows, std::vector<std::string>* notes = nullptr);

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_FIT_H_
