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
      const SgdCoefficients c{.rate = 0.1f, .momentum = 0.9f, .velocity_decay = 0.5f};
      SgdPass(n, c, w.data(), g.data(), velocity.data(), false);
      SgdPass(n, c, plain.data(), g.data(), nullptr, true);
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

TEST(SgdPass, DampenedAndNesterov) {
  // velocity = 0.5·2 + 0.75·4 = 4; w = 10 - 0.1·4 - 0.25·4; then the velocity fades by half.
  float w = 10, g = 4, velocity = 2;
  SgdPass(1, {.rate = 0.1f, .momentum = 0.5f, .share = 0.75f, .gradient_rate = 0.25f, .velocity_decay = 0.5f}, &w, &g,
          &velocity, false);
  EXPECT_FLOAT_EQ(w, 8.6f);
  EXPECT_FLOAT_EQ(velocity, 2);
}

TEST(GradientPass, ClampsThenDecays) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t n : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} n={}", target, n));
      const std::vector<float> w0 = TestNumbers(n, 1), g0 = TestNumbers(n, 2);
      GuardedRows w(1, n, n, w0), g(1, n, n, g0);
      GradientPass(n, 0.25f, 0.5f, w.data(), g.data());
      for (int64_t i = 0; i < n; ++i)
        ASSERT_NEAR(g.at(0, i), std::clamp(g0[i], -0.25f, 0.25f) + 0.5 * w0[i], 1e-6) << "value " << i;
      for (const GuardedRows* rows : {&w, &g}) rows->ExpectGuardsIntact();
    }
  });
}

// pass(n, w, g, first, second) with state arrays of squares; value(w, g, first, second) is the same for one value.
template <typename Pass, typename Value>
void ExpectPassOnEveryTarget(Pass pass, Value value) {
  ForEachSimdTarget([&](const char* target) {
    for (const int64_t n : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} n={}", target, n));
      const std::vector<float> w0 = TestNumbers(n, 1), g0 = TestNumbers(n, 2);
      std::vector<float> first0 = TestNumbers(n, 3), second0 = TestNumbers(n, 4);
      for (float& x : first0) x *= x;
      for (float& x : second0) x *= x;
      GuardedRows w(1, n, n, w0), g(1, n, n, g0), first(1, n, n, first0), second(1, n, n, second0);
      pass(n, w.data(), g.data(), first.data(), second.data());
      for (int64_t i = 0; i < n; ++i) {
        double want_w = w0[i], want_first = first0[i], want_second = second0[i];
        value(want_w, double{g0[i]}, want_first, want_second);
        ASSERT_NEAR(w.at(0, i), want_w, 2e-6 * (1 + std::abs(want_w))) << "value " << i;
        ASSERT_NEAR(first.at(0, i), want_first, 2e-6 * (1 + std::abs(want_first))) << "value " << i;
        ASSERT_NEAR(second.at(0, i), want_second, 2e-6 * (1 + std::abs(want_second))) << "value " << i;
        ASSERT_EQ(g.at(0, i), 0.f);
      }
      for (const GuardedRows* rows : {&w, &g, &first, &second}) rows->ExpectGuardsIntact();
    }
  });
}

TEST(AmsgradPass, OnEveryTarget) {
  const AdamCoefficients c{0.1f, 1e-3f, 0.9f, 0.5f, 0.99f, 0.8f, 0.7f};
  ExpectPassOnEveryTarget(
      [&](int64_t n, float* w, float* g, float* variance, float* largest) {
        std::vector<float> mean(n, 0.5f);
        AmsgradPass(n, c, w, g, mean.data(), variance, largest, true);
        for (const float m : mean) ASSERT_LT(std::abs(m - 0.8 * 0.45), 0.8 * 0.1 * 4);
      },
      [](double& w, double g, double& variance, double& largest) {
        const double mean = 0.9 * 0.5 + 0.1 * g;
        variance = 0.5 * variance + 0.5 * g * g;
        largest = std::max(largest, variance);
        w = 0.99 * w - 0.1 * mean / (std::sqrt(largest) + 1e-3);
        variance *= 0.7;
      });
}

