// SPDX-License-Identifier: Apache-2.0
#include "manygate/base/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

namespace manygate {
namespace {

bool AllZero(const FloatBuffer& buffer) {
  return std::all_of(buffer.begin(), buffer.end(), [](float value) { return value == 0.0f; });
}

TEST(FloatBufferTest, IsAlignedAndZeroAtEverySize) {
  for (size_t size : {1u, 15u, 1000u, 262143u, 262144u, 1000000u}) {
    FloatBuffer buffer(size);
    EXPECT_EQ(buffer.size(), size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % 64, 0u);
    EXPECT_TRUE(AllZero(buffer)) << size;
    buffer[size - 1] = 2;
    EXPECT_EQ(buffer.span()[size - 1], 2.0f);
  }
}

TEST(FloatBufferTest, LargeOnesStartAtAHugePage) {
  FloatBuffer buffer(262144);  // 1 MiB
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer.data()) % (size_t{2} << 20), 0u);
}

TEST(FloatBufferTest, EmptyHasNoMemory) {
  FloatBuffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.data(), nullptr);
  buffer.Resize(0);
  EXPECT_EQ(buffer.data(), nullptr);
}

TEST(FloatBufferTest, ResizeKeepsTheStartAndZeroesTheRest) {
  FloatBuffer buffer(3);
  for (int i = 0; i < 3; ++i) buffer[i] = static_cast<float>(i + 1);
  buffer.Resize(500000);
  EXPECT_EQ(buffer[0], 1.0f);
  EXPECT_EQ(buffer[2], 3.0f);
  EXPECT_EQ(buffer[3], 0.0f);
  EXPECT_EQ(buffer[499999], 0.0f);
  buffer.Resize(2);
  EXPECT_EQ(buffer.size(), 2u);
  EXPECT_EQ(buffer[1], 2.0f);
  buffer.FillZero();
  EXPECT_TRUE(AllZero(buffer));
}

TEST(FloatBufferTest, MovesWithoutCopying) {
  FloatBuffer first(300000);
  first[7] = 5;
  const float* data = first.data();
  FloatBuffer second(std::move(first));
  EXPECT_EQ(second.data(), data);
  EXPECT_EQ(second[7], 5.0f);
  FloatBuffer third(10);
  third = std::move(second);
  EXPECT_EQ(third.data(), data);
  EXPECT_EQ(third.size(), 300000u);
}

TEST(FloatBufferTest, ImpossibleSizeThrows) { EXPECT_THROW(FloatBuffer(SIZE_MAX / 2), std::bad_alloc); }

}  // namespace
}  // namespace manygate
