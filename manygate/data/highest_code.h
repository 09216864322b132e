// SPDX-License-Identifier: Apache-2.0
// The largest code of a column, to check a file's codes against its dictionary at the speed of memory.
#ifndef MANYGATE_DATA_HIGHEST_CODE_H_
#define MANYGATE_DATA_HIGHEST_CODE_H_

#include <cstdint>

namespace manygate {

// codes: [rows] of code_bytes (1, 2 or 4) each; 0 without rows.
uint32_t HighestCode(const void* codes, int code_bytes, int64_t rows);

}  // namespace manygate

#endif  // MANYGATE_DATA_HIGHEST_CODE_H_
