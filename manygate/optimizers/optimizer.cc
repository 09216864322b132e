// SPDX-License-Identifier: Apache-2.0
#include "manygate/optimizers/optimizer.h"

namespace manygate {

// Prefetching the record of the next row gave no clear win (Census at batch 32, Zen 3, 2026-11): the parts of a record are
// streams that the processor follows by itself.
void Optimizer::BringUpToDate(RowTable& table, int64_t row, int64_t now) {
  int32_t& pending = table.first_pending()[row];
  if (pending > now) return;
  SettleRow(table, row, pending);
  pending = static_cast<int32_t>(now) + 1;
}

void Optimizer::SettleRows(RowTable& table, std::span<const int32_t> rows) {
  const int64_t now = step();
  for (const int32_t row : rows) BringUpToDate(table, row, now);
}

void Optimizer::SettleAll(RowTable& table) {
  const int64_t now = step();
  for (int64_t row = 0; row < table.rows(); ++row) BringUpToDate(table, row, now);
}

}  // namespace manygate
