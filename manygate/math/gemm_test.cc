// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/gemm.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "manygate/math/guarded_rows_testing.h"
#include "manygate/math/reference.h"
#include "manygate/math/simd_targets_testing.h"

namespace manygate {
namespace {

struct Size {
  int64_t m, n, k;
};
const Size kSizes[] = {{1, 1, 1},    {3, 8, 16},   {32, 8, 16},  {7, 1, 8},     {5, 17, 3},    {32, 144, 11},
                       {13, 33, 31}, {6, 16, 0},   {0, 4, 4},    {256, 64, 64}, {33, 100, 70}, {1, 64, 271},
                       {17, 96, 64}, {64, 9, 512}, {12, 512, 9}, {2, 5, 499}};

TEST(Gemm, EqualsTheReferenceOnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const auto& [m, n, k] : kSizes) {
      SCOPED_TRACE(fmt::format("{} m={} n={} k={}", target, m, n, k));
      const auto a = TestNumbers(m * k, 1), b = TestNumbers(std::max(k, m) * n, 2), bias = TestNumbers(n, 3);
      const double tolerance = 1e-6 * (k + m + n + 4);
      std::vector<float> got(m * n + 64, 7.f), want(m * n + 64, 7.f);
      MultiplyNN(m, n, k, a.data(), k, b.data(), n, bias.data(), got.data(), n);
      reference::Gemm(m, n, k, a.data(), k, 1, b.data(), n, bias.data(), false, want.data(), n);
      for (int64_t i = 0; i < m * n; ++i) ASSERT_NEAR(got[i], want[i], tolerance) << i;
      EXPECT_EQ(got[m * n], 7.f) << "wrote past the end";

      std::vector<float> tn(k * n + 64, 7.f), tn_want(k * n + 64);
      MultiplyTN(m, n, k, a.data(), k, b.data(), n, tn.data(), n);
      reference::Gemm(k, n, m, a.data(), 1, k, b.data(), n, nullptr, false, tn_want.data(), n);
      for (int64_t i = 0; i < k * n; ++i) ASSERT_NEAR(tn[i], tn_want[i], tolerance) << i;

      // c[m, k] += a2[m, n]·b2[k, n]ᵀ
      const auto a2 = TestNumbers(m * n, 4), b2 = TestNumbers(k * n, 5), before = TestNumbers(m * k, 6);
      std::vector<float> nt = before, nt_want = before, scratch(n * k + 64);
      MultiplyNT(m, n, k, a2.data(), n, b2.data(), n, true, nt.data(), k, scratch.data());
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < k; ++j) {
          double sum = nt_want[i * k + j];
          for (int64_t q = 0; q < n; ++q) sum += double{a2[i * n + q]} * b2[j * n + q];
          ASSERT_NEAR(nt[i * k + j], sum, tolerance);
        }
    }
  });
}

TEST(Gemm, ARowHasTheSameBitsInEveryBatch) {
  for (const auto& [n, k] : {std::pair<int64_t, int64_t>{8, 16}, {144, 11}, {64, 64}, {128, 271}, {512, 384}}) {
    const int64_t rows = 70;
    const auto a = TestNumbers(rows * k, 1), b = TestNumbers(k * n, 2), bias = TestNumbers(n, 3);
    std::vector<float> whole(rows * n + 64);
    MultiplyNN(rows, n, k, a.data(), k, b.data(), n, bias.data(), whole.data(), n);
    for (int64_t m : {1, 2, 5, 6, 13, 31, 64}) {
      std::vector<float> part(m * n + 64);
      MultiplyNN(m, n, k, a.data() + 3 * k, k, b.data(), n, bias.data(), part.data(), n);
      EXPECT_EQ(0, std::memcmp(part.data(), whole.data() + 3 * n, m * n * sizeof(float))) << "m=" << m << " n=" << n;
    }
  }
}

TEST(Gemm, HonoursStrides) {
  // [[1,2],[3,4]]·[[5,6],[7,8]] = [[19,22],[43,50]], rows 3, 4 and 5 floats apart.
  const std::vector<float> a = {1, 2, -1, 3, 4, -1}, b = {5, 6, -1, -1, 7, 8, -1, -1};
  std::vector<float> c(10, -1.f);

  MultiplyNN(2, 2, 2, a.data(), 3, b.data(), 4, nullptr, c.data(), 5);
  EXPECT_EQ(c, (std::vector<float>{19, 22, -1, -1, -1, 43, 50, -1, -1, -1}));
}

TEST(Gemm, ColumnSumsAddRows) {
  std::vector<float> a = {1, 2, 3, 10, 20, 30}, sums(3);

  ColumnSums(2, 3, a.data(), 3, sums.data());
  EXPECT_EQ(std::vector<float>(sums.begin(), sums.begin() + 3), (std::vector<float>{11, 22, 33}));
}

TEST(Gemm, LargeBackwardProductsGoToOneDnn) {
  EXPECT_STREQ(BackwardBackend(16, 499), "native");
  EXPECT_STREQ(BackwardBackend(128, 271), "onednn");
}

}  // namespace
}  // namespace manygate
