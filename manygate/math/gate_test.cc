// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "manygate/math/guarded_rows_testing.h"
#include "manygate/math/reference.h"
#include "manygate/math/simd_targets_testing.h"

namespace manygate {
namespace {

using testing::Each;
using testing::ElementsAre;

TEST(Softmax, EqualsTheReferenceOnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t width : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} width {}", target, width));
      const int64_t rows = 5;
      std::vector<float> numbers = TestNumbers(rows * width, 1);
      for (float& x : numbers) x *= 10;
      const GuardedRows x(rows, width, width + 3, numbers);
      GuardedRows y(rows, width, width + 1), in_place = x;
      SoftmaxForward(rows, width, x.data(), x.stride(), y.data(), y.stride());
      SoftmaxForward(rows, width, in_place.data(), x.stride(), in_place.data(), x.stride());
      std::vector<float> want(width);
      for (int64_t r = 0; r < rows; ++r) {
        reference::Softmax(x.row(r), want.data(), static_cast<int>(width));
        double sum = 0;
        for (int64_t i = 0; i < width; ++i) {
          ASSERT_NEAR(y.at(r, i), want[i], 1e-6) << "row " << r << ", column " << i;
          ASSERT_EQ(in_place.at(r, i), y.at(r, i));
          sum += y.at(r, i);
        }
        ASSERT_NEAR(sum, 1, 1e-5);
      }
      y.ExpectGuardsIntact();
      in_place.ExpectGuardsIntact();

      // Row 3 alone.
      GuardedRows alone(1, width, width);
      SoftmaxForward(1, width, x.row(3), width, alone.data(), width);
      ASSERT_EQ(0, std::memcmp(alone.data(), y.row(3), width * sizeof(float)));
    }
  });
}

TEST(Softmax, NegativeAndLargeLogits) {
  ForEachSimdTarget([](const char* target) {
    SCOPED_TRACE(target);
    // All below 0: the lanes past the end, which load as 0, must not become the top.
    std::vector<float> x = {-1000, -1000, -1000}, y(3);
    SoftmaxForward(1, 3, x.data(), 3, y.data(), 3);
    EXPECT_THAT(y, Each(testing::FloatEq(1.f / 3)));
    x = {1e30f, 0, -1e30f};
    SoftmaxForward(1, 3, x.data(), 3, y.data(), 3);
    EXPECT_THAT(y, ElementsAre(1, 0, 0));
  });
}

TEST(Softmax, BackwardOnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t width : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} width {}", target, width));
      const int64_t rows = 4;
      GuardedRows y(rows, width, width + 3, TestNumbers(rows * width, 1));
      SoftmaxForward(rows, width, y.data(), y.stride(), y.data(), y.stride());
      const GuardedRows d_y(rows, width, width + 2, TestNumbers(rows * width, 2));
      const GuardedRows before(rows, width, width + 1, TestNumbers(rows * width, 3));
      for (const bool accumulate : {false, true}) {
        GuardedRows d_x = before, in_place = d_y;
        SoftmaxBackward(rows, width, y.data(), y.stride(), d_y.data(), d_y.stride(), accumulate, d_x.data(),
                        d_x.stride());
        if (!accumulate)
          SoftmaxBackward(rows, width, y.data(), y.stride(), in_place.data(), d_y.stride(), false, in_place.data(),
                          d_y.stride());
        for (int64_t r = 0; r < rows; ++r) {
          double dot = 0;
          for (int64_t i = 0; i < width; ++i) dot += double{y.at(r, i)} * d_y.at(r, i);
          for (int64_t i = 0; i < width; ++i) {
            const double want = (accumulate ? before.at(r, i) : 0) + y.at(r, i) * (d_y.at(r, i) - dot);
            ASSERT_NEAR(d_x.at(r, i), want, 1e-6);
            if (!accumulate) { ASSERT_EQ(in_place.at(r, i), d_x.at(r, i)); }
          }
        }
        d_x.ExpectGuardsIntact();
        in_place.ExpectGuardsIntact();
      }
    }
  });
}

TEST(Mix, EqualsTheReferenceOnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t width : kTestWidths) {
      for (const int64_t experts_count : {1, 3, 8}) {
        SCOPED_TRACE(fmt::format("{} {} experts of width {}", target, experts_count, width));
        const int64_t rows = 4, wide = experts_count * width;
        const GuardedRows experts(rows, wide, wide + 3, TestNumbers(rows * wide, 1));
        const GuardedRows gates(rows, experts_count, experts_count + 2, TestNumbers(rows * experts_count, 2));
        GuardedRows out(rows, width, width + 1);
        MixForward(rows, experts_count, width, experts.data(), experts.stride(), gates.data(), gates.stride(),
                   out.data(), out.stride());
        std::vector<float> want(width);
        for (int64_t r = 0; r < rows; ++r) {
          reference::Mix(experts.row(r), gates.row(r), static_cast<int>(experts_count), static_cast<int>(width),
                         want.data());
          for (int64_t i = 0; i < width; ++i) ASSERT_NEAR(out.at(r, i), want[i], 1e-6) << r << ", " << i;
        }
        out.ExpectGuardsIntact();

        GuardedRows alone(1, width, width);
        MixForward(1, experts_count, width, experts.row(2), wide, gates.row(2), experts_count, alone.data(), width);
        ASSERT_EQ(0, std::memcmp(alone.data(), out.row(2), width * sizeof(float)));
        alone.ExpectGuardsIntact();
      }
    }
  });
}

// d_experts = gate · d_out, d_gate = Σ d_out · expert, each added to what was there where asked.
void ExpectMixGradient(int64_t num_experts, int64_t width, bool add_experts, bool add_gates) {
  const int64_t rows = 3, wide = num_experts * width;
  const GuardedRows experts(rows, wide, wide + 1, TestNumbers(rows * wide, 1));
  const GuardedRows gates(rows, num_experts, num_experts + 2, TestNumbers(rows * num_experts, 2));
  const GuardedRows d_out(rows, width, width + 3, TestNumbers(rows * width, 3));
  const GuardedRows old_experts(rows, wide, wide + 4, TestNumbers(rows * wide, 4));
  const GuardedRows old_gates(rows, num_experts, num_experts + 5, TestNumbers(rows * num_experts, 5));
  GuardedRows d_experts = old_experts, d_gates = old_gates;
  MixBackward(rows, num_experts, width, experts.data(), experts.stride(), gates.data(), gates.stride(), d_out.data(),
              d_out.stride(), add_experts, d_experts.data(), d_experts.stride(), add_gates, d_gates.data(),
              d_gates.stride());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t e = 0; e < num_experts; ++e) {
      double dot = add_gates ? old_gates.at(r, e) : 0;
      for (int64_t h = 0; h < width; ++h) {
        const int64_t at = e * width + h;
        dot += double{d_out.at(r, h)} * experts.at(r, at);
        const double want = (add_experts ? old_experts.at(r, at) : 0) + double{gates.at(r, e)} * d_out.at(r, h);
        ASSERT_NEAR(d_experts.at(r, at), want, 1e-6);
      }
      ASSERT_NEAR(d_gates.at(r, e), dot, 5e-6);
    }
  }
  d_experts.ExpectGuardsIntact();
  d_gates.ExpectGuardsIntact();
}

TEST(Mix, BackwardOnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t width : kTestWidths)
      for (const int64_t experts : {1, 3, 8})
        for (const bool add_experts : {false, true})
          for (const bool add_gates : {false, true}) {
            SCOPED_TRACE(fmt::format("{} {} experts of width {}", target, experts, width));
            ExpectMixGradient(experts, width, add_experts, add_gates);
          }
  });
}

}  // namespace
}  // namespace manygate
