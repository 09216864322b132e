// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/row_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "manygate/math/guarded_rows_testing.h"
#include "manygate/math/simd_targets_testing.h"

namespace manygate {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<float> Part(const float* p, int64_t n) { return {p, p + n}; }

void Fill(RowTable& table, const std::vector<float>& values) {
  for (int64_t r = 0; r < table.rows(); ++r)
    std::copy_n(values.data() + r * table.width(), table.width(), table.weights(r));
}

TEST(RowTable, ARecordHoldsWeightsDifferenceGradientAndStates) {
  RowTable table("t", 3, 17, 2);
  EXPECT_EQ(table.padded_width(), 32);
  EXPECT_EQ(table.record_size(), 4 * 32);
  EXPECT_EQ(table.size(), 3 * 4 * 32);
  EXPECT_EQ(table.gradient(1), table.weights(1) + 32);
  EXPECT_EQ(table.state(1, 1), table.weights(1) + 3 * 32);
  EXPECT_THAT(table.first_pending(), ElementsAre(1, 1, 1));

  RowTable differences("d", 3, 17, 0, true);
  EXPECT_EQ(differences.record_size(), 3 * 32);
  EXPECT_EQ(differences.difference(2), differences.weights(2) + 32);
  EXPECT_EQ(differences.gradient(2), differences.weights(2) + 64);
  EXPECT_EQ(differences.summands(), differences.difference(0));
  EXPECT_NE(differences.base(), nullptr);

  EXPECT_EQ(RowTable("p", 3, 17, -1).record_size(), 32);
  EXPECT_EQ(RowTable("p", 3, 17, -1, true).record_size(), 64);
}

TEST(RowTable, TouchedRowsStandByColumnInOrderOfAppearance) {
  RowTable table("t", 10, 1, 0, true);
  const LookupColumn columns[] = {{0, 0, 3, 2}, {2, 3, 7, -1}};
  const std::vector<int32_t> ids = {1, 9, 4, 0, 9, 6, 1, 9, 4};
  table.Touch(columns, 3, ids.data(), 3);
  // Row 2 is the default of column 0: read, though nobody selects it.
  EXPECT_THAT(table.touched(), ElementsAre(ElementsAre(1, 0, 2), ElementsAre(7, 9)));
  EXPECT_TRUE(table.IsSelected(0));
  EXPECT_TRUE(table.IsSelected(7));
  EXPECT_FALSE(table.IsSelected(2));
  EXPECT_FALSE(table.IsSelected(8));

  table.StartBatch();
  EXPECT_THAT(table.touched(), Each(IsEmpty()));
  EXPECT_FALSE(table.IsSelected(7));
  const std::vector<int32_t> again = {2, 9, 0};
  table.Touch(columns, 1, again.data(), 3);
  EXPECT_THAT(table.touched(), ElementsAre(ElementsAre(2), ElementsAre(3)));
  EXPECT_TRUE(table.IsSelected(2)) << "a default that a row has is selected like any other";
}

TEST(SelectRows, LeavesDefaultsOut) {
  const LookupColumn columns[] = {{1, 0, 3, 0}, {0, 3, 4, -1}, {2, 7, 2, 1}};
  const std::vector<int32_t> ids = {3, 0, 1, 0, 2, 0, 1, 1, 1};
  std::vector<int32_t> selected(3 * 4 + 1, -7);
  SelectRows(columns, 3, ids.data(), 3, selected.data());
  EXPECT_EQ(selected[0], 1);
  EXPECT_EQ(selected[1], 6);
  EXPECT_THAT(std::vector(selected.begin() + 4, selected.begin() + 8), ElementsAre(3, 2, 3, 7));
  EXPECT_EQ(selected[8], 2);
  EXPECT_EQ(selected[9], 1);
  EXPECT_EQ(selected[10], 4);
  EXPECT_EQ(selected[12], -7) << "wrote past the end";
}

TEST(SelectRows, TakesSeveralValuesUpToTheFirstThatIsNone) {
  // Up to 3 of 4 values, and a column of single values with a default.
  const LookupColumn columns[] = {{1, 0, 4, -1, 3}, {0, 4, 2, 1}};
  EXPECT_EQ(SelectedStride(columns), 5);
  const std::vector<int32_t> ids = {0, 3, 3, 1, 1, 2, 4, 0, 1, 0, 3, 4};
  std::vector<int32_t> selected(3 * 5 + 1, -7);
  SelectRows(columns, 3, ids.data(), 4, selected.data());
  EXPECT_THAT(std::vector(selected.begin(), selected.begin() + 5), ElementsAre(4, 3, 3, 1, 4));
  EXPECT_EQ(selected[5], 1);
  EXPECT_EQ(selected[6], 2);
  EXPECT_EQ(selected[10], 2);
  EXPECT_EQ(selected[11], 0);
  EXPECT_EQ(selected[12], 3);
  EXPECT_EQ(selected[15], -7) << "wrote past the end";

  RowTable table("t", 6, 1, 0);
  table.Touch(columns, 3, ids.data(), 4);
  EXPECT_THAT(table.touched(), ElementsAre(ElementsAre(3, 1, 2, 0), ElementsAre(4, 5)));
}

TEST(RowTable, GatherSumAndScatterAddByHand) {
  ForEachSimdTarget([](const char* target) {
    SCOPED_TRACE(target);
    RowTable table("t", 3, 2, 0);
    Fill(table, {1, 10, 2, 20, 4, 40});
    const std::vector<int32_t> selected = {2, 0, 2, 0, -1, -1, 1, 1, -1};
    std::vector<float> out = {100, 0, -1, 100, 0, -1, 100, 0, -1};
    GatherSum(table, 3, selected.data(), 3, out.data(), 3);
    EXPECT_THAT(out, ElementsAre(105, 50, -1, 100, 0, -1, 102, 20, -1));

    const std::vector<float> d_out = {1, 2, -1, 50, 50, -1, 3, 4, -1};
    ScatterAdd(table, 3, selected.data(), 3, d_out.data(), 3);
    ScatterAdd(table, 1, selected.data(), 3, d_out.data(), 3);
    EXPECT_THAT(Part(table.gradient(0), 2), ElementsAre(2, 4));
    EXPECT_THAT(Part(table.gradient(1), 2), ElementsAre(3, 4));
    EXPECT_THAT(Part(table.gradient(2), 2), ElementsAre(2, 4));
    for (int r = 0; r < 3; ++r) EXPECT_THAT(Part(table.gradient(r) + 2, 14), Each(0.f)) << "padding";
  });
}

// ids of `rows` rows over these columns; every second one the default where there is one.
std::vector<int32_t> MakeIds(std::span<const LookupColumn> columns, int64_t rows) {
  const std::vector<float> draws = TestNumbers(2 * rows * static_cast<int64_t>(columns.size()), 9);
  std::vector<int32_t> ids(rows * columns.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    const LookupColumn& column = columns[i % columns.size()];
    const int32_t id = static_cast<int32_t>((draws[2 * i] + 1) / 2 * column.rows);
    ids[i] =
        draws[2 * i + 1] < 0 && column.default_id >= 0 ? column.default_id : std::min<int32_t>(id, column.rows - 1);
  }
  return ids;
}

TEST(RowTable, EqualsNaiveSumsOnEveryTarget) {
  const LookupColumn columns[] = {{0, 0, 4, -1}, {1, 4, 9, -1}, {2, 13, 2, -1}};
  ForEachSimdTarget([&](const char* target) {
    for (const int64_t width : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} width {}", target, width));
      const int64_t rows = 21;
      RowTable table("t", 15, width, 1);
      Fill(table, TestNumbers(15 * width, 1));
      const std::vector<int32_t> ids = MakeIds(columns, rows);
      std::vector<int32_t> selected(rows * 4);
      SelectRows(columns, rows, ids.data(), 3, selected.data());
      const GuardedRows before(rows, width, width + 3, TestNumbers(rows * width, 2));
      GuardedRows out = before;
      GatherSum(table, rows, selected.data(), 4, out.data(), out.stride());
      const GuardedRows d_out(rows, width, width + 5, TestNumbers(rows * width, 3));
      ScatterAdd(table, rows, selected.data(), 4, d_out.data(), d_out.stride());

      // The same order of additions gives the same bits.
      std::vector<float> gradient(15 * width);
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t i = 0; i < width; ++i) {
          float sum = before.at(r, i);
          for (int c = 0; c < 3; ++c) {
            const int64_t row = columns[c].row0 + ids[r * 3 + c];
            sum += table.weights(row)[i];
            gradient[row * width + i] += d_out.at(r, i);
          }
          ASSERT_EQ(out.at(r, i), sum) << r << ", " << i;
        }
      }
      out.ExpectGuardsIntact();
      for (int64_t row = 0; row < 15; ++row) {
        ASSERT_EQ(Part(table.gradient(row), width), Part(gradient.data() + row * width, width)) << row;
        ASSERT_THAT(Part(table.gradient(row) + width, table.padded_width() - width), Each(0.f)) << "padding";
        ASSERT_THAT(Part(table.state(row, 0), table.padded_width()), Each(0.f)) << "the part behind";
      }

      GuardedRows alone(1, width, width, Part(before.row(7), width));
      GatherSum(table, 1, selected.data() + 7 * 4, 4, alone.data(), width);
      ASSERT_EQ(Part(alone.data(), width), Part(out.row(7), width));
      alone.ExpectGuardsIntact();
    }
  });
}

