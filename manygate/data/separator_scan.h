// SPDX-License-Identifier: Apache-2.0
// Finds delimiters, line ends and quotes 64 bytes at a time with the widest vectors the CPU has.
//
//   ScanSeparators(text, words, ',', '\n', '"', masks);   // bit i of masks[w]: text[64 * w + i] is one of the three
#ifndef MANYGATE_DATA_SEPARATOR_SCAN_H_
#define MANYGATE_DATA_SEPARATOR_SCAN_H_

#include <cstddef>
#include <cstdint>

namespace manygate {

// text: 64 * words readable bytes; masks: [words].
void ScanSeparators(const char* text, size_t words, char a, char b, char c, uint64_t* masks);

}  // namespace manygate

#endif  // MANYGATE_DATA_SEPARATOR_SCAN_H_
