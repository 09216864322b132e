// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/row_table.h"

#include <algorithm>

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

// Which rows of the table each input row adds (SelectRows).
struct Selection {
  int64_t record;  // floats per record
  const int32_t* selected;
  int64_t stride;
};

// Walks all rows for one narrow block of columns before it goes to the next: the part of the table that a block reads then
// stays in the first-level cache (488 rows of 144 floats on Census: 94 KiB per block of 48, of which the frequent rows
// are a third; the whole width would be 281 KiB). kVectors sums stay in registers over all columns; six hide the latency
// of the additions.
template <int kVectors>
HWY_INLINE void GatherBlock(const Selection& s, const float* table, int64_t rows, float* out, int64_t out_stride) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const int32_t* list = s.selected;
  for (int64_t r = 0; r < rows; ++r, list += s.stride, out += out_stride) {
    V sum[kVectors];
    for (int v = 0; v < kVectors; ++v) sum[v] = hn::LoadU(d, out + v * lanes);
    for (int32_t c = 1; c <= list[0]; ++c) {
      const float* row = table + list[c] * s.record;
      for (int v = 0; v < kVectors; ++v) sum[v] = hn::Add(sum[v], hn::Load(d, row + v * lanes));
    }
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, out + v * lanes);
  }
}

// Rows of the table are padded to whole vectors, `out` is not.
HWY_INLINE void GatherTail(const Selection& s, const float* table, int64_t rows, size_t n, float* out,
                           int64_t out_stride) {
  const D d;
  const int32_t* list = s.selected;
  for (int64_t r = 0; r < rows; ++r, list += s.stride, out += out_stride) {
    V sum = LoadPart(d, out, n);
    for (int32_t c = 1; c <= list[0]; ++c) sum = hn::Add(sum, hn::Load(d, table + list[c] * s.record));
    StorePart(sum, d, out, n);
  }
}

void Gather(const float* table, int64_t record, int64_t width, int64_t rows, const int32_t* selected,
            int64_t selected_stride, float* out, int64_t out_stride) {
  const Selection s{record, selected, selected_stride};
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(D()));
  int64_t at = 0;
  for (; at + 6 * lanes <= width; at += 6 * lanes) GatherBlock<6>(s, table + at, rows, out + at, out_stride);
  for (; at + 3 * lanes <= width; at += 3 * lanes) GatherBlock<3>(s, table + at, rows, out + at, out_stride);
  for (; at + lanes <= width; at += lanes) GatherBlock<1>(s, table + at, rows, out + at, out_stride);
  if (at < width) GatherTail(s, table + at, rows, static_cast<size_t>(width - at), out + at, out_stride);
}

// Sorting the entries of 128 rows by table row first, so that a gradient stays in registers over its entries, gives the same
// bits and no gain (528 columns, 12 rows of 500 a row, batch 512 and 4096, within the noise; Zen 3, AVX2, 2026).
template <int kVectors>
HWY_INLINE void ScatterBlock(const Selection& s, float* table, int64_t rows, const float* d_out, int64_t d_out_stride) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const int32_t* list = s.selected;
  for (int64_t r = 0; r < rows; ++r, list += s.stride, d_out += d_out_stride) {
    V up[kVectors];
    for (int v = 0; v < kVectors; ++v) up[v] = hn::LoadU(d, d_out + v * lanes);
    for (int32_t c = 1; c <= list[0]; ++c) {
      float* row = table + list[c] * s.record;
      for (int v = 0; v < kVectors; ++v) hn::Store(hn::Add(hn::Load(d, row + v * lanes), up[v]), d, row + v * lanes);
    }
  }
}

