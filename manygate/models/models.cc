// SPDX-License-Identifier: Apache-2.0
#include "manygate/models/models.h"

#include <algorithm>

#include "manygate/base/check.h"

namespace manygate {

Value ModelInputs::Group(std::string_view name) const {
  for (const auto& [group, value] : groups)
    if (group == name) return value;
  return x;
}

namespace {

void WireSetModel(Graph& graph, const ModelInputs& inputs, const config::ModelConfig& model) {
#define MANYGATE_WIRE_MODEL(Name, Message, field) \
  if (model.has_##field()) return Wire##Name(graph, inputs, model.field());
  MANYGATE_MODELS(MANYGATE_WIRE_MODEL)
#undef MANYGATE_WIRE_MODEL
  MG_CHECK(false, "a configuration without a model passed validation: case {}", static_cast<int>(model.model_case()));
}

}  // namespace

void WireModel(Graph& graph, const ModelInputs& inputs, const config::ModelConfig& model) {
  WireSetModel(graph, inputs, model);
  // A gate's row loss is added with the gate, before the towers above it.
  std::stable_partition(graph.outputs.begin(), graph.outputs.end(),
                        [](const Graph::Output& output) { return output.kind == Graph::Output::Kind::kTower; });
}

}  // namespace manygate
