// SPDX-License-Identifier: Apache-2.0
#include "manygate/graph/parameter_store.h"

#include <algorithm>

#include "manygate/base/check.h"
#include "manygate/base/file.h"
#include "manygate/base/random.h"

namespace manygate {
namespace {

// In the order of the arena. All parameters of one block are of one kind. A batch-only block that is not decayed stands
// with the others: slices then sum zeros for it.
enum Category { kBatchOnly, kDecayed, kNotDecayed, kNotTrainable };

Category CategoryOf(const Graph& graph, const Block& block) {
  const Parameter& first = graph.parameters[block.pieces.front().parameter];
  if (!first.trainable) return kNotTrainable;
  return !first.decay ? kNotDecayed : block.batch_only ? kBatchOnly : kDecayed;
}

}  // namespace

ParameterStore::ParameterStore(const Graph& graph, StateCounts counts) : graph_(graph) {
  block_offsets_.resize(graph.nodes.size());
  int64_t offset = 0;
  for (const Category category : {kBatchOnly, kDecayed, kNotDecayed, kNotTrainable}) {
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      const auto& blocks = graph.nodes[n].blocks;
      block_offsets_[n].resize(blocks.size());
      for (size_t b = 0; b < blocks.size(); ++b) {
        if (CategoryOf(graph, blocks[b]) != category) continue;
        block_offsets_[n][b] = offset;
        offset += (blocks[b].rows * blocks[b].columns + 15) / 16 * 16;
      }
    }
    if (category == kBatchOnly) slice_first_ = offset;
    if (category == kDecayed) decayed_size_ = offset;
    if (category == kNotDecayed) trainable_size_ = offset;
  }
  weights_.Resize(offset);
  if (counts.dense_states >= 0) gradient_.Resize(offset);
  for (int k = 0; k < counts.dense_states; ++k) states_.emplace_back(offset);
  for (const TableBlock& table : graph.tables) {
    tables_.push_back(std::make_unique<RowTable>(table.name, table.rows, table.columns,
                                                 table.embedding ? counts.embedding_states : counts.dense_states,
                                                 table.differences));
  }
  for (const DerivedTable& table : graph.derived_tables) {
    derived_.push_back(
        std::make_unique<RowTable>(table.name, table.rows, table.columns, counts.dense_states >= 0 ? 0 : -1));
  }
}

template <typename Visit>
void ParameterStore::VisitRuns(int index, Part part, Visit visit) const {
  const auto visit_piece = [&](const Piece& piece, auto row_pointer) {
    if (piece.parameter != index) return;
    for (int64_t r = 0; r < piece.rows; ++r) {
      visit(row_pointer(piece.row + r) + piece.column, (piece.parameter_row + r) * piece.columns, piece.columns);
    }
  };
  for (size_t n = 0; n < graph_.nodes.size(); ++n) {
    const auto& blocks = graph_.nodes[n].blocks;
    for (size_t b = 0; b < blocks.size(); ++b) {
      float* base = (part == Part::kWeights ? weights_.data() : gradient_.data()) + block_offsets_[n][b];
      for (const Piece& piece : blocks[b].pieces)
        visit_piece(piece, [&](int64_t row) { return base + row * blocks[b].columns; });
    }
  }
  for (size_t t = 0; t < tables_.size(); ++t) {
    for (const Piece& piece : graph_.tables[t].pieces) {
      visit_piece(piece, [&](int64_t row) {
        return part == Part::kWeights ? tables_[t]->weights(row) : tables_[t]->gradient(row);
      });
    }
  }
}

std::vector<float> ParameterStore::Read(int index) const {
  std::vector<float> values(graph_.parameters[index].size());
  VisitRuns(index, Part::kWeights,
            [&](const float* from, int64_t to, int64_t n) { std::copy_n(from, n, values.data() + to); });
  return values;
}

std::vector<float> ParameterStore::ReadGradient(int index) const {
  std::vector<float> values(graph_.parameters[index].size());
  VisitRuns(index, Part::kGradient,
            [&](const float* from, int64_t to, int64_t n) { std::copy_n(from, n, values.data() + to); });
  return values;
}

void ParameterStore::Write(int index, std::span<const float> values) {
  MG_CHECK(static_cast<int64_t>(values.size()) == graph_.parameters[index].size(), "{} values for {}", values.size(),
           graph_.parameters[index].name);
  VisitRuns(index, Part::kWeights,
            [&](float* to, int64_t from, int64_t n) { std::copy_n(values.data() + from, n, to); });
}

void ParameterStore::Initialize(uint64_t seed) {
  for (size_t i = 0; i < graph_.parameters.size(); ++i) {
    const Parameter& parameter = graph_.parameters[i];
    std::vector<float> values(parameter.size(), parameter.initializer.a);
    const uint64_t stream = Xxh3(parameter.name.data(), parameter.name.size());
    const Initializer& init = parameter.initializer;
    if (init.kind == Initializer::Kind::kUniform) FillUniform(values, init.a, init.b, seed, stream);
    if (init.kind == Initializer::Kind::kNormal) FillNormal(values, init.a, init.b, seed, stream);
    if (init.kind == Initializer::Kind::kValues) values = init.values;
    Write(static_cast<int>(i), values);
  }
}

}  // namespace manygate
