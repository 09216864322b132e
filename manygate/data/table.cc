// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/table.h"

#include <sys/mman.h>
#include <unistd.h>

namespace manygate {
namespace {

// Advice about the whole pages within [begin, end).
void Advise(const char* begin, const char* end, int advice) {
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t first = (reinterpret_cast<uintptr_t>(begin) + page - 1) / page * page;
  const uintptr_t last = reinterpret_cast<uintptr_t>(end) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, advice);
}

void AdviseRows(const Column& column, int64_t begin, int64_t end, int advice) {
  if (!column.mapped) return;
  const auto width = static_cast<int64_t>(column.value_bytes());
  Advise(column.values() + begin * width, column.values() + end * width, advice);
}

}  // namespace

// Only what is mapped from a file: of other memory MADV_DONTNEED would drop the content.
void Column::Release(int64_t begin, int64_t end) const { AdviseRows(*this, begin, end, MADV_DONTNEED); }
void Column::ReadAhead(int64_t begin, int64_t end) const { AdviseRows(*this, begin, end, MADV_WILLNEED); }

void Table::Release(int64_t begin, int64_t end) const {
  for (const Column& column : columns) column.Release(begin, end);
}

void Table::ReadAhead(int64_t begin, int64_t end) const {
  for (const Column& column : columns) column.ReadAhead(begin, end);
}

}  // namespace manygate