TEST(FtrlPass, OnEveryTarget) {
  const FtrlCoefficients c{0.5f, 1, 0.2f, 0.1f};
  ExpectPassOnEveryTarget(
      [&](int64_t n, float* w, float* g, float* z, float* sum) { FtrlPass(n, c, w, g, z, sum, true); },
      [](double& w, double g, double& z, double& sum) {
        const double sigma = (std::sqrt(sum + g * g) - std::sqrt(sum)) / 0.5;
        if (w != 0) z = -w * ((1 + std::sqrt(sum)) / 0.5 + double{0.1f}) - std::copysign(double{0.2f}, w);
        z += g - sigma * w;
        sum += g * g;
        w = std::abs(z) <= double{0.2f}
                ? 0
                : -(z - std::copysign(double{0.2f}, z)) / ((1 + std::sqrt(sum)) / 0.5 + double{0.1f});
      });
}

// alpha 0.5, beta 1, l1 1, l2 2: the denominator is 4 + 2·√n.
TEST(FtrlPass, ByHand) {
  const FtrlCoefficients c{0.5f, 1, 1, 2};
  float w[] = {0.5f, 0.5f, 0, 0, 7}, g[] = {3, 0, 0.75f, -3, 0.f}, z[] = {0, 0, 0, 0, 2.5f}, n[] = {0, 0, 0, 0, 4};
  FtrlPass(5, c, w, g, z, n, false);
  // z starts at -0.5·4 - 1 = -3, sigma = 3/0.5 = 6: z = -3 + 3 - 6·0.5 = -3; w = -(-3 + 1) / (4 + 6).
  EXPECT_FLOAT_EQ(z[0], -3);
  EXPECT_FLOAT_EQ(n[0], 9);
  EXPECT_FLOAT_EQ(w[0], 0.2f);
  EXPECT_EQ(w[1], 0.5f) << "no gradient, no change";
  EXPECT_EQ(z[1], 0.f);
  EXPECT_EQ(w[2], 0.f) << "|z| = 0.75 is within l1";
  EXPECT_FLOAT_EQ(w[3], 0.2f);  // z = -3
  EXPECT_EQ(w[4], 7.f);
  EXPECT_EQ(z[4], 2.5f);
}

TEST(RmspropPass, OnEveryTarget) {
  const RmspropCoefficients c{0.1f, 0.75f, 1e-3f, 0.5f, 0.9f, 0.8f};
  const auto value = [](double& w, double g, double& square, double& velocity) {
    square = 0.75 * square + 0.25 * g * g;
    velocity = 0.5 * velocity + g / (std::sqrt(square) + 1e-3);
    w -= 0.1 * velocity;
    square *= 0.9;
    velocity *= 0.8;
  };
  ExpectPassOnEveryTarget([&](int64_t n, float* w, float* g, float* square,
                              float* velocity) { RmspropPass(n, c, w, g, square, velocity, true); },
                          value);
  ExpectPassOnEveryTarget(
      [&](int64_t n, float* w, float* g, float* square, float*) { RmspropPass(n, c, w, g, square, nullptr, true); },
      [&](double& w, double g, double& square, double&) {
        double none = 0;
        value(w, g, square, none);
      });
}

TEST(AdadeltaPass, OnEveryTarget) {
  const AdadeltaCoefficients c{0.5f, 0.75f, 1e-3f, 0.9f};
  ExpectPassOnEveryTarget([&](int64_t n, float* w, float* g, float* square,
                              float* steps) { AdadeltaPass(n, c, w, g, square, steps, true); },
                          [](double& w, double g, double& square, double& steps) {
                            square = 0.75 * square + 0.25 * g * g;
                            const double step = std::sqrt(steps + 1e-3) / std::sqrt(square + 1e-3) * g;
                            steps = 0.9 * (0.75 * steps + 0.25 * step * step);
                            square *= 0.9;
                            w -= 0.5 * step;
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