void Scatter(float* table, int64_t record, int64_t width, int64_t rows, const int32_t* selected,
             int64_t selected_stride, const float* d_out, int64_t d_out_stride) {
  const D d;
  const Selection s{record, selected, selected_stride};
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t at = 0;
  for (; at + 6 * lanes <= width; at += 6 * lanes) ScatterBlock<6>(s, table + at, rows, d_out + at, d_out_stride);
  for (; at + 3 * lanes <= width; at += 3 * lanes) ScatterBlock<3>(s, table + at, rows, d_out + at, d_out_stride);
  for (; at + lanes <= width; at += lanes) ScatterBlock<1>(s, table + at, rows, d_out + at, d_out_stride);
  if (at == width) return;
  const int32_t* list = selected;
  for (int64_t r = 0; r < rows; ++r, list += selected_stride, d_out += d_out_stride) {
    // Padding of a gradient stays 0: LoadPart fills with zeros.
    const V up = LoadPart(d, d_out + at, static_cast<size_t>(width - at));
    for (int32_t c = 1; c <= list[0]; ++c) {
      float* row = table + at + list[c] * record;
      hn::Store(hn::Add(hn::Load(d, row), up), d, row);
    }
  }
}

// out = a − b over whole vectors; b may be null.
void Subtract(const float* a, const float* b, int64_t padded_width, float* out) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < padded_width; i += lanes) {
    const V value = hn::Load(d, a + i);
    hn::Store(b != nullptr ? hn::Sub(value, hn::Load(d, b + i)) : value, d, out + i);
  }
}

