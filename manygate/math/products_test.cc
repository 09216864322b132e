// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/products.h"

#include <gtest/gtest.h>

#include "manygate/math/guarded_rows_testing.h"
#include "manygate/math/simd_targets_testing.h"

namespace manygate {
namespace {

TEST(MultiplyValues, WritesOrAddsOnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t width : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} width {}", target, width));
      const int64_t rows = 3;
      const GuardedRows a(rows, width, width + 3, TestNumbers(rows * width, 1));
      const GuardedRows b(rows, width, width, TestNumbers(rows * width, 2));
      const GuardedRows old(rows, width, width + 1, TestNumbers(rows * width, 3));
      for (const bool accumulate : {false, true}) {
        GuardedRows y = old;
        MultiplyValues(rows, width, a.data(), a.stride(), b.data(), b.stride(), accumulate, y.data(), y.stride());
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t i = 0; i < width; ++i)
            ASSERT_NEAR(y.at(r, i), (accumulate ? old.at(r, i) : 0.) + double{a.at(r, i)} * b.at(r, i), 1e-6);
      }
    }
  });
}

TEST(ScaleValues, WritesOrAddsOnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t width : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} width {}", target, width));
      const int64_t rows = 3;
      const GuardedRows x(rows, width, width + 3, TestNumbers(rows * width, 1));
      const GuardedRows old(rows, width, width + 1, TestNumbers(rows * width, 3));
      for (const bool accumulate : {false, true}) {
        GuardedRows y = old;
        ScaleValues(rows, width, -2.5f, x.data(), x.stride(), accumulate, y.data(), y.stride());
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t i = 0; i < width; ++i)
            ASSERT_NEAR(y.at(r, i), (accumulate ? old.at(r, i) : 0.) - 2.5 * double{x.at(r, i)}, 1e-6);
      }
    }
  });
}

}  // namespace
}  // namespace manygate
