// SPDX-License-Identifier: Apache-2.0
// From fitted features to the values that a model is wired from.
#ifndef MANYGATE_CATALOG_INPUTS_H_
#define MANYGATE_CATALOG_INPUTS_H_

#include "manygate/config/pipeline.pb.h"
#include "manygate/features/schema.pb.h"
#include "manygate/graph/graph.h"
#include "manygate/models/models.h"

namespace manygate {

// The feature groups of a resolved and validated model: the first DEEP one, through the cross layers if there are any,
// the WIDE one, and the others by name. Adds the embedding tables, the maps of piecewise-linear features
// ("pieces.<feature>.weight", ".bias"), embeddings of numbers ("dense_embeddings.<feature>...") and sequence encoders
// ("sequence_encoders.<group>.<name>...").
ModelInputs BuildInputs(Graph& graph, const config::ModelConfig& model, const features::Schema& schema);

}  // namespace manygate

#endif  // MANYGATE_CATALOG_INPUTS_H_