void Default(const float* gradients, int64_t record, int64_t width, const int32_t* rows, int64_t num_rows,
             int64_t default_row, const float* total, float* out) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t i = 0; i < width; i += lanes) {
    V rest = LoadPart(d, total + i, static_cast<size_t>(width - i));
    V size = hn::Abs(rest);
    for (int64_t r = 0; r < num_rows; ++r) {
      if (rows[r] == default_row) continue;
      const V g = hn::Load(d, gradients + rows[r] * record + i);
      rest = hn::Sub(rest, g);
      size = hn::Add(size, hn::Abs(g));
    }
    const auto lost = hn::Lt(hn::Abs(rest), hn::Mul(size, hn::Set(d, 0x1p-18f)));
    hn::Store(hn::IfThenZeroElse(lost, rest), d, out + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace manygate
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace manygate {
HWY_EXPORT(Gather);
HWY_EXPORT(Scatter);
HWY_EXPORT(Subtract);
HWY_EXPORT(Default);

RowTable::RowTable(std::string name, int64_t rows, int64_t width, int num_states, bool differences)
    : name_(std::move(name)),
      rows_(rows),
      width_(width),
      padded_width_((width + 15) / 16 * 16),
      record_size_(padded_width_ * (2 + num_states + (differences ? 1 : 0))),
      num_states_(num_states),
      differences_(differences),
      data_(static_cast<size_t>(rows * record_size_)),
      base_(static_cast<size_t>(padded_width_)) {
  if (num_states >= 0) {
    first_pending_.assign(rows, 1);
    is_touched_.assign(rows, 0);
  }
}

void RowTable::StartBatch() {
  for (std::vector<int32_t>& column : touched_) {
    for (const int32_t row : column) is_touched_[row] = 0;
    column.clear();
  }
}

namespace {

bool HaveSeveralValues(std::span<const LookupColumn> columns) {
  return std::any_of(columns.begin(), columns.end(), [](const LookupColumn& column) { return column.num_slots > 1; });
}

// Calls f with the ids of an input row in a column. kSeveral: whether any column may have more than one.
template <bool kSeveral, typename Function>
inline void ForEachId(const LookupColumn& column, const int32_t* ids, Function f) {
  f(ids[column.slot]);
  if constexpr (kSeveral) {
    const int32_t* id = ids + column.slot + 1;
    for (const int32_t* end = ids + column.slot + column.num_slots; id != end && *id < column.rows; ++id) f(*id);
  }
}

template <bool kSeveral>
void Select(std::span<const LookupColumn> columns, int64_t rows, const int32_t* ids, int64_t id_stride,
            int64_t selected_stride, int32_t* selected) {
  for (int64_t r = 0; r < rows; ++r, ids += id_stride, selected += selected_stride) {
    int32_t n = 0;
    for (const LookupColumn& column : columns) {
      ForEachId<kSeveral>(column, ids, [&](int32_t id) {
        selected[n + 1] = static_cast<int32_t>(column.row0) + id;  // overwritten by the next one if this is a default
        n += id != column.default_id;
      });
    }
    selected[0] = n;
  }
}

}  // namespace

// Row by row over all columns, as the ids lie in memory: column by column took 6 % of a step at batch 4096.
template <bool kSeveral>
void RowTable::TouchIds(std::span<const LookupColumn> columns, int64_t rows, const int32_t* ids, int64_t id_stride) {
  for (int64_t r = 0; r < rows; ++r, ids += id_stride) {
    for (size_t c = 0; c < columns.size(); ++c) {
      ForEachId<kSeveral>(columns[c], ids, [&](int32_t id) {
        const int32_t row = static_cast<int32_t>(columns[c].row0) + id;
        if (is_touched_[row] != 0) return;
        is_touched_[row] = kSelected;
        touched_[c].push_back(row);
      });
    }
  }
}

void RowTable::Touch(std::span<const LookupColumn> columns, int64_t rows, const int32_t* ids, int64_t id_stride) {
  if (touched_.size() < columns.size()) touched_.resize(columns.size());
  if (HaveSeveralValues(columns)) {
    TouchIds<true>(columns, rows, ids, id_stride);
  } else {
    TouchIds<false>(columns, rows, ids, id_stride);
  }
  for (size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].default_id < 0) continue;
    const int32_t row = static_cast<int32_t>(columns[c].row0) + columns[c].default_id;
    if (is_touched_[row] != 0) continue;
    is_touched_[row] = kReadOnly;
    touched_[c].push_back(row);
  }
}

void RowTable::TouchRows(std::span<const int32_t> rows, int64_t row0) {
  if (touched_.empty()) touched_.resize(1);
  for (const int32_t other : rows) {
    const int32_t row = other - static_cast<int32_t>(row0);
    if (is_touched_[row] != 0) continue;
    is_touched_[row] = kSelected;
    touched_[0].push_back(row);
  }
}

int64_t SelectedStride(std::span<const LookupColumn> columns) {
  int64_t slots = 0;
  for (const LookupColumn& column : columns) slots += column.num_slots;
  return slots + 1;
}

void SelectRows(std::span<const LookupColumn> columns, int64_t rows, const int32_t* ids, int64_t id_stride,
                int32_t* selected) {
  const int64_t stride = SelectedStride(columns);
  if (HaveSeveralValues(columns)) {
    Select<true>(columns, rows, ids, id_stride, stride, selected);
  } else {
    Select<false>(columns, rows, ids, id_stride, stride, selected);
  }
}

void GatherSum(const RowTable& table, int64_t rows, const int32_t* selected, int64_t selected_stride, float* out,
               int64_t out_stride) {
  HWY_DYNAMIC_DISPATCH(Gather)
  (table.summands(), table.record_size(), table.width(), rows, selected, selected_stride, out, out_stride);
}

void ScatterAdd(RowTable& table, int64_t rows, const int32_t* selected, int64_t selected_stride, const float* d_out,
                int64_t d_out_stride) {
  HWY_DYNAMIC_DISPATCH(Scatter)
  (table.gradient(0), table.record_size(), table.width(), rows, selected, selected_stride, d_out, d_out_stride);
}

void DefaultGradient(RowTable& table, std::span<const int32_t> rows, int64_t default_row, const float* total) {
  HWY_DYNAMIC_DISPATCH(Default)
  (table.gradient(0), table.record_size(), table.width(), rows.data(), static_cast<int64_t>(rows.size()), default_row,
   total, table.gradient(default_row));
}

void UpdateDifferences(RowTable& table, std::span<const int32_t> rows, int64_t default_row) {
  const float* base = default_row < 0 ? nullptr : table.weights(default_row);
  for (const int32_t row : rows)
    HWY_DYNAMIC_DISPATCH(Subtract)(table.weights(row), base, table.padded_width(), table.difference(row));
}

}  // namespace manygate
#endif  // HWY_ONCE
