// SPDX-License-Identifier: Apache-2.0
#include "manygate/models/blocks.h"

#include <fmt/format.h>

#include "manygate/base/check.h"
#include "manygate/config/accessors.h"
#include "manygate/ops/activate.h"
#include "manygate/ops/add.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/gate_dropout.h"
#include "manygate/ops/load_balance.h"
#include "manygate/ops/mix.h"
#include "manygate/ops/norm.h"
#include "manygate/ops/sequence_dense.h"

namespace manygate {
namespace {

// None, one for all layers, or one per layer.
float OfLayer(const google::protobuf::RepeatedField<float>& values, int layer, float none) {
  return values.empty() ? none : values[values.size() == 1 ? 0 : layer];
}

// What follows the product of one layer. shared: the groups of x are positions, which have one layer normalisation.
Value FinishLayer(Graph& graph, Value x, const config::MLP& mlp, int layer, const std::string& name,
                  bool shared = false) {
  if (mlp.use_bn()) x = BatchNorm(graph, x, name + ".norm");
  if (mlp.use_ln()) x = LayerNorm(graph, x, name + ".norm", shared);
  const auto activation = ParseActivation(mlp.activation());
  MG_CHECK(activation.has_value(), "activation {} passed validation", mlp.activation());
  x = Activate(graph, x, *activation, name + ".activation");
  return Dropout(graph, x, OfLayer(mlp.dropout_ratio(), layer, 0), name + ".dropout");
}

bool HasBias(const config::MLP& mlp) { return mlp.bias() && !mlp.use_bn(); }

}  // namespace

Value Mlp(Graph& graph, Value x, const config::MLP& mlp, const std::string& name) {
  for (int i = 0; i < mlp.hidden_units_size(); ++i) {
    const std::string layer = fmt::format("{}.layers.{}", name, i);
    x = Dense(graph, x, {1, mlp.hidden_units(i)}, layer, HasBias(mlp), OfLayer(mlp.init_scale(), i, 1));
    x = FinishLayer(graph, x, mlp, i, layer);
  }
  return x;
}

Value AttentionMlp(Graph& graph, const Attention& inputs, const config::MLP& mlp, const std::string& name) {
  MG_CHECK(!mlp.use_bn(), "{}: batch normalisation over positions passed validation", name);
  MG_CHECK(mlp.hidden_units_size() > 0, "{}: no hidden layer", name);
  Value x = inputs.sequence;
  for (int i = 0; i < mlp.hidden_units_size(); ++i) {
    const std::string layer = fmt::format("{}.layers.{}", name, i);
    const float scale = OfLayer(mlp.init_scale(), i, 1);
    x = i == 0 ? AttentionDense(graph, inputs, mlp.hidden_units(0), layer, HasBias(mlp), scale)
               : SharedDense(graph, x, mlp.hidden_units(i), layer, HasBias(mlp), scale);
    x = FinishLayer(graph, x, mlp, i, layer, true);
  }
  return x;
}

Value ExpertBank(Graph& graph, Value x, const config::MLP& mlp, int64_t num_expert, const std::string& name) {
  for (int i = 0; i < mlp.hidden_units_size(); ++i) {
    const std::string layer = fmt::format("{}.layers.{}", name, i);
    const float scale = OfLayer(mlp.init_scale(), i, 1);
    x = i == 0 ? Dense(graph, x, {num_expert, mlp.hidden_units(0)}, layer, HasBias(mlp), scale)
               : DenseBank(graph, x, mlp.hidden_units(i), layer, HasBias(mlp), scale);
    x = FinishLayer(graph, x, mlp, i, layer);
  }
  return x;
}

Value Gate(Graph& graph, Value x, const config::MLP& mlp, int64_t num_expert, const config::Gating& gating,
           const std::string& name) {
  x = Mlp(graph, x, mlp, name);
  const Value weights =
      Softmax(graph, Dense(graph, x, {1, num_expert}, name + ".output"), name + ".softmax", gating.temperature());
  if (num_expert == 1) return weights;
  if (gating.load_balance_weight() > 0)
    graph.AddRowLoss(name + ".load_balance", LoadBalance(graph, weights, name + ".load_balance"),
                     gating.load_balance_weight());
  return GateDropout(graph, weights, gating.dropout_ratio(), name + ".dropout");
}

Value OutputUnit(Graph& graph, const ModelInputs& inputs, Value hidden, const config::TaskTower& tower) {
  const Shape shape{1, config::NumLogits(tower)};
  const std::string& name = tower.tower_name();
  const Value deep = Dense(graph, hidden, shape, "towers." + name + ".output");
  if (inputs.wide < 0) return deep;
  return Add(graph, {deep, Dense(graph, inputs.wide, shape, "wide." + name, false, 0)}, "towers." + name + ".sum");
}

Value TowerLogits(Graph& graph, const ModelInputs& inputs, Value x, const config::TaskTower& tower) {
  return OutputUnit(graph, inputs, Mlp(graph, x, tower.mlp(), "towers." + tower.tower_name()), tower);
}

void AddTower(Graph& graph, const ModelInputs& inputs, Value x, const config::TaskTower& tower) {
  graph.AddOutput(tower.tower_name(), TowerLogits(graph, inputs, x, tower));
}

}  // namespace manygate
