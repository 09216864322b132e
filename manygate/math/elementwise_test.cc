// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/elementwise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "manygate/math/guarded_rows_testing.h"
#include "manygate/math/simd_targets_testing.h"

namespace manygate {
namespace {

using testing::ElementsAre;

const Activation kAll[] = {Activation::kNone,    Activation::kRelu, Activation::kSilu,     Activation::kTanh,
                           Activation::kSigmoid, Activation::kGelu, Activation::kLeakyRelu};

// In double, by the definitions of torch.nn.
double Value(Activation activation, double x) {
  const double logistic = 1 / (1 + std::exp(-x));
  switch (activation) {
    case Activation::kNone: return x;
    case Activation::kRelu: return x > 0 ? x : 0;
    case Activation::kSilu: return x * logistic;
    case Activation::kTanh: return std::tanh(x);
    case Activation::kSigmoid: return logistic;
    case Activation::kGelu: return x * 0.5 * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kLeakyRelu: return x > 0 ? x : 0.01 * x;
  }
  return 0;
}
double Slope(Activation activation, double x) {
  const double h = 1e-5;
  return (Value(activation, x + h) - Value(activation, x - h)) / (2 * h);
}

std::string Describe(Activation activation, const char* target, int64_t width) {
  return fmt::format("{} {} width {}", ActivationName(activation), target, width);
}

TEST(Activation, EqualsTheDefinitionOnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const Activation activation : kAll) {
      for (const int64_t width : kTestWidths) {
        SCOPED_TRACE(Describe(activation, target, width));
        const int64_t rows = 5;
        std::vector<float> numbers = TestNumbers(rows * width, 1);
        for (float& x : numbers) x *= 8;
        const GuardedRows x(rows, width, width + 3, numbers);
        GuardedRows y(rows, width, width + 5);
        ActivationForward(activation, rows, width, x.data(), x.stride(), y.data(), y.stride());
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t i = 0; i < width; ++i)
            ASSERT_NEAR(y.at(r, i), Value(activation, x.at(r, i)), 2e-6) << x.at(r, i);
        y.ExpectGuardsIntact();

        GuardedRows in_place = x;
        ActivationForward(activation, rows, width, in_place.data(), x.stride(), in_place.data(), x.stride());
        for (int64_t r = 0; r < rows; ++r)
          ASSERT_EQ(0, std::memcmp(in_place.row(r), y.row(r), width * sizeof(float))) << "in place, row " << r;
        in_place.ExpectGuardsIntact();
      }
    }
  });
}

TEST(Activation, BackwardIsTheSlopeOnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const Activation activation : kAll) {
      for (const int64_t width : kTestWidths) {
        SCOPED_TRACE(Describe(activation, target, width));
        const int64_t rows = 3;
        std::vector<float> numbers = TestNumbers(rows * width, 1);
        for (float& x : numbers) x *= 4;
        const GuardedRows x(rows, width, width + 1, numbers), d_y(rows, width, width + 2, TestNumbers(rows * width, 2));
        const GuardedRows before(rows, width, width + 4, TestNumbers(rows * width, 3));
        GuardedRows y(rows, width, width);
        ActivationForward(activation, rows, width, x.data(), x.stride(), y.data(), y.stride());
        const float* from = DerivativeFromOutput(activation) ? nullptr : x.data();
        for (const bool accumulate : {false, true}) {
          GuardedRows d_x = before;
          ActivationBackward(activation, rows, width, from, x.stride(), y.data(), y.stride(), d_y.data(), d_y.stride(),
                             accumulate, d_x.data(), d_x.stride());
          for (int64_t r = 0; r < rows; ++r) {
            for (int64_t i = 0; i < width; ++i) {
              const double want = (accumulate ? before.at(r, i) : 0) + d_y.at(r, i) * Slope(activation, x.at(r, i));
              ASSERT_NEAR(d_x.at(r, i), want, 3e-6) << x.at(r, i);
            }
          }
          d_x.ExpectGuardsIntact();
        }
        GuardedRows in_place = d_y;
        ActivationBackward(activation, rows, width, from, x.stride(), y.data(), y.stride(), in_place.data(),
                           d_y.stride(), false, in_place.data(), d_y.stride());
        for (int64_t i = 0; i < width; ++i)
          ASSERT_NEAR(in_place.at(1, i), d_y.at(1, i) * Slope(activation, x.at(1, i)), 3e-6);
        in_place.ExpectGuardsIntact();
      }
    }
  });
}

