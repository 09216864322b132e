// SPDX-License-Identifier: Apache-2.0
#include "manygate/models/sequence_encoder.h"

#include "manygate/models/blocks.h"
#include "manygate/ops/mix.h"
#include "manygate/ops/sequence.h"
#include "manygate/ops/sequence_attention.h"
#include "manygate/ops/sequence_dense.h"

namespace manygate {
namespace {

Value WeightedSum(Graph& graph, Value sequence, Value scores, Value length, const std::string& name) {
  return Mix(graph, sequence, MaskedSoftmax(graph, scores, length, name + ".softmax"), name + ".mix");
}

}  // namespace

Value DinEncoder(Graph& graph, Value query, Value sequence, Value length, const config::MLP& attn_mlp,
                 const std::string& name) {
  const Value hidden = AttentionMlp(graph, {query, sequence, length}, attn_mlp, name + ".attn_mlp");
  return WeightedSum(graph, sequence, SharedDense(graph, hidden, 1, name + ".attn_mlp.output"), length, name);
}

Value SimpleAttention(Graph& graph, Value query, Value sequence, Value length, const std::string& name) {
  return WeightedSum(graph, sequence, PositionScores(graph, query, sequence, name + ".scores"), length, name);
}

Value PoolingEncoder(Graph& graph, Value sequence, Value length, Pooling pooling, const std::string& name) {
  return SequencePool(graph, sequence, length, pooling, name + ".pool");
}

}  // namespace manygate
