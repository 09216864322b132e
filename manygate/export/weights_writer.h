// SPDX-License-Identifier: Apache-2.0
// The parameters of a model by name, as safetensors; of an ensemble "members.1.<name>" and so on. Metadata: the program's
// version and the model's name.
//
//   MG_RETURN_IF_ERROR(WriteWeights(members, "census.safetensors"));
#ifndef MANYGATE_EXPORT_WEIGHTS_WRITER_H_
#define MANYGATE_EXPORT_WEIGHTS_WRITER_H_

#include <memory>
#include <string>
#include <vector>

#include "manygate/base/safetensors.h"
#include "manygate/base/status.h"
#include "manygate/catalog/model.h"

namespace manygate {

std::vector<TensorEntry> ListWeights(const std::vector<std::unique_ptr<Model>>& members);

// Failed: the disk's errors.
Status WriteWeights(const std::vector<std::unique_ptr<Model>>& members, const std::string& path);

}  // namespace manygate

#endif  // MANYGATE_EXPORT_WEIGHTS_WRITER_H_
