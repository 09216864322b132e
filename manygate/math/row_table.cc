// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/row_table.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manygate/math/row_table.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "manygate/math/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace manygate {
namespace HWY_NAMESPACE {
using D = FloatTag;
using V = FloatVector;

// kVectors accumulators stay in registers over all columns. Six hide the latency of the additions (two per cycle).
template <int kVectors>
HWY_INLINE void GatherBlock(const float* const* rows, int num_columns, int64_t at, float* out) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V sum[kVectors];
  for (int v = 0; v < kVectors; ++v) sum[v] = hn::LoadU(d, out + at + v * lanes);
  for (int c = 0; c < num_columns; ++c) {
    const float* row = rows[c] + at;
    for (int v = 0; v < kVectors; ++v) sum[v] = hn::Add(sum[v], hn::Load(d, row + v * lanes));
  }
  for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, out + at + v * lanes);
}

// Rows are padded to whole vectors, `out` is not: its last vector is masked.
HWY_INLINE void GatherTail(const float* const* rows, int num_columns, int64_t at, size_t n, float* out) {
  const D d;
  V sum = LoadPart(d, out + at, n);
  for (int c = 0; c < num_columns; ++c) sum = hn::Add(sum, hn::Load(d, rows[c] + at));
  StorePart(sum, d, out + at, n);
}

void GatherRow(const float* const* rows, int num_columns, int64_t width, float* out) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t at = 0;
  for (; at + 6 * lanes <= width; at += 6 * lanes) GatherBlock<6>(rows, num_columns, at, out);
  if (at + 4 * lanes <= width) GatherBlock<4>(rows, num_columns, at, out), at += 4 * lanes;
  if (at + 2 * lanes <= width) GatherBlock<2>(rows, num_columns, at, out), at += 2 * lanes;
  for (; at < width; at += lanes) GatherTail(rows, num_columns, at, static_cast<size_t>(width - at), out);
}

template <int kVectors>
HWY_INLINE void ScatterBlock(float* const* rows, int num_columns, int64_t at, const float* d_out) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  V up[kVectors];
  for (int v = 0; v < kVectors; ++v) up[v] = hn::LoadU(d, d_out + at + v * lanes);
  for (int c = 0; c < num_columns; ++c) {
    float* row = rows[c] + at;
    for (int v = 0; v < kVectors; ++v) hn::Store(hn::Add(hn::Load(d, row + v * lanes), up[v]), d, row + v * lanes);
  }
}

void ScatterRow(float* const* rows, int num_columns, int64_t width, const float* d_out) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t at = 0;
  for (; at + 6 * lanes <= width; at += 6 * lanes) ScatterBlock<6>(rows, num_columns, at, d_out);
  for (; at < width; at += lanes) {
    // Padding of a gradient stays 0: LoadPart fills with zeros.
    const V up = LoadPart(d, d_out + at, static_cast<size_t>(width - at));
    for (int c = 0; c < num_columns; ++c) hn::Store(hn::Add(hn::Load(d, rows[c] + at), up), d, rows[c] + at);
  }
}

void GatherRows(const float* base, int64_t record, int64_t width, const LookupColumn* columns, int num_columns,
                int64_t rows, const int32_t* ids, int64_t id_stride, float* out, int64_t out_stride,
                const float** pointers) {
  for (int64_t r = 0; r < rows; ++r, ids += id_stride, out += out_stride) {
    for (int c = 0; c < num_columns; ++c) pointers[c] = base + (columns[c].row0 + ids[columns[c].slot]) * record;
    GatherRow(pointers, num_columns, width, out);
  }
}

void ScatterRows(float* base, int64_t record, int64_t width, const LookupColumn* columns, int num_columns,
                 int64_t rows, const int32_t* ids, int64_t id_stride, const float* d_out, int64_t d_out_stride,
                 float** pointers) {
  for (int64_t r = 0; r < rows; ++r, ids += id_stride, d_out += d_out_stride) {
    for (int c = 0; c < num_columns; ++c) pointers[c] = base + (columns[c].row0 + ids[columns[c].slot]) * record;
    ScatterRow(pointers, num_columns, width, d_out);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(GatherRows);
HWY_EXPORT(ScatterRows);

RowTable::RowTable(std::string name, int64_t rows, int64_t width, int num_states)
    : name_(std::move(name)),
      rows_(rows),
      width_(width),
      padded_width_((width + 15) / 16 * 16),
      record_size_(padded_width_ * (2 + num_states)),
      num_states_(num_states),
      data_(static_cast<size_t>(rows * record_size_)) {
  if (num_states >= 0) {
    first_pending_.assign(rows, 1);
    is_touched_.assign(rows, 0);
  }
}

void RowTable::StartBatch() {
  for (const int32_t row : touched_) is_touched_[row] = 0;
  touched_.clear();
}

void RowTable::Touch(const int32_t* ids, int64_t id_stride, int64_t n, int64_t row0) {
  for (int64_t r = 0; r < n; ++r) {
    const int32_t row = static_cast<int32_t>(row0 + ids[r * id_stride]);
    if (is_touched_[row] != 0) continue;
    is_touched_[row] = 1;
    touched_.push_back(row);
  }
}

void GatherSum(const RowTable& table, std::span<const LookupColumn> columns, int64_t rows, const int32_t* ids,
               int64_t id_stride, float* out, int64_t out_stride) {
  thread_local std::vector<const float*> pointers;
  pointers.resize(columns.size());
  HWY_DYNAMIC_DISPATCH(GatherRows)
  (table.records(), table.record_size(), table.width(), columns.data(), static_cast<int>(columns.size()), rows, ids,
   id_stride, out, out_stride, pointers.data());
}

void ScatterAdd(RowTable& table, std::span<const LookupColumn> columns, int64_t rows, const int32_t* ids,
                int64_t id_stride, const float* d_out, int64_t d_out_stride) {
  thread_local std::vector<float*> pointers;
  pointers.resize(columns.size());
  HWY_DYNAMIC_DISPATCH(ScatterRows)
  (table.gradient(0), table.record_size(), table.width(), columns.data(), static_cast<int>(columns.size()), rows, ids,
   id_stride, d_out, d_out_stride, pointers.data());
}

}  // namespace manygate
#endif  // HWY_ONCE
