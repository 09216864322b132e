// SPDX-License-Identifier: Apache-2.0
// Shared-Bottom: one network below all towers. Caruana: Multitask Learning, Machine Learning 28, 1997.
//
//   x [B,D] ── bottom [B,H] ─┬─ tower a ── logits a
//                            └─ tower b ── logits b
#include "manygate/models/blocks.h"
#include "manygate/models/models.h"

namespace manygate {

void WireSharedBottom(Graph& graph, const ModelInputs& inputs, const config::SharedBottom& config) {
  const Value bottom = Mlp(graph, inputs.x, config.bottom_mlp(), "bottom");
  for (const config::TaskTower& tower : config.task_towers()) AddTower(graph, inputs, bottom, tower);
}

}  // namespace manygate
