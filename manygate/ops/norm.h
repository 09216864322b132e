// SPDX-License-Identifier: Apache-2.0
// Batch normalisation (Ioffe & Szegedy 2015) and layer normalisation (Ba et al. 2016), with torch.nn's defaults: eps 1e-5,
// momentum 0.1, unbiased running variance.
#ifndef MANYGATE_OPS_NORM_H_
#define MANYGATE_OPS_NORM_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// Over the rows of the whole batch, each unit by itself; in prediction by the running statistics. A batch of one row
// uses the running statistics in training too. x: [B, E, H]. Parameters of shape [E, H] ([H] with one group):
// "<name>.weight", "<name>.bias" and, not trained, "<name>.running_mean", "<name>.running_var".
Value BatchNorm(Graph& graph, Value x, std::string name);

// Over the width of each group of each row. x: [B, E, H]. Parameters "<name>.weight", "<name>.bias", shapes as above, or
// with `shared` [H], the same for all groups.
Value LayerNorm(Graph& graph, Value x, std::string name, bool shared = false);

}  // namespace manygate

#endif  // MANYGATE_OPS_NORM_H_
