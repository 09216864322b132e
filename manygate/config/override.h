// SPDX-License-Identifier: Apache-2.0
// Overrides of single fields, as `--set` gives them:
//
//   train_config.num_epochs=3                          a number, true/false, an enum value, a text with or without
//   quotes feature_configs[2].id_feature.embedding_dim=8      element of a repeated field, counted from 0
//   model_config.mmoe.expert_mlp.hidden_units=[64,32]  the whole list; =64 is a list of one, =[] empties it
//   data_config.missing_values+=NA                     adds to the list: one value or [a, b]
//   train_config.ema={decay: 0.99}                     replaces a whole message
//   train_config.dense_optimizer.sgd_optimizer.lr=0.1  chooses sgd_optimizer; what was chosen before goes
//
// Messages on the way that are not there yet are made.
#ifndef MANYGATE_CONFIG_OVERRIDE_H_
#define MANYGATE_CONFIG_OVERRIDE_H_

#include <string_view>

#include "manygate/base/status.h"
#include "manygate/config/load.h"

namespace manygate::config {

// Changes loaded->pipeline and notes "--set path=value" as the place of what it set. InvalidInput, each line starting
// with that place: unknown part of the path, index out of range, value of another type. Nothing is changed then.
Status ApplyOverride(std::string_view override_text, LoadedPipeline* loaded);

}  // namespace manygate::config

#endif  // MANYGATE_CONFIG_OVERRIDE_H_
