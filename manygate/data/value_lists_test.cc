// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/value_lists.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

namespace manygate {
namespace {

// The different ones of 300 texts.
std::vector<std::string> Texts(const std::function<std::string(int)>& text) {
  std::set<std::string> texts;
  for (int i = 0; i < 300; ++i) texts.insert(text(i));
  return {texts.begin(), texts.end()};
}

// One to four of 20 tags.
std::string Tags(int i, const std::string& separator) {
  std::string text;
  for (int tag = 0; tag <= i % 4; ++tag)
    text += (tag == 0 ? "" : separator) + "tag" + std::to_string((i * 7 + tag * (3 + i / 20)) % 20);
  return text;
}

TEST(FindValueLists, TagsWithAnySeparator) {
  for (const std::string separator : {"|", ";", ",", " "}) {
    const ValueLists lists = FindValueLists(Texts([&](int i) { return Tags(i, separator); }));
    EXPECT_EQ(lists.separator, separator);
    EXPECT_EQ(lists.values, 20);
  }
  EXPECT_EQ(FindValueLists(Texts([](int i) { return Tags(i, ", "); })).values, 20) << "blanks around values";
}

TEST(FindValueLists, LongHistoriesOfManyLengths) {
  const ValueLists lists = FindValueLists(Texts([](int i) {
    std::string text = std::to_string(i * 13 % 500);
    for (int item = 1; item < 1 + i % 60; ++item) text += ";" + std::to_string((i * 13 + item * 17) % 500);
    return text;
  }));
  EXPECT_EQ(lists.separator, ";");
}

TEST(FindValueLists, WhatReadersJoinIsAList) {
  const std::vector<std::string> texts = {"a",
                                          "b\x1d"
                                          "c"};
  EXPECT_EQ(FindValueLists(texts).separator, "\x1d");
  EXPECT_EQ(FindValueLists(texts).values, 3);
}

TEST(FindValueLists, SingleValues) {
  const std::vector<std::function<std::string(int)>> columns = {
      [](int i) { return fmt::format("Name{}, Person{}", i % 40, i % 17); },   // always two
      [](int i) { return fmt::format("city {}|street {}", i % 20, i % 30); },  // always two
      [](int i) {
        return fmt::format("city {}|street {}{}", i % 20, i % 30, i % 2 ? "|left" : "");
      },  // in their places
      [](int i) { return fmt::format("{},{:03},{:03}", 1 + i % 9, i % 7 * 100, i % 11 * 50).substr(0, i % 3 ? 9 : 5); },
      [](int i) { return fmt::format("{},{}", i % 90, i % 10); },  // decimal commas
      [](int i) {                                                  // sentences
        return fmt::format("the {} {} is {} with {}", i % 2 ? "red" : "blue", i % 3 ? "car" : "house",
                           i % 5 ? "fast" : "slow", i % 7 ? "joy" : "care for all")
            .substr(0, 20 + i % 20);
      },
      [](int i) { return fmt::format("{}) ${} - ${}", i % 40, i * 50, i * 50 + 50); },
      [](int i) { return fmt::format("product {}, {} pieces, {}", i, i % 9, i % 2 ? "new" : "used, cheap"); },
      [](int i) { return fmt::format("word{}", i); },
  };
  for (size_t i = 0; i < columns.size(); ++i)
    EXPECT_EQ(FindValueLists(Texts(columns[i])).separator, "") << "column " << i << ", like " << columns[i](7);
  EXPECT_EQ(FindValueLists({}).separator, "");
}

TEST(FindValueLists, TooFewTextsToTell) {
  EXPECT_EQ(FindValueLists(std::vector<std::string>{"a", "a|b", "b|a", "a|b|c", "c|b", "c"}).separator, "");
}

}  // namespace
}  // namespace manygate