TEST(RowTable, DifferencesAndBaseGiveTheSameSums) {
  const LookupColumn columns[] = {{0, 0, 4, 1}, {1, 4, 9, -1}, {2, 13, 2, 0}};
  const LookupColumn plain[] = {{0, 0, 4, -1}, {1, 4, 9, -1}, {2, 13, 2, -1}};
  ForEachSimdTarget([&](const char* target) {
    for (const int64_t width : kTestWidths) {
      SCOPED_TRACE(fmt::format("{} width {}", target, width));
      const int64_t rows = 21;
      RowTable table("t", 15, width, 0, true), reference("r", 15, width, 0);
      Fill(table, TestNumbers(15 * width, 1));
      Fill(reference, TestNumbers(15 * width, 1));
      for (const LookupColumn& c : columns) {
        std::vector<int32_t> all(c.rows);
        std::iota(all.begin(), all.end(), static_cast<int32_t>(c.row0));
        UpdateDifferences(table, all, c.default_id < 0 ? -1 : c.row0 + c.default_id);
      }
      const std::vector<int32_t> ids = MakeIds(columns, rows);
      std::vector<int32_t> selected(rows * 4), selected_plain(rows * 4);
      SelectRows(columns, rows, ids.data(), 3, selected.data());
      SelectRows(plain, rows, ids.data(), 3, selected_plain.data());
      GuardedRows out(rows, width, width, std::vector<float>(rows * width)), want = out;
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t i = 0; i < width; ++i) out.at(r, i) = table.weights(1)[i] + table.weights(13)[i];
      GatherSum(table, rows, selected.data(), 4, out.data(), width);
      GatherSum(reference, rows, selected_plain.data(), 4, want.data(), width);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t i = 0; i < width; ++i) ASSERT_NEAR(out.at(r, i), want.at(r, i), 1e-6);

      // Gradients: the default's is what the others leave.
      const std::vector<float> d_out = TestNumbers(rows * width, 3);
      std::vector<float> total(width);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t i = 0; i < width; ++i) total[i] += d_out[r * width + i];
      ScatterAdd(table, rows, selected.data(), 4, d_out.data(), width);
      ScatterAdd(reference, rows, selected_plain.data(), 4, d_out.data(), width);
      table.Touch(columns, rows, ids.data(), 3);
      for (const int c : {0, 2})
        DefaultGradient(table, table.touched()[c], columns[c].row0 + columns[c].default_id, total.data());
      for (int64_t row = 0; row < 15; ++row) {
        for (int64_t i = 0; i < width; ++i)
          ASSERT_NEAR(table.gradient(row)[i], reference.gradient(row)[i], 5e-6) << row;
        ASSERT_THAT(Part(table.gradient(row) + width, table.padded_width() - width), Each(0.f)) << "padding";
      }
    }
  });
}