TEST(Activation, AValueHasTheSameBitsWhereverItStands) {
  ForEachSimdTarget([](const char* target) {
    for (const Activation activation : kAll) {
      const std::vector<float> x = TestNumbers(40, 1);
      std::vector<float> whole(40), part(1);
      ActivationForward(activation, 1, 40, x.data(), 40, whole.data(), 40);
      for (int64_t i = 0; i < 40; ++i) {
        ActivationForward(activation, 1, 1, x.data() + i, 1, part.data(), 1);
        EXPECT_EQ(0, std::memcmp(&part[0], &whole[i], sizeof(float))) << Describe(activation, target, i);
      }
    }
  });
}

TEST(Activation, FarFromZero) {
  ForEachSimdTarget([](const char* target) {
    SCOPED_TRACE(target);
    const std::vector<float> x = {-1e4f, -200, 200, 1e4f};
    std::vector<float> y(4);
    ActivationForward(Activation::kSigmoid, 1, 4, x.data(), 4, y.data(), 4);
    EXPECT_THAT(y, ElementsAre(0, 0, 1, 1));
    ActivationForward(Activation::kTanh, 1, 4, x.data(), 4, y.data(), 4);
    EXPECT_THAT(y, ElementsAre(-1, -1, 1, 1));
    ActivationForward(Activation::kSilu, 1, 4, x.data(), 4, y.data(), 4);
    EXPECT_THAT(y, ElementsAre(0, 0, 200, 1e4f));
    ActivationForward(Activation::kGelu, 1, 4, x.data(), 4, y.data(), 4);
    EXPECT_THAT(y, ElementsAre(0, 0, 200, 1e4f));
  });
}

TEST(Activation, NotANumberStaysOne) {
  ForEachSimdTarget([](const char* target) {
    const std::vector<float> x(17, std::nanf(""));
    std::vector<float> y(17);
    for (const Activation activation : {Activation::kSilu, Activation::kSigmoid}) {
      ActivationForward(activation, 1, 17, x.data(), 17, y.data(), 17);
      for (const float value : y) EXPECT_TRUE(std::isnan(value)) << target;
    }
  });
}

TEST(Activation, NamesGoBothWays) {
  for (const Activation activation : kAll) EXPECT_EQ(ParseActivation(ActivationName(activation)), activation);
  EXPECT_EQ(ActivationName(Activation::kGelu), "nn.GELU");
  EXPECT_EQ(ParseActivation(""), Activation::kNone);
  EXPECT_EQ(ParseActivation("relu"), std::nullopt);
}

TEST(CopyOrAdd, OnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t width : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} width {}", target, width));
      const GuardedRows x(4, width, width + 2, TestNumbers(4 * width, 1));
      const GuardedRows before(4, width, width + 3, TestNumbers(4 * width, 2));
      for (const bool accumulate : {false, true}) {
        GuardedRows y = before;
        CopyOrAdd(4, width, x.data(), x.stride(), accumulate, y.data(), y.stride());
        for (int64_t r = 0; r < 4; ++r)
          for (int64_t i = 0; i < width; ++i)
            ASSERT_EQ(y.at(r, i), accumulate ? before.at(r, i) + x.at(r, i) : x.at(r, i));
        y.ExpectGuardsIntact();
      }
      GuardedRows y = before;
      AddTo(width, x.row(1), y.row(1));
      ScaleBy(width, -2.5f, y.row(2));
      for (int64_t i = 0; i < width; ++i) {
        ASSERT_EQ(y.at(0, i), before.at(0, i));
        ASSERT_EQ(y.at(1, i), before.at(1, i) + x.at(1, i));
        ASSERT_EQ(y.at(2, i), before.at(2, i) * -2.5f);
      }
      y.ExpectGuardsIntact();
    }
  });
}

TEST(Scaled, AddsAndCopiesByHand) {
  const std::vector<float> x = {1, -2, 4, 0.5f, 8};
  std::vector<float> y = {10, 10, 10, 10, 10};
  AddScaled(4, 0.5f, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{10.5f, 9, 12, 10.25f, 10}));
  CopyScaled(3, -2, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{-2, 4, -8, 10.25f, 10}));
}

TEST(Dot, AddsInDouble) {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6}, y = {1, -1, 2, -2, 3, 0.5f};
  EXPECT_EQ(Dot(6, x.data(), y.data()), 1 - 2 + 6 - 8 + 15 + 3);
  const std::vector<float> large = {16777216, 1, 1}, ones = {1, 1, 1};
  EXPECT_EQ(Dot(3, large.data(), ones.data()), 16777218.0);
}

TEST(SumOfSquares, AddsInDouble) {
  EXPECT_EQ(SumOfSquares(0, nullptr), 0);
  const std::vector<float> small = {1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(SumOfSquares(7, small.data()), 140);
  // 2^24 + 1 has no float.
  std::vector<float> mixed(9, 1.f);
  mixed[0] = 4096.f;
  EXPECT_EQ(SumOfSquares(9, mixed.data()), 16777216.0 + 8);
}

}  // namespace
}  // namespace manygate
