// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/column_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace manygate {
namespace {

using ::testing::ElementsAre;

TEST(NaturalLess, NumbersCountAsNumbers) {
  std::vector<std::string> names = {"f10", "f2", "1000", "109_14", "B", "101",
                                    "f2a", "",   "f02",  "109_2",  "f", "a\xC3\xA9"};
  std::sort(names.begin(), names.end(), NaturalLess);
  EXPECT_THAT(names,
              ElementsAre("", "101", "109_2", "109_14", "1000", "B", "a\xC3\xA9", "f", "f02", "f2", "f2a", "f10"));
  EXPECT_TRUE(NaturalLess("x99999999999999999999", "x100000000000000000000"));
}

std::string_view Padded(std::string name) {
  static std::string storage;
  const size_t size = name.size();
  storage = std::move(name) + std::string(kTextPadding, '#');
  return {storage.data(), size};
}

TEST(NameIndex, FindsEveryRequestAndNothingElse) {
  std::vector<ColumnRequest> requests;
  for (int i = 0; i < 300; ++i)
    requests.push_back({"feature_" + std::to_string(i) + std::string(size_t(i % 50), 'x'), {}});
  const NameIndex index(requests);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(index.Find(Padded(requests[static_cast<size_t>(i)].name)), i);
  EXPECT_EQ(index.Find(Padded("feature_300")), -1);
  EXPECT_EQ(index.Find(Padded("")), -1);
  EXPECT_EQ(NameIndex({}).Find(Padded("a")), -1);
}

TEST(NameCollector, TellsNewNamesAndSortsThem) {
  NameCollector names;
  EXPECT_TRUE(names.Add(Padded("10")));
  EXPECT_TRUE(names.Add(Padded("9")));
  EXPECT_FALSE(names.Add(Padded("10")));
  EXPECT_FALSE(names.Add(Padded("")));
  EXPECT_THAT(names.Sorted(), ElementsAre("9", "10"));
}

}  // namespace
}  // namespace manygate
