// SPDX-License-Identifier: Apache-2.0
// The fitted features of a model as plain tensor operations, from raw columns to the ids and numbers that its graph reads.
//
//   MG_ASSIGN_OR_RETURN(const EncodedRow row, ExportFeatures(schema, options, &program));
//
// A column is one input of the program, whatever number of features read it: a text; a number, NaN where it is missing; or a
// list of either, padded with "" or NaN.
#ifndef MANYGATE_EXPORT_FEATURES_H_
#define MANYGATE_EXPORT_FEATURES_H_

#include <cstdint>
#include <map>

#include "manygate/base/status.h"
#include "manygate/data/source_options.h"
#include "manygate/features/schema.pb.h"
#include "manygate/graph/tensor_program.h"

namespace manygate {

struct EncodedRow {
  std::map<int64_t, Tensor> ids;  // by the first slot of a feature: [1, num_values]
  Tensor numbers = -1;            // [1, number_width]; -1: the features have none
};

// options: what missing values are written as. InvalidInput: what cannot be said in plain tensor operations, with what to do
// about it, a line for each feature: hashed texts, generated columns, weighted values, a column that is read in two ways.
StatusOr<EncodedRow> ExportFeatures(const features::Schema& schema, const SourceOptions& options,
                                    TensorProgram* program);

}  // namespace manygate

#endif  // MANYGATE_EXPORT_FEATURES_H_
