// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/tabulated_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "manygate/math/guarded_rows_testing.h"
#include "manygate/math/simd_targets_testing.h"

namespace manygate {
namespace {

using testing::Each;
using testing::ElementsAre;

std::vector<float> Part(const float* p, int64_t n) { return {p, p + n}; }

void Fill(RowTable& table, int seed) {
  const std::vector<float> values = TestNumbers(table.rows() * table.width(), seed);
  for (int64_t r = 0; r < table.rows(); ++r)
    std::copy_n(values.data() + r * table.width(), table.width(), table.weights(r));
}

TEST(TabulatedRows, ByHand) {
  RowTable e("e", 3, 2, 0), products("p", 10, 3, 0);
  std::copy_n(std::vector<float>{1, 2}.data(), 2, e.weights(0));
  std::copy_n(std::vector<float>{3, 4}.data(), 2, e.weights(1));
  std::copy_n(std::vector<float>{5, 7}.data(), 2, e.weights(2));
  const std::vector<float> w = {1, 10, 100, 2, 20, 200};
  const std::vector<int32_t> rows = {6, 4};  // v = 2 and 0
  products.gradient(6)[1] = 9;
  TabulateRows(e, {0, 4, 3}, w.data(), rows, products);
  EXPECT_THAT(Part(products.weights(6), 3), ElementsAre(19, 190, 1900));
  EXPECT_THAT(Part(products.weights(4), 3), ElementsAre(5, 50, 500));
  EXPECT_THAT(Part(products.weights(5), 3), Each(0.f)) << "not asked for";
  EXPECT_THAT(Part(products.gradient(6), 16), Each(0.f));

  TabulateRows(e, {0, 4, 3, 0}, w.data(), rows, products);
  EXPECT_THAT(Part(products.weights(6), 3), ElementsAre(14, 140, 1400)) << "(4, 5)·w";
  EXPECT_THAT(Part(products.weights(4), 3), ElementsAre(5, 50, 500)) << "the default itself";

  std::copy_n(std::vector<float>{1, 0, 0}.data(), 3, products.gradient(6));
  std::copy_n(std::vector<float>{0, 1, 2}.data(), 3, products.gradient(4));
  e.gradient(2)[0] = 1000;
  std::vector<float> d_w(6, -1.f);
  TabulateRowsBackward(e, {0, 4, 3, 0}, w.data(), rows, products, d_w.data());
  EXPECT_THAT(Part(e.gradient(2), 2), ElementsAre(1001, 2));
  EXPECT_THAT(Part(e.gradient(0), 2), ElementsAre(210, 420));
  EXPECT_THAT(Part(e.gradient(1), 2), Each(0.f));
  EXPECT_THAT(d_w, ElementsAre(5, 1, 2, 7, 2, 4));
}

TEST(TabulatedRows, NoRowsGiveNoGradient) {
  RowTable e("e", 3, 2, 0), products("p", 3, 3, 0);
  std::vector<float> d_w(6, -1.f);
  TabulateRowsBackward(e, {0, 0, 3}, d_w.data(), {}, products, d_w.data());
  EXPECT_THAT(d_w, Each(0.f));
}

TEST(TabulatedRows, APredictionTableHasNoGradients) {
  RowTable e("e", 2, 1, -1), products("p", 2, 17, -1);
  e.weights(1)[0] = 3;
  const std::vector<float> w(17, 2.f);
  const std::vector<int32_t> rows = {0, 1};
  TabulateRows(e, {0, 0, 2}, w.data(), rows, products);
  EXPECT_THAT(Part(products.weights(1), 17), Each(6.f));
  EXPECT_THAT(Part(products.weights(0), 17), Each(0.f));
}

// Every width and dimension against plain loops, on every SIMD target.
TEST(TabulatedRows, EqualsPlainLoops) {
  ForEachSimdTarget([](const char* target) {
    for (const int64_t width : kTestWidths) {
      for (const int64_t d : {1, 4, 7, 8, 11}) {
        RowTable e("e", 7, d, 0), products("p", 12, width, 0);
        Fill(e, 1);
        GuardedRows w(d, width, width, TestNumbers(d * width, 2)), d_w(d, width, width);
        const LookupColumn column{0, 5, 7, 3};
        const std::vector<int32_t> rows = {11, 5, 8, 6, 9, 7, 10};
        TabulateRows(e, column, w.data(), rows, products);
        for (const int32_t row : rows) {
          const int64_t v = row - 5;
          for (int64_t j = 0; j < products.padded_width(); ++j) {
            double want = 0;
            for (int64_t k = 0; k < d && j < width; ++k)
              want += (double{e.weights(v)[k]} - (v == 3 ? 0.f : e.weights(3)[k])) * w.at(k, j);
            ASSERT_NEAR(products.weights(row)[j], want, 1e-5) << target << ", width " << width << ", d " << d;
          }
          const std::vector<float> g = TestNumbers(width, 10 + row);
          std::copy_n(g.data(), width, products.gradient(row));
        }
        TabulateRowsBackward(e, column, w.data(), rows, products, d_w.data());
        d_w.ExpectGuardsIntact();
        for (int64_t k = 0; k < d; ++k) {
          for (int64_t v = 0; v < 7; ++v) {
            double want = 0;
            for (int64_t j = 0; j < width; ++j) want += double{products.gradient(5 + v)[j]} * w.at(k, j);
            ASSERT_NEAR(e.gradient(v)[k], want, 2e-5) << target << ", width " << width << ", d " << d;
          }
          for (int64_t j = 0; j < width; ++j) {
            double want = 0;
            for (int64_t v = 0; v < 7; ++v) want += double{products.gradient(5 + v)[j]} * e.weights(v)[k];
            ASSERT_NEAR(d_w.at(k, j), want, 1e-5) << target << ", width " << width << ", d " << d;
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace manygate
