// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/highest_code.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace manygate {
namespace {

// The largest value at every place of columns of every small size.
template <typename Code>
void Check(Code highest) {
  for (size_t rows = 1; rows < 300; rows += rows < 20 ? 1 : 37) {
    for (size_t place = 0; place < rows; ++place) {
      std::vector<Code> codes(rows, 3);
      codes[place] = highest;
      ASSERT_EQ(HighestCode(codes.data(), sizeof(Code), static_cast<int64_t>(rows)), highest) << rows << " " << place;
    }
  }
  EXPECT_EQ(HighestCode(nullptr, sizeof(Code), 0), 0u);
}

TEST(HighestCode, EveryWidthAndPlace) {
  Check<uint8_t>(200);
  Check<uint16_t>(60000);
  Check<uint32_t>(4000000000u);
}

}  // namespace
}  // namespace manygate
