// SPDX-License-Identifier: Apache-2.0
// MG_CHECK(condition, format, values...): stops the program when an invariant of ours is broken. Never for bad input.
#ifndef MANYGATE_BASE_CHECK_H_
#define MANYGATE_BASE_CHECK_H_

#include <fmt/format.h>

#include <string>

namespace manygate {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, const std::string& values);
}  // namespace manygate

#define MG_CHECK(condition, ...)                                                                             \
  do {                                                                                                       \
    if (!(condition)) [[unlikely]]                                                                           \
      ::manygate::CheckFailed(__FILE__, __LINE__, #condition, fmt::format(__VA_ARGS__));                      \
  } while (false)

#endif  // MANYGATE_BASE_CHECK_H_
