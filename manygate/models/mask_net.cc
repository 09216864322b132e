// SPDX-License-Identifier: Apache-2.0
#include "manygate/models/mask_net.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "manygate/models/blocks.h"
#include "manygate/ops/activate.h"
#include "manygate/ops/concat.h"
#include "manygate/ops/dense.h"
#include "manygate/ops/multiply.h"
#include "manygate/ops/norm.h"

namespace manygate {
namespace {

// x is masked, the mask is made of `features`.
Value MaskedLayer(Graph& graph, Value x, Value features, const config::MaskBlock& config, const std::string& name) {
  const Shape shape = graph.shape(x);
  // A ratio is of what is masked, rounded down.
  const int64_t by_ratio =
      static_cast<int64_t>(std::floor(double{config.reduction_ratio()} * static_cast<double>(shape.width)));
  const int64_t hidden = config.has_aggregation_dim() ? config.aggregation_dim() : std::max<int64_t>(1, by_ratio);
  Value mask = Dense(graph, features, {1, hidden}, name + ".mask.0");
  mask = Activate(graph, mask, Activation::kRelu, name + ".mask.activation");
  mask = Dense(graph, mask, shape, name + ".mask.1");
  const Value masked = Multiply(graph, x, mask, name + ".product");
  const Value layer = Dense(graph, masked, {1, config.hidden_dim()}, name + ".layer");
  return Activate(graph, LayerNorm(graph, layer, name + ".layer.norm"), Activation::kRelu, name + ".activation");
}

}  // namespace

Value MaskNet(Graph& graph, Value x, const config::MaskNetModule& config, const std::string& name) {
  Value hidden = LayerNorm(graph, x, name + ".norm");
  std::vector<Value> outputs;
  for (uint32_t i = 0; i < config.n_mask_blocks(); ++i) {
    const Value out = MaskedLayer(graph, hidden, x, config.mask_block(), fmt::format("{}.blocks.{}", name, i));
    if (config.use_parallel()) {
      outputs.push_back(out);
    } else {
      hidden = out;
    }
  }
  if (config.use_parallel()) hidden = Concat(graph, name + ".concat", std::move(outputs));
  return Mlp(graph, hidden, config.top_mlp(), name + ".top");
}

}  // namespace manygate
