// SPDX-License-Identifier: Apache-2.0
#include "manygate/features/text_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unordered_map>

#include "manygate/base/random.h"

namespace manygate::features {
namespace {

TEST(TextIndex, FindsPlacesAndNothingElse) {
  TextIndex index;
  EXPECT_EQ(index.Find("a"), -1) << "before Build";
  EXPECT_EQ(index.Find(""), -1);
  index.Build(std::vector<std::string>{"b", "", "a", "b", "grün"});
  EXPECT_EQ(index.size(), 4u);
  EXPECT_EQ(index.Find("b"), 0) << "the first of two";
  EXPECT_EQ(index.Find(""), 1);
  EXPECT_EQ(index.Find("a"), 2);
  EXPECT_EQ(index.Find("grün"), 4);
  EXPECT_EQ(index.Find("c"), -1);
  EXPECT_EQ(index.Find(std::string_view("a\0", 2)), -1);
  index.Build(std::vector<std::string>{});
  EXPECT_EQ(index.size(), 0u);
  EXPECT_EQ(index.Find("b"), -1) << "built anew";
}

// Lengths around the words that are read at once; each byte counts.
TEST(TextIndex, TellsTextsApartThatDifferInOneByte) {
  for (size_t length = 1; length <= 40; ++length) {
    const std::string text(length, 'x');
    TextIndex index;
    index.Build(std::vector<std::string>{text});
    EXPECT_EQ(index.Find(text), 0) << length;
    EXPECT_EQ(index.Find(text + "x"), -1) << length;
    EXPECT_EQ(index.Find(text.substr(1)), -1) << length;
    std::vector<std::string> others;
    for (size_t at = 0; at < length; ++at) {
      others.push_back(text);
      others.back()[at] = '\0';
      EXPECT_EQ(index.Find(others.back()), -1) << length << " " << at;
    }
    index.Build(others);
    EXPECT_EQ(index.size(), length);
    for (size_t at = 0; at < length; ++at) EXPECT_EQ(index.Find(others[at]), static_cast<int64_t>(at)) << length;
    EXPECT_EQ(index.Find(text), -1) << length;
  }
}

TEST(TextIndex, AgreesWithAMapOnManyTexts) {
  const Philox random(7, 1);
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < 20000; ++i) texts.push_back("id" + std::to_string(random.Block(i)[0] % 30000));
  std::unordered_map<std::string, int64_t> want;
  for (size_t i = 0; i < texts.size(); ++i) want.try_emplace(texts[i], static_cast<int64_t>(i));
  TextIndex index;
  index.Build(texts);
  EXPECT_EQ(index.size(), want.size());
  for (int i = 0; i < 31000; ++i) {
    const std::string text = "id" + std::to_string(i);
    const auto found = want.find(text);
    ASSERT_EQ(index.Find(text), found == want.end() ? -1 : found->second) << text;
  }
}

}  // namespace
}  // namespace manygate::features
