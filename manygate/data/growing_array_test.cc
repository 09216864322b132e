// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/growing_array.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>

#include "manygate/data/test_files.h"

namespace manygate {
namespace {

constexpr size_t kPiece = 1 << 20;

// Appends pieces of known bytes.
size_t Append(GrowingArray& array, size_t used, int pieces) {
  for (int i = 0; i < pieces; ++i, used += kPiece) {
    array.Reserve(used + kPiece);
    std::memset(array.data() + used, static_cast<int>(used / kPiece % 251), kPiece);
    array.Written(used + kPiece);
  }
  return used;
}

bool HasPieces(const void* data, size_t used) {
  for (size_t at = 0; at < used; ++at)
    if (static_cast<const uint8_t*>(data)[at] != at / kPiece % 251) return false;
  return true;
}

TEST(GrowingArray, KeepsItsBytesInMemory) {
  GrowingArray array;
  const size_t used = Append(array, 0, 9);
  EXPECT_FALSE(array.in_file());
  const auto bytes = array.Take(used);
  EXPECT_TRUE(HasPieces(bytes.get(), used));
}

TEST(GrowingArray, KeepsItsBytesInAFileThatNobodySees) {
  const TestFolder folder;
  GrowingArray array;
  size_t used = Append(array, 0, 3);
  ASSERT_TRUE(array.MoveToFile(folder.path(), used));
  EXPECT_TRUE(array.in_file());
  used = Append(array, used, 30);
  EXPECT_TRUE(HasPieces(array.data(), used));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  GrowingArray moved = std::move(array);
  const auto bytes = moved.Take(used);
  EXPECT_TRUE(HasPieces(bytes.get(), used)) << "read again after its memory was given back";
}

TEST(GrowingArray, StaysInMemoryWhereNoFileCanBeMade) {
  GrowingArray array;
  const size_t used = Append(array, 0, 2);
  EXPECT_FALSE(array.MoveToFile("/no/such/folder", used));
  EXPECT_TRUE(HasPieces(array.Take(used).get(), used));
}

}  // namespace
}  // namespace manygate
