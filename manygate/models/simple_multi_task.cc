// SPDX-License-Identifier: Apache-2.0
// One network per task; the tasks share the embeddings of their features and nothing else. The control of every claim
// that sharing helps.
//
//   x [B,D] ─┬─ tower a ── logits a
//            └─ tower b ── logits b
#include "manygate/models/blocks.h"
#include "manygate/models/models.h"

namespace manygate {

void WireSimpleMultiTask(Graph& graph, const ModelInputs& inputs, const config::SimpleMultiTask& config) {
  for (const config::TaskTower& tower : config.task_towers()) AddTower(graph, inputs, inputs.x, tower);
}

}  // namespace manygate
