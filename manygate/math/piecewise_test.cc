// SPDX-License-Identifier: Apache-2.0
#include "manygate/math/piecewise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "manygate/math/guarded_rows_testing.h"
#include "manygate/math/simd_targets_testing.h"

namespace manygate {
namespace {

using testing::ElementsAre;

TEST(Piecewise, ByHand) {
  // W = (1 10), (2 20), (4 40); A = (0 0), (1 10), (3 30).
  const std::vector<float> weight = {1, 10, 2, 20, 4, 40};
  std::vector<float> table(3 * 5, -1.f);
  FillPiecewiseTable(3, 2, weight.data(), table.data(), 5);
  EXPECT_THAT(table, ElementsAre(0, 0, 1, 10, -1, 1, 10, 2, 20, -1, 3, 30, 4, 40, -1));

  const std::vector<int32_t> pieces = {0, 2, 1, 2};
  const std::vector<float> fractions = {0.5f, 0.25f, 0.f, 1.f};
  const PiecewiseRows rows{4, pieces.data(), 1, fractions.data(), 1};
  std::vector<float> out(8, 100.f);
  AddPiecewise(rows, 2, table.data(), 5, out.data(), 2);
  EXPECT_THAT(out, ElementsAre(100.5f, 105, 104, 140, 101, 110, 107, 170));

  const std::vector<float> d_out = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<float> d_weight(6, -1.f), scratch(6, std::nanf(""));
  PiecewiseGradient(rows, 3, 2, d_out.data(), 2, d_weight.data(), scratch.data());
  // Piece 2: 0.25·(3 4) + (7 8); piece 1: 0·(5 6) + (3 4) + (7 8); piece 0: 0.5·(1 2) + all but the first row.
  EXPECT_THAT(d_weight, ElementsAre(15.5f, 19, 10, 12, 7.75f, 9));
}

// The encodings written out: [rows, pieces].
std::vector<float> WrittenOut(const PiecewiseRows& rows, int64_t pieces) {
  std::vector<float> e(rows.rows * pieces, 0.f);
  for (int64_t r = 0; r < rows.rows; ++r) {
    const int64_t k = rows.pieces[r * rows.piece_stride];
    for (int64_t t = 0; t < k; ++t) e[r * pieces + t] = 1.f;
    e[r * pieces + k] = rows.fractions[r * rows.fraction_stride];
  }
  return e;
}

TEST(Piecewise, EqualsTheProductOnEveryTarget) {
  constexpr int64_t kRows = 37, kPieces = 11, kPieceStride = 3, kFractionStride = 2;
  std::vector<int32_t> pieces(kRows * kPieceStride, -1);
  std::vector<float> fractions(kRows * kFractionStride, -1.f);
  for (int64_t r = 0; r < kRows; ++r) {
    pieces[r * kPieceStride] = static_cast<int32_t>(r * 7 % kPieces);
    fractions[r * kFractionStride] = r % 3 == 0 ? 0.f : static_cast<float>(r % 5) / 4.f;
  }
  const PiecewiseRows rows{kRows, pieces.data(), kPieceStride, fractions.data(), kFractionStride};
  const std::vector<float> e = WrittenOut(rows, kPieces);
  ForEachSimdTarget([&](const char* target) {
    SCOPED_TRACE(target);
    for (const int64_t width : kTestWidths) {
      SCOPED_TRACE(width);
      const std::vector<float> weight = TestNumbers(kPieces * width, 1), start = TestNumbers(kRows * width, 2);
      GuardedRows table(kPieces, 2 * width, 2 * width + 3), out(kRows, width, width + 5, start);
      FillPiecewiseTable(kPieces, width, weight.data(), table.data(), table.stride());
      table.ExpectGuardsIntact();
      AddPiecewise(rows, width, table.data(), table.stride(), out.data(), out.stride());
      out.ExpectGuardsIntact();
      const GuardedRows d_out(kRows, width, width + 1, TestNumbers(kRows * width, 3));
      GuardedRows d_weight(kPieces * width, 1, 1);
      std::vector<float> scratch(kPieces * width);
      PiecewiseGradient(rows, kPieces, width, d_out.data(), d_out.stride(), d_weight.data(), scratch.data());
      d_weight.ExpectGuardsIntact();
      for (int64_t i = 0; i < width; ++i) {
        for (int64_t r = 0; r < kRows; ++r) {
          double want = start[r * width + i];
          for (int64_t t = 0; t < kPieces; ++t) want += double{e[r * kPieces + t]} * weight[t * width + i];
          EXPECT_NEAR(out.at(r, i), want, 1e-5);
        }
        for (int64_t t = 0; t < kPieces; ++t) {
          double want = 0;
          for (int64_t r = 0; r < kRows; ++r) want += double{e[r * kPieces + t]} * d_out.at(r, i);
          EXPECT_NEAR(d_weight.at(t * width + i, 0), want, 1e-5);
        }
      }
    }
  });
}

}  // namespace
}  // namespace manygate
