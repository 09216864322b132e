// SPDX-License-Identifier: Apache-2.0
// A parameter that every row reads.
#ifndef MANYGATE_OPS_BROADCAST_H_
#define MANYGATE_OPS_BROADCAST_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// [B, width]: the parameter `name` [width] in each row. Weight decay leaves it alone: nothing is multiplied by it here.
Value Broadcast(Graph& graph, std::string name, int64_t width, const Initializer& initializer);

}  // namespace manygate

#endif  // MANYGATE_OPS_BROADCAST_H_
