// SPDX-License-Identifier: Apache-2.0
// Networks for a model that somebody chose by its name alone: manygate train --model ple.
//
//   MG_ASSIGN_OR_RETURN(*pipeline.mutable_model_config(),
//                       DefaultModel("ple", towers, {.activation = "nn.SiLU", .dropout = 0.2f}));
//
// A new model needs no line here unless networks alone do not describe it: fields with the option `needed` are filled
// by what they are made of.
#ifndef MANYGATE_CONFIG_MODEL_DEFAULTS_H_
#define MANYGATE_CONFIG_MODEL_DEFAULTS_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/config/pipeline.pb.h"

namespace manygate::config {

struct NetworkDefaults {
  std::vector<uint32_t> trunk = {128, 64};  // layers from the features to the towers; one or more
  std::vector<uint32_t> tower = {32};       // hidden layers of a tower above a trunk; one or more
  std::string activation = "nn.ReLU";
  float dropout = 0;           // after every hidden layer; [0, 1)
  float first_init_scale = 1;  // of layers that read the features
  float init_scale = 1;        // of the layers above them
  uint32_t num_expert = 0;     // of models with a field num_expert; 0 = the schema's default
};

// Fills in what is absent, for whichever model is set:
//   a needed MLP            the trunk
//   a needed list           one element per layer of the trunk, each network in it of that one layer: levels
//   num_expert              where the model has that field and has experts
//   a tower's mlp           the tower's layers; trunk and tower in one where the model has no trunk of its own
// and for single models:
//   dbmtl                   bottom_mlp; each tower reads the one before it, relation_mlp as a tower
//   dc2vr                   bottom_mlp; each tower is moved by the one before it, low_rank_dim a quarter of the narrower
//   pepnet                  ppnet_hidden_units trunk.back(), then the tower; towers get no mlp
// Widths, dropout, activation and initial values of what is there already stay.
void FillModelDefaults(ModelConfig* model_config, const NetworkDefaults& defaults = {});

// A model by its field in ModelConfig, with these towers, filled in.
// InvalidInput: no such model ("no such model. Did you mean ...? Models: ..."; the caller names the flag and value).
StatusOr<ModelConfig> DefaultModel(std::string_view name, std::span<const TaskTower> towers,
                                   const NetworkDefaults& defaults = {});

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_MODEL_DEFAULTS_H_
