// SPDX-License-Identifier: Apache-2.0
// For tests: runs a function once per SIMD target that this program holds and this machine has.
#ifndef MANYGATE_MATH_SIMD_TARGETS_TESTING_H_
#define MANYGATE_MATH_SIMD_TARGETS_TESTING_H_

#include <fmt/format.h>

#include <functional>

#include "hwy/highway.h"

namespace manygate {

inline void ForEachSimdTarget(const std::function<void(const char* target)>& run) {
  const int64_t targets = hwy::SupportedTargets() & HWY_TARGETS;
  for (int64_t left = targets; left != 0; left &= left - 1) {
    const int64_t target = left & -left;
    hwy::SetSupportedTargetsForTest(target);
    run(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(0);
  }
}

}  // namespace manygate

#endif  // MANYGATE_MATH_SIMD_TARGETS_TESTING_H_
