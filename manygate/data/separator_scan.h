// SPDX-License-Identifier: Apache-2.0
// Finds delimiters, line ends and quotes 64 bytes at a time with the widest vectors the CPU has.
//
//   bool has_nul = false;
//   size_t count = FindSeparators({text, size, first}, ',', '\n', '"', positions, &has_nul);
#ifndef MANYGATE_DATA_SEPARATOR_SCAN_H_
#define MANYGATE_DATA_SEPARATOR_SCAN_H_

#include <cstddef>
#include <cstdint>

namespace manygate {

struct ScanWindow {
  const char* text;
  size_t size;     // bytes; up to 63 more must be readable
  uint32_t first;  // number of the first byte: positions count from there
};

// Writes the ascending positions of the bytes a, b and c and returns how many there are. positions: [size + 8], because
// they are written eight at a time, more than there may be, which saves the CPU from guessing how many there are.
// *has_nul is set when there is a NUL byte (perhaps among the 63 bytes behind); it is never reset.
size_t FindSeparators(const ScanWindow& window, char a, char b, char c, uint32_t* positions, bool* has_nul);

}  // namespace manygate

#endif  // MANYGATE_DATA_SEPARATOR_SCAN_H_