TEST(RowTable, UpdateDifferencesByHand) {
  RowTable table("t", 3, 2, 0, true);
  Fill(table, {1, 10, 2, 20, 4, 40});
  UpdateDifferences(table, std::vector<int32_t>{0, 1}, 1);
  EXPECT_THAT(Part(table.difference(0), 2), ElementsAre(-1, -10));
  EXPECT_THAT(Part(table.difference(1), 2), ElementsAre(0, 0));
  EXPECT_THAT(Part(table.difference(2), 2), ElementsAre(0, 0)) << "not asked for";
  UpdateDifferences(table, std::vector<int32_t>{2}, -1);
  EXPECT_THAT(Part(table.difference(2), 2), ElementsAre(4, 40));
}

TEST(RowTable, ADefaultGradientThatRoundingLostIsExactlyZero) {
  ForEachSimdTarget([](const char* target) {
    SCOPED_TRACE(target);
    RowTable table("t", 3, 5, 0, true);
    // 2^-18 of |total| + |g1| + |g2| is the bar: 2e6 · 3.8e-6 = 7.6.
    const std::vector<float> g1 = {1e6f, 1e6f, 0, 0.1f, 3}, g2 = {0, 0, 0, 0.2f, -3};
    std::copy(g1.begin(), g1.end(), table.gradient(1));
    std::copy(g2.begin(), g2.end(), table.gradient(2));
    std::fill_n(table.gradient(0), 5, 99.f);  // overwritten
    const std::vector<float> total = {1e6f + 7, 1e6f + 8, 2, 0.1f + 0.2f + 1e-8f, 0};
    DefaultGradient(table, std::vector<int32_t>{1, 0, 2}, 0, total.data());
    EXPECT_THAT(Part(table.gradient(0), 5), ElementsAre(0, 8, 2, 0, 0));
    EXPECT_EQ(table.gradient(1)[0], 1e6f) << "the others stay";
  });
}

}  // namespace
}  // namespace manygate
