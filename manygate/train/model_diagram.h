// SPDX-License-Identifier: Apache-2.0
// A model as boxes and arrows: inputs, experts, gates, mixes, towers, predictions.
//
//   std::string svg = DrawDiagram(ModelDiagram(*model));
//
// Made from the graph as the model wires it, before the passes rewrite it, so it holds for every model: nodes whose
// names have one stem ("experts", "gates.income", "towers.income") are one box, as long as that makes no circle of
// arrows; the rest of a stem is then a box of its own. What only training adds (terms of the loss) is left out.
#ifndef MANYGATE_TRAIN_MODEL_DIAGRAM_H_
#define MANYGATE_TRAIN_MODEL_DIAGRAM_H_

#include <string>
#include <string_view>

#include "manygate/catalog/model.h"
#include "manygate/report/diagram.h"

namespace manygate {

Diagram ModelDiagram(const Model& model);

// "towers.income.layers.0.activation" -> "towers.income"; "gates.0.shared.softmax" -> "gates.0.shared".
std::string NodeStem(std::string_view name);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_MODEL_DIAGRAM_H_
