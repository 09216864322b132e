// SPDX-License-Identifier: Apache-2.0
// The building blocks that models are wired from, as the configuration names them.
#ifndef MANYGATE_MODELS_BLOCKS_H_
#define MANYGATE_MODELS_BLOCKS_H_

#include <string>
#include <vector>

#include "manygate/config/pipeline.pb.h"
#include "manygate/graph/graph.h"
#include "manygate/models/models.h"
#include "manygate/ops/sequence_attention.h"

namespace manygate {

// x: [B, D] -> [B, last hidden unit]: for each layer i, dense "<name>.layers.<i>", then batch or layer normalisation
// "<name>.layers.<i>.norm", activation, dropout. Dense layers start as MLP.init_scale says. With batch normalisation the
// dense layer has no bias. No layers: x.
Value Mlp(Graph& graph, Value x, const config::MLP& mlp, const std::string& name);

// One network for every position of a sequence, over (q, s, q − s, q ∘ s) of its query and the position: -> [B, L, last
// hidden unit], layers and names as Mlp's, the first a product of AttentionDense (ops/sequence_attention.h). mlp has >= 1
// layer, and no batch normalisation: its statistics would hang on how far the sequences are padded.
Value AttentionMlp(Graph& graph, const Attention& inputs, const config::MLP& mlp, const std::string& name);

// num_expert networks of the same shape over one input: x: [B, D] -> [B, E, last hidden unit]. mlp has >= 1 layer.
Value ExpertBank(Graph& graph, Value x, const config::MLP& mlp, int64_t num_expert, const std::string& name);

// Softmax gate over E experts (Ma et al. 2018, equation 7), with hidden layers if `mlp` has any: [B, D] -> [B, E]. Every
// softmax gate over experts is made here and obeys `gating`: "<name>.softmax" with its temperature; with two experts or
// more also "<name>.dropout", and "<name>.load_balance", a row loss on the weights before dropout.
Value Gate(Graph& graph, Value x, const config::MLP& mlp, int64_t num_expert, const config::Gating& gating,
           const std::string& name);

// A tower's last product "towers.<tower>.output" on its hidden layers' output, and the wide part: [B, H] -> [B, C] with
// C = config::NumLogits(tower). The wide part, if there is one, is Dense "wide.<tower>" of inputs.wide (Cheng et al. 2016),
// without a bias; its weights start at 0.
Value OutputUnit(Graph& graph, const ModelInputs& inputs, Value hidden, const config::TaskTower& tower);

// The tower's hidden layers "towers.<tower>.layers.<i>" on x, and OutputUnit.
Value TowerLogits(Graph& graph, const ModelInputs& inputs, Value x, const config::TaskTower& tower);

// TowerLogits as an output of the graph.
void AddTower(Graph& graph, const ModelInputs& inputs, Value x, const config::TaskTower& tower);

}  // namespace manygate

#endif  // MANYGATE_MODELS_BLOCKS_H_
