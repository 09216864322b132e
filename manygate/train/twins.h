// SPDX-License-Identifier: Apache-2.0
// The models that a model with several tasks is compared with: what shares everything, and what shares nothing.
//
//   config::Pipeline bottom = SharedBottomTwin(pipeline, schema);        // all towers above one network
//   config::Pipeline alone = SingleTaskTwin(pipeline, schema, /*tower=*/1);
//
// Both keep data, features, training and seed of the pipeline, which is resolved and has no ensemble; schema: fitted to
// it, with all labels. The results are resolved and valid.
#ifndef MANYGATE_TRAIN_TWINS_H_
#define MANYGATE_TRAIN_TWINS_H_

#include "manygate/config/pipeline.pb.h"
#include "manygate/features/schema.h"

namespace manygate {

// Shared-Bottom (Caruana 1997) with the same towers. The bottom has the layers, activation, dropout and normalisation of
// the model's experts (of a model of levels: a layer per level's layers; of dbmtl and esmm: of their bottom; where there
// are none: 128, 64), all widths times one factor: the largest with which the network has at most as many parameters as
// the model (Ma et al. 2018 compare at equal numbers, too). PEPNet's ppnet layers become layers of the towers.
config::Pipeline SharedBottomTwin(const config::Pipeline& pipeline, const features::Schema& schema);

// The model with one tower and all its networks and experts; of funnels (esmm, escm2, aitm), whose towers mean something
// only together, SharedBottomTwin with that tower. Left out, because they are about several tasks: balancing, relations
// between towers. A tower of weight 0 gets weight 1. early_stopping and best_metrics that watch another tower watch the
// same metric of this one, or "loss" where it has none such.
config::Pipeline SingleTaskTwin(const config::Pipeline& pipeline, const features::Schema& schema, int tower);

}  // namespace manygate

#endif  // MANYGATE_TRAIN_TWINS_H_
