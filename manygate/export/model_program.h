// SPDX-License-Identifier: Apache-2.0
// A trained model as a list of plain tensor operations, from raw columns to predictions, logits and extras.
//
//   MG_ASSIGN_OR_RETURN(const auto members, LoadMembers("out/census"));
//   MG_ASSIGN_OR_RETURN(const TensorProgram program, MakeProgram(members));
#ifndef MANYGATE_EXPORT_MODEL_PROGRAM_H_
#define MANYGATE_EXPORT_MODEL_PROGRAM_H_

#include <memory>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/catalog/model.h"
#include "manygate/graph/tensor_program.h"

namespace manygate {

// Of an ensemble the mean of its members' outputs. InvalidInput: what of the model cannot be exported, by name, a line each.
StatusOr<TensorProgram> MakeProgram(const std::vector<std::unique_ptr<Model>>& members);

}  // namespace manygate

#endif  // MANYGATE_EXPORT_MODEL_PROGRAM_H_
