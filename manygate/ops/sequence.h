// SPDX-License-Identifier: Apache-2.0
// Sequences: a list of at most L positions per row, each a few embeddings and numbers side by side.
//
//   const SequencePart items = {.slots = {4, 50}, .table = table};                          // ids in slots 4 .. 53
//   const SequencePart prices = {.number_offset = 7, .width = 1, .positions = 50};          // numbers 7 .. 56
//   Value sequence = Sequence(graph, "clicks", {items, prices}, 50);                        // [B, 50, dim + 1]
//   Value length = SequenceLength(graph, "clicks.length", items);                           // [B, 1]
//   Value pooled = SequencePool(graph, sequence, length, Pooling::kMean, "clicks.pool");    // [B, dim + 1]
//
// How a sequence ends: an id that is the table's number of rows (its vocabulary), or a position whose first number is NaN,
// stands past the end, and so does what follows it. A sequence may be empty.
#ifndef MANYGATE_OPS_SEQUENCE_H_
#define MANYGATE_OPS_SEQUENCE_H_

#include <string>
#include <vector>

#include "manygate/graph/graph.h"
#include "manygate/ops/inputs.h"

namespace manygate {

// What each position holds of one feature: a row of a table, or `width` numbers.
struct SequencePart {
  IdSlots slots = 0;  // ids: one position per slot
  int table = -1;     // ids: of the graph (AddEmbedding); tables may be shared. -1: numbers
  // Numbers: position k is numbers number_offset + k * width .. number_offset + (k + 1) * width - 1.
  int64_t number_offset = 0, width = 0, positions = 0;

  int64_t num_positions() const { return table >= 0 ? slots.num_slots : positions; }
};

// [B, L = positions, Σ widths of the parts]: all zeros where a part has ended. A part has at most `positions` of them; to
// read only the first few positions of a longer record, give fewer slots or positions.
Value Sequence(Graph& graph, std::string name, std::vector<SequencePart> parts, int64_t positions);

// [B, 1]: the number of positions before the end of a part.
Value SequenceLength(Graph& graph, std::string name, const SequencePart& part);

// sequence: [B, L, S], zeros past the end; length: [B, 1] -> [B, S]: the sum of all positions, or that divided by
// max(length, 1).
Value SequencePool(Graph& graph, Value sequence, Value length, Pooling pooling, std::string name);

}  // namespace manygate

#endif  // MANYGATE_OPS_SEQUENCE_H_
