// SPDX-License-Identifier: Apache-2.0
// What attention over a sequence is made of (Zhou et al. 2018, "Deep Interest Network", section 4.3):
//
//   Value input = AttentionInput(graph, query, sequence, "din.input");       // [B, L, 4·S]
//   Value scores = ...;                                                      // [B, L] or [B, L, 1]
//   Value weights = MaskedSoftmax(graph, scores, length, "din.softmax");     // [B, L]
//   Value y = Mix(graph, sequence, weights, "din.mix");                      // [B, S], ops/mix.h
//
// Positions are not skipped past the end: MaskedSoftmax gives them weight 0 and no gradient.
#ifndef MANYGATE_OPS_SEQUENCE_ATTENTION_H_
#define MANYGATE_OPS_SEQUENCE_ATTENTION_H_

#include <string>

#include "manygate/graph/graph.h"

namespace manygate {

// out[b, l, :] = (q, s, q − s, q ∘ s) with s = sequence[b, l, :] and q = query[b, :], padded with zeros to the width of s.
// query: [B, Q]; sequence: [B, L, S], Q <= S -> [B, L, 4·S].
Value AttentionInput(Graph& graph, Value query, Value sequence, std::string name);

// out[b, l] = Σ_i query[b, i] · sequence[b, l, i]. query: [B, S]; sequence: [B, L, S] -> [B, L].
Value PositionScores(Graph& graph, Value query, Value sequence, std::string name);

// Softmax over the first length[b] positions; 0 for the others, and for all of a row of length 0. scores: [B, L] or
// [B, L, 1]; length: [B, 1], as SequenceLength gives it -> [B, L].
Value MaskedSoftmax(Graph& graph, Value scores, Value length, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_SEQUENCE_ATTENTION_H_
