// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/optimizer_steps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "manygate/math/guarded_rows_testing.h"
#include "manygate/math/reference.h"
#include "manygate/math/simd_targets_testing.h"

namespace manygate {
namespace {

TEST(AdamPass, TenStepsEqualTheReferenceOnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t n : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} n={}", target, n));
      const double lr = 0.01, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, decay = 0.1;
      GuardedRows w(1, n, n, TestNumbers(n, 1)), g(1, n, n), mean(1, n, n, std::vector<float>(n)), variance = mean;
      std::vector<reference::AdamState> want(n);
      for (int64_t i = 0; i < n; ++i) want[i].weight = w.at(0, i);
      for (int step = 1; step <= 10; ++step) {
        const std::vector<float> gradient = TestNumbers(n, 10 + step);
        std::copy(gradient.begin(), gradient.end(), g.data());
        const double c1 = 1 - std::pow(beta1, step), c2 = 1 - std::pow(beta2, step);
        AdamCoefficients c{static_cast<float>(lr * std::sqrt(c2) / c1), static_cast<float>(eps * std::sqrt(c2)),
                           static_cast<float>(beta1), static_cast<float>(beta2), static_cast<float>(1 - lr * decay)};
        AdamPass(n, c, w.data(), g.data(), mean.data(), variance.data(), step % 2 == 0);
        for (int64_t i = 0; i < n; ++i) {
          reference::AdamStep(want[i], gradient[i], lr, beta1, beta2, eps, decay, step);
          ASSERT_NEAR(w.at(0, i), want[i].weight, 3e-6) << "step " << step << ", value " << i;
          ASSERT_NEAR(mean.at(0, i), want[i].mean, 1e-6);
          ASSERT_EQ(g.at(0, i), step % 2 == 0 ? 0.f : gradient[i]) << "cleared where asked";
        }
      }
      for (const GuardedRows* rows : {&w, &g, &mean, &variance}) rows->ExpectGuardsIntact();
    }
  });
}

TEST(AdamPass, ByHand) {
  // mean = 0.5·2 + 0.5·4 = 3, variance = 0.75·4 + 0.25·16 = 7; w = 0.5·10 − 0.1·3 / (√7 + 1); then both fade.
  float w = 10, g = 4, mean = 2, variance = 4;
  const AdamCoefficients c{0.1f, 1.f, 0.5f, 0.75f, 0.5f, 0.25f, 0.5f};
  AdamPass(1, c, &w, &g, &mean, &variance, true);
  EXPECT_FLOAT_EQ(w, static_cast<float>(5 - 0.3 / (std::sqrt(7.0) + 1)));
  EXPECT_FLOAT_EQ(mean, 0.75f);
  EXPECT_FLOAT_EQ(variance, 3.5f);
  EXPECT_EQ(g, 0.f);
}

TEST(AdamPass, TheCutOfARangeDoesNotMatter) {
  ForEachSimdTarget([](const char* target) {
    const int64_t n = 50;
    const AdamCoefficients c{0.01f, 1e-8f, 0.9f, 0.999f};
    const auto start = [&] {
      std::vector<std::vector<float>> v = {TestNumbers(n, 1), TestNumbers(n, 2), TestNumbers(n, 3), TestNumbers(n, 4)};
      for (float& x : v[3]) x *= x;
      return v;
    };
    auto whole = start(), parts = start();
    AdamPass(n, c, whole[0].data(), whole[1].data(), whole[2].data(), whole[3].data(), false);
    int64_t at = 0;
    for (const int64_t size : {1, 7, 16, 5, 21}) {
      AdamPass(size, c, parts[0].data() + at, parts[1].data() + at, parts[2].data() + at, parts[3].data() + at, false);
      at += size;
    }
    ASSERT_EQ(at, n);
    for (size_t k = 0; k < 4; ++k)
      EXPECT_EQ(0, std::memcmp(whole[k].data(), parts[k].data(), n * sizeof(float))) << target << " " << k;
  });
}

TEST(AdagradPass, OnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t n : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} n={}", target, n));
      const std::vector<float> w0 = TestNumbers(n, 1), g0 = TestNumbers(n, 2);
      GuardedRows w(1, n, n, w0), g(1, n, n, g0), sum(1, n, n, std::vector<float>(n, 0.5f));
      AdagradPass(n, 0.1f, 1e-3f, w.data(), g.data(), sum.data(), true);
      for (int64_t i = 0; i < n; ++i) {
        const double total = 0.5 + double{g0[i]} * g0[i];
        ASSERT_NEAR(sum.at(0, i), total, 1e-6);
        ASSERT_NEAR(w.at(0, i), w0[i] - 0.1 * g0[i] / (std::sqrt(total) + 1e-3), 1e-6);
        ASSERT_EQ(g.at(0, i), 0.f);
      }
      for (const GuardedRows* rows : {&w, &g, &sum}) rows->ExpectGuardsIntact();
    }
  });
}

TEST(SgdPass, OnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t n : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} n={}", target, n));
      const std::vector<float> w0 = TestNumbers(n, 1), g0 = TestNumbers(n, 2), v0 = TestNumbers(n, 3);
      GuardedRows w(1, n, n, w0), g(1, n, n, g0), velocity(1, n, n, v0), plain = w;
      SgdPass(n, 0.1f, 0.9f, 0.5f, w.data(), g.data(), velocity.data(), false);
      SgdPass(n, 0.1f, 0.9f, 0.5f, plain.data(), g.data(), nullptr, true);
      for (int64_t i = 0; i < n; ++i) {
        const double step = 0.9 * v0[i] + g0[i];
        ASSERT_NEAR(velocity.at(0, i), 0.5 * step, 1e-6);
        ASSERT_NEAR(w.at(0, i), w0[i] - 0.1 * step, 1e-6);
        ASSERT_NEAR(plain.at(0, i), w0[i] - 0.1 * g0[i], 1e-6) << "no velocity";
        ASSERT_EQ(g.at(0, i), 0.f);
      }
      for (const GuardedRows* rows : {&w, &g, &velocity, &plain}) rows->ExpectGuardsIntact();
    }
  });
}

TEST(EmaPass, OnEveryTarget) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t n : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} n={}", target, n));
      const std::vector<float> w = TestNumbers(n, 1), before = TestNumbers(n, 2);
      GuardedRows average(1, n, n, before);
      EmaPass(n, 0.75f, w.data(), average.data());
      for (int64_t i = 0; i < n; ++i) ASSERT_NEAR(average.at(0, i), 0.75 * before[i] + 0.25 * w[i], 1e-6);
      average.ExpectGuardsIntact();
    }
  });
}

TEST(EmaPass, AnAverageThatIsThereStays) {
  std::vector<float> w = {0.1f, -3.7f, 1e-20f}, average = w;
  EmaPass(3, 0.999f, w.data(), average.data());
  EXPECT_EQ(average, w);
}

}  // namespace
}  // namespace manygate
