// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/encode.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/features/table_encoder.h"

namespace manygate::features {
namespace {

// Records to fetch ahead of the copy; enough to cover a trip to memory.
constexpr int kPrefetchRows = 12;
constexpr size_t kCacheLine = 64;

// Fixed blocks, which the compiler turns into vector moves; the last block overlaps the one before.
template <typename Id>
inline void CopyIds(const std::byte* record, int count, int32_t* __restrict out) {
  constexpr int kBlock = 8;
  const Id* __restrict in = reinterpret_cast<const Id*>(record);
  if (count < kBlock) {
    for (int i = 0; i < count; ++i) out[i] = static_cast<int32_t>(in[i]);
    return;
  }
  for (int start = 0; start < count; start += kBlock) {
    const int from = std::min(start, count - kBlock);
    for (int i = 0; i < kBlock; ++i) out[from + i] = static_cast<int32_t>(in[from + i]);
  }
}

inline void CopyFloats(const std::byte* in, int count, float* out) {
  constexpr int kBlock = 4;
  int i = 0;
  for (; i + kBlock <= count; i += kBlock) std::memcpy(out + i, in + i * sizeof(float), kBlock * sizeof(float));
  for (; i < count; ++i) std::memcpy(out + i, in + i * sizeof(float), sizeof(float));
}

}  // namespace

RecordLayout LayoutOf(const Schema& schema, bool with_labels) {
  RecordLayout layout;
  layout.num_id_slots = static_cast<int>(schema.num_id_slots());
  layout.number_width = static_cast<int>(schema.number_width());
  layout.num_labels = with_labels ? schema.labels_size() : 0;
  layout.num_weights = with_labels ? schema.weight_column_size() : 0;
  for (const FeatureSchema& feature : schema.features()) {
    // Of several values one more number says that no more follow.
    const uint64_t numbers = feature.vocabulary_size() + (feature.num_values() > 1 ? 1 : 0);
    if (HasIdSlot(feature) && numbers > std::numeric_limits<uint16_t>::max() + uint64_t{1}) layout.id_bytes = 4;
  }
  const size_t id_bytes = static_cast<size_t>(layout.num_id_slots) * layout.id_bytes;
  layout.numbers_offset = (id_bytes + 3) / 4 * 4;
  layout.labels_offset = layout.numbers_offset + static_cast<size_t>(layout.number_width) * sizeof(float);
  layout.weights_offset = layout.labels_offset + static_cast<size_t>(layout.num_labels) * sizeof(float);
  const size_t used = layout.weights_offset + static_cast<size_t>(layout.num_weights) * sizeof(float);
  layout.record_bytes =
      used <= kCacheLine ? std::max<size_t>(std::bit_ceil(used), 8) : (used + kCacheLine - 1) / kCacheLine * kCacheLine;
  return layout;
}

EncodedTable::EncodedTable(int64_t rows, const RecordLayout& layout, int num_groups)
    : rows_(rows),
      layout_(layout),
      storage_(static_cast<size_t>(rows) * layout.record_bytes / sizeof(float)),
      groups_(static_cast<size_t>(num_groups), std::vector<int32_t>(static_cast<size_t>(rows))) {}

void EncodedTable::CopyRows(const uint32_t* rows, int n, int32_t* ids, float* numbers, float* labels,
                            float* weights) const {
  // The prefetch stands in the loop itself: GCC 12 takes a function that only prefetches for one without effect and
  // drops every call of it.
  int ahead = 0;
  for (int i = 0; i < n; ++i) {
    MG_CHECK(rows[i] < rows_, "row {} of {}", rows[i], rows_);
    for (; ahead < std::min(n, i + kPrefetchRows); ++ahead) {
      const std::byte* next = record(rows[ahead]);
      for (size_t byte = 0; byte < layout_.record_bytes; byte += kCacheLine) __builtin_prefetch(next + byte);
    }
    const std::byte* from = record(rows[i]);
    const size_t row = static_cast<size_t>(i);
    if (ids != nullptr) {
      int32_t* out = ids + row * layout_.num_id_slots;
      if (layout_.id_bytes == 2) {
        CopyIds<uint16_t>(from, layout_.num_id_slots, out);
      } else {
        CopyIds<uint32_t>(from, layout_.num_id_slots, out);
      }
    }
    if (numbers != nullptr)
      CopyFloats(from + layout_.numbers_offset, layout_.number_width, numbers + row * layout_.number_width);
    if (labels != nullptr)
      CopyFloats(from + layout_.labels_offset, layout_.num_labels, labels + row * layout_.num_labels);
    if (weights != nullptr)
      CopyFloats(from + layout_.weights_offset, layout_.num_weights, weights + row * layout_.num_weights);
  }
}

StatusOr<EncodedTable> Encode(const Schema& schema, const Table& table, bool with_labels, ThreadPool& pool) {
  MG_ASSIGN_OR_RETURN(const TableEncoder encoder, TableEncoder::Create(schema, table, with_labels));
  EncodedTable result = encoder.NewTable(table.rows);
  encoder.EncodeRows(0, table.rows, 0, pool, &result);
  return result;
}

}  // namespace manygate::features
