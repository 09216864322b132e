// SPDX-License-Identifier: Apache-2.0
#include "manygate/models/cross.h"

#include <fmt/format.h>

#include <string>

#include "manygate/ops/add.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/multiply.h"

namespace manygate {

Value Cross(Graph& graph, Value x, const config::CrossV2& config) {
  const Shape shape = graph.shape(x);
  Value crossed = x;
  for (uint32_t l = 0; l < config.cross_num(); ++l) {
    const std::string name = fmt::format("cross.layers.{}", l);
    Value factor;
    if (config.low_rank() == 0) {
      factor = Dense(graph, crossed, shape, name);
    } else {
      factor = Dense(graph, crossed, {1, config.low_rank()}, name + ".down", false);
      factor = Dense(graph, factor, shape, name + ".up");
    }
    crossed = Add(graph, {Multiply(graph, x, factor, name + ".product"), crossed}, name + ".sum");
  }
  return crossed;
}

}  // namespace manygate
