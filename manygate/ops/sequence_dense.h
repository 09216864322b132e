// SPDX-License-Identifier: Apache-2.0
// One product for every position of a sequence.
#ifndef MANYGATE_OPS_SEQUENCE_DENSE_H_
#define MANYGATE_OPS_SEQUENCE_DENSE_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// out[b, l, :] = x[b, l, :]·W + bias, with the same W for all l. x: [B, L, K]; out: [B, L, width]. Parameters
// "<name>.weight" [K, width], "<name>.bias" [width]; they start as those of Dense (ops/dense.h).
Value SharedDense(Graph& graph, Value x, int64_t width, std::string name, bool bias = true, float gain = 1);

}  // namespace manygate

#endif  // MANYGATE_OPS_SEQUENCE_DENSE_H_
