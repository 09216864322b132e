// SPDX-License-Identifier: Apache-2.0
#include "manygate/export/weights_writer.h"

#include <fmt/format.h>

#include "manygate/base/version.h"
#include "manygate/config/accessors.h"

namespace manygate {

std::vector<TensorEntry> ListWeights(const std::vector<std::unique_ptr<Model>>& members) {
  std::vector<TensorEntry> entries;
  for (size_t m = 0; m < members.size(); ++m) {
    const Model& model = *members[m];
    const std::string prefix = members.size() == 1 ? "" : fmt::format("members.{}.", m + 1);
    for (size_t i = 0; i < model.graph.parameters.size(); ++i) {
      const Parameter& parameter = model.graph.parameters[i];
      entries.push_back({prefix + parameter.name, parameter.shape, model.store->Read(static_cast<int>(i))});
    }
  }
  return entries;
}

Status WriteWeights(const std::vector<std::unique_ptr<Model>>& members, const std::string& path) {
  return WriteSafetensors(path, ListWeights(members),
                          {{"format", "manygate"},
                           {"program_version", kProgramVersion},
                           {"model", config::ModelName(members[0]->pipeline.model_config())}});
}

}  // namespace manygate
