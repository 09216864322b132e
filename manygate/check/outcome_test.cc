// SPDX-License-Identifier: Apache-2.0
#include "manygate/check/outcome.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace manygate::check {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Column Category(std::vector<std::string> dictionary, const std::vector<uint8_t>& codes) {
  Column column;
  column.codes = codes.data();
  column.dictionary = std::move(dictionary);
  return column;
}

class TellsOutcomeTest : public testing::Test {
 protected:
  // 60 rows: the label is 1 in the first 25; the amount is there in the first 20.
  TellsOutcomeTest() : labels_(60, 0.0f), codes_(60, 0), numbers_(60, kNan) {
    std::fill_n(labels_.begin(), 25, 1.0f);
    std::fill_n(codes_.begin(), 20, uint8_t{1});
    std::fill_n(numbers_.begin(), 20, 9.5f);
  }
  bool Tells(const Column& column) {
    return TellsOutcome(column, 60, [this](int64_t row) { return labels_[static_cast<size_t>(row)]; });
  }
  bool Tells() { return Tells(Category({"", "9.5"}, codes_)); }

  std::vector<float> labels_;
  std::vector<uint8_t> codes_;
  std::vector<float> numbers_;
};

TEST_F(TellsOutcomeTest, OnlyWhenEveryFilledRowIsPositive) {
  EXPECT_TRUE(Tells());
  codes_[40] = 1;  // one row with an amount and without the outcome
  EXPECT_FALSE(Tells());
  labels_[40] = kNan;  // ... unless nobody knows its outcome
  EXPECT_TRUE(Tells());
  codes_[0] = 0;  // 19 rows are too few to say so
  EXPECT_FALSE(Tells());
}

TEST_F(TellsOutcomeTest, ZeroesAreAsGoodAsMissing) {
  std::vector<uint8_t> codes(60, 1);
  std::fill_n(codes.begin(), 20, uint8_t{2});
  EXPECT_TRUE(Tells(Category({"", "0.0", "9.5"}, codes)));
  EXPECT_FALSE(Tells(Category({"", "no", "9.5"}, codes))) << "a text is a value";
}

TEST_F(TellsOutcomeTest, NumbersToo) {
  Column column;
  column.kind = ColumnKind::kNumber;
  column.numbers = numbers_.data();
  EXPECT_TRUE(Tells(column));
  numbers_[50] = 0;
  EXPECT_TRUE(Tells(column));
  numbers_[50] = 1;
  EXPECT_FALSE(Tells(column));
}

TEST_F(TellsOutcomeTest, NotWhenMostRowsArePositive) {
  std::fill_n(labels_.begin(), 31, 1.0f);
  EXPECT_FALSE(Tells());
}

}  // namespace
}  // namespace manygate::check
