// SPDX-License-Identifier: Apache-2.0
// A parameter that every row reads.
#ifndef MANYGATE_OPS_BROADCAST_H_
#define MANYGATE_OPS_BROADCAST_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// [B, groups, width]: the parameter `name`, [width] or, with several groups, [groups, width], in each row. It counts as a
// bias: weight decay leaves it alone.
Value Broadcast(Graph& graph, std::string name, Shape shape, const Initializer& initializer);

}  // namespace manygate

#endif  // MANYGATE_OPS_BROADCAST_H_
