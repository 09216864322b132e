// SPDX-License-Identifier: Apache-2.0
// The version that the program prints and writes into every model directory; the same as in the top CMakeLists.txt.
#ifndef MANYGATE_BASE_VERSION_H_
#define MANYGATE_BASE_VERSION_H_

namespace manygate {
inline constexpr char kProgramVersion[] = "0.1.0";
}  // namespace manygate

#endif  // MANYGATE_BASE_VERSION_H_
