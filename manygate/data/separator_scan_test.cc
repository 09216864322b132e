// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/separator_scan.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hwy/targets.h"
#include "manygate/data/highest_code.h"

namespace manygate {
namespace {

// Every instruction set that this machine has, the widest first.
class SimdTarget : public ::testing::TestWithParam<int64_t> {
 protected:
  void SetUp() override { Choose(GetParam()); }
  void TearDown() override { Choose(0); }

 private:
  static void Choose(int64_t targets) {
    hwy::SetSupportedTargetsForTest(targets);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

std::vector<uint32_t> Find(const std::string& text, size_t size, uint32_t first, bool* has_nul) {
  std::vector<uint32_t> positions(size + 8);
  positions.resize(FindSeparators({text.data(), size, first}, ',', '\n', '"', positions.data(), has_nul));
  return positions;
}

TEST_P(SimdTarget, FindsWhatALoopFinds) {
  // Dense and sparse stretches, and every byte value but NUL.
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += i % 500 < 100 ? ",\n\""[i % 3] : static_cast<char>(static_cast<uint32_t>(i) * 2654435761u >> 24);
    if (text.back() == '\0') text.back() = 'x';
  }
  const std::string padded = text + std::string(64, ' ');
  for (size_t size : {size_t{1}, size_t{7}, size_t{63}, size_t{64}, size_t{65}, size_t{1000}, text.size()}) {
    std::vector<uint32_t> expected;
    for (size_t i = 0; i < size; ++i) {
      if (text[i] == ',' || text[i] == '\n' || text[i] == '"') expected.push_back(static_cast<uint32_t>(i) + 70);
    }
    bool has_nul = false;
    EXPECT_EQ(Find(padded, size, 70, &has_nul), expected) << size;
    EXPECT_FALSE(has_nul);
  }
}

TEST_P(SimdTarget, NoticesNulAnywhere) {
  for (size_t at = 0; at < 200; ++at) {
    std::string text(200 + 64, 'x');
    text[at] = '\0';
    bool has_nul = false;
    EXPECT_TRUE(Find(text, 200, 0, &has_nul).empty());
    EXPECT_TRUE(has_nul) << at;
  }
}

TEST_P(SimdTarget, HighestCode) {
  for (size_t place = 0; place < 301; ++place) {
    std::vector<uint8_t> narrow(301, 3);
    std::vector<uint16_t> middle(301, 3);
    std::vector<uint32_t> wide(301, 3);
    narrow[place] = 200, middle[place] = 60000, wide[place] = 4000000000u;
    ASSERT_EQ(HighestCode(narrow.data(), 1, 301), 200u);
    ASSERT_EQ(HighestCode(middle.data(), 2, 301), 60000u);
    ASSERT_EQ(HighestCode(wide.data(), 4, 301), 4000000000u);
  }
}

INSTANTIATE_TEST_SUITE_P(All, SimdTarget, ::testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const auto& info) { return std::string(hwy::TargetName(info.param)); });

}  // namespace
}  // namespace manygate
