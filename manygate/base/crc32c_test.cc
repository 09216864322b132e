// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace manygate {
namespace {

TEST(Crc32cTest, KnownValues) {
  for (const auto crc : {Crc32c, internal::Crc32cByTable}) {
    EXPECT_EQ(crc("", 0), 0u);
    EXPECT_EQ(crc("123456789", 9), 0xE3069283u);                    // the check value of CRC-32C
    EXPECT_EQ(crc(std::string(32, '\0').data(), 32), 0x8A9136AAu);  // RFC 3720, B.4
    EXPECT_EQ(crc(std::string(32, '\xff').data(), 32), 0x62A8AB43u);
  }
}

TEST(Crc32cTest, InstructionAndTableAgreeAtEveryLengthAndAlignment) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += static_cast<char>(i * 37 + 11);
  for (size_t begin = 0; begin < 9; ++begin) {
    for (size_t size = 0; begin + size <= bytes.size(); ++size)
      ASSERT_EQ(Crc32c(bytes.data() + begin, size), internal::Crc32cByTable(bytes.data() + begin, size))
          << begin << " " << size;
  }
}

TEST(MaskCrcTest, RotatesAndAdds) {
  EXPECT_EQ(MaskCrc(0), 0xA282EAD8u);
  EXPECT_EQ(MaskCrc(0x8000u), 0xA282EAD9u);
}

}  // namespace
}  // namespace manygate
