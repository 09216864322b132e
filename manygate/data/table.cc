// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/table.h"

#include <algorithm>

#include "manygate/base/memory.h"

namespace manygate {

void Column::Release(int64_t begin, int64_t end) const {
  const size_t width = value_bytes();
  if (mapped) ReleasePages(values() + static_cast<size_t>(begin) * width, static_cast<size_t>(end - begin) * width);
}

void Column::ReadAhead(int64_t begin, int64_t end) const {
  const size_t width = value_bytes();
  if (mapped) ReadAheadPages(values() + static_cast<size_t>(begin) * width, static_cast<size_t>(end - begin) * width);
}

// A page that is read brings up to 64 KiB around it with it, so what lies beside the rows is given back too.
void Table::Release(int64_t begin, int64_t end) const {
  constexpr int64_t kBesideRows = 65536;
  begin = std::max<int64_t>(0, begin - kBesideRows);
  end = std::min(rows, end + kBesideRows);
  for (const Column& column : columns) column.Release(begin, end);
}

void Table::ReadAhead(int64_t begin, int64_t end) const {
  for (const Column& column : columns) column.ReadAhead(begin, end);
}

}  // namespace manygate
