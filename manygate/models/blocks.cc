// SPDX-License-Identifier: Apache-2.0
#include "manygate/models/blocks.h"

#include <fmt/format.h>

#include "manygate/base/check.h"
#include "manygate/ops/activate.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/mix.h"
#include "manygate/ops/norm.h"

namespace manygate {
namespace {

float DropoutRatio(const config::MLP& mlp, int layer) {
  if (mlp.dropout_ratio_size() == 0) return 0;
  return mlp.dropout_ratio(mlp.dropout_ratio_size() == 1 ? 0 : layer);
}

// What follows the product of one layer.
Value FinishLayer(Graph& graph, Value x, const config::MLP& mlp, int layer, const std::string& name) {
  if (mlp.use_bn()) x = BatchNorm(graph, x, name + ".norm");
  if (mlp.use_ln()) x = LayerNorm(graph, x, name + ".norm");
  const auto activation = ParseActivation(mlp.activation());
  MG_CHECK(activation.has_value(), "activation {} passed validation", mlp.activation());
  x = Activate(graph, x, *activation, name + ".activation");
  return Dropout(graph, x, DropoutRatio(mlp, layer), name + ".dropout");
}

bool HasBias(const config::MLP& mlp) { return mlp.bias() && !mlp.use_bn(); }

}  // namespace

Value Mlp(Graph& graph, Value x, const config::MLP& mlp, const std::string& name) {
  for (int i = 0; i < mlp.hidden_units_size(); ++i) {
    const std::string layer = fmt::format("{}.layers.{}", name, i);
    x = Dense(graph, x, {1, mlp.hidden_units(i)}, layer, HasBias(mlp));
    x = FinishLayer(graph, x, mlp, i, layer);
  }
  return x;
}

Value ExpertBank(Graph& graph, Value x, const config::MLP& mlp, int64_t num_expert, const std::string& name) {
  for (int i = 0; i < mlp.hidden_units_size(); ++i) {
    const std::string layer = fmt::format("{}.layers.{}", name, i);
    x = i == 0 ? Dense(graph, x, {num_expert, mlp.hidden_units(0)}, layer, HasBias(mlp))
               : DenseBank(graph, x, mlp.hidden_units(i), layer, HasBias(mlp));
    x = FinishLayer(graph, x, mlp, i, layer);
  }
  return x;
}

Value Gate(Graph& graph, Value x, const config::MLP& mlp, int64_t num_expert, const std::string& name) {
  x = Mlp(graph, x, mlp, name);
  return Softmax(graph, Dense(graph, x, {1, num_expert}, name + ".output"), name + ".softmax");
}

void AddTower(Graph& graph, Value x, const config::TaskTower& tower) {
  const std::string name = "towers." + tower.tower_name();
  x = Mlp(graph, x, tower.mlp(), name);
  graph.AddOutput(tower.tower_name(), Dense(graph, x, {1, tower.num_class()}, name + ".output"));
}

}  // namespace manygate
