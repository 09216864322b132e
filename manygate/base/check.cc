// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace manygate {

void CheckFailed(const char* file, int line, const char* condition, const std::string& values) {
  std::fprintf(stderr, "%s:%d: a condition of the program itself does not hold: %s (%s). Please report this.\n", file,
               line, condition, values.c_str());
  std::abort();
}

}  // namespace manygate
