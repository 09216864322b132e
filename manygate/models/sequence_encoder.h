// SPDX-License-Identifier: Apache-2.0
// From a sequence to one vector per row; the sequence encoders of a feature group.
//
//   Value sequence = Sequence(graph, "clicks", parts, 50), length = SequenceLength(graph, "clicks.length", parts[0]);
//   Value interest = DinEncoder(graph, query, sequence, length, attn_mlp, "clicks.din");   // [B, S]
//
// query: [B, Q], what the sequence is compared with, such as the embeddings of the item in question; sequence: [B, L, S],
// zeros past the end; length: [B, 1] (ops/sequence.h). An empty sequence becomes zeros.
#ifndef MANYGATE_MODELS_SEQUENCE_ENCODER_H_
#define MANYGATE_MODELS_SEQUENCE_ENCODER_H_

#include <string>

#include "manygate/config/pipeline.pb.h"
#include "manygate/graph/graph.h"
#include "manygate/ops/inputs.h"

namespace manygate {

// Zhou et al. 2018, "Deep Interest Network", with softmax weights: position l scores u(MLP(q, s_l, q − s_l, q ∘ s_l)), u one
// linear unit; the result is Σ_l softmax(scores)_l · s_l. Q <= S; a shorter query is padded with zeros. Parameters
// "<name>.attn_mlp.layers.<i>.…" (AttentionMlp in models/blocks.h, whose limits hold) and "<name>.attn_mlp.output.weight"
// [H, 1], ".bias" [1].
Value DinEncoder(Graph& graph, Value query, Value sequence, Value length, const config::MLP& attn_mlp,
                 const std::string& name);

// The same with scores q·s_l. Q == S; no parameters.
Value SimpleAttention(Graph& graph, Value query, Value sequence, Value length, const std::string& name);

// Σ_l s_l, or that divided by max(length, 1).
Value PoolingEncoder(Graph& graph, Value sequence, Value length, Pooling pooling, const std::string& name);

}  // namespace manygate

#endif  // MANYGATE_MODELS_SEQUENCE_ENCODER_H_
