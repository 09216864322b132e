// SPDX-License-Identifier: Apache-2.0
// What the examples of docs/features.md (page_test.cc) leave out: edges, separators, and that nothing is left from call
// to call.
#include "manygate/features/generator.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/base/random.h"
#include "manygate/base/text.h"
#include "manygate/features/combiner.h"
#include "manygate/features/schema.h"

namespace manygate::features {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Cells = std::vector<std::string_view>;

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed, 1) {}
  uint32_t Below(uint32_t n) { return random_.Block(thrown_++)[0] % n; }

 private:
  Philox random_;
  uint64_t thrown_ = 0;
};

std::unique_ptr<Generator> Made(const std::string& text) {
  config::FeatureConfig config;
  MG_CHECK(google::protobuf::TextFormat::ParseFromString(text, &config), "{}", text);
  return NewGenerator(config);
}

std::vector<double> Numbers(const std::string& config, const Cells& cells) {
  GeneratorWorkspace workspace;
  workspace.numbers = {7, 7};  // left from another call
  const std::unique_ptr<Generator> generator = Made(config);
  EXPECT_TRUE(generator->MakesNumbers()) << config;
  generator->Generate(cells, &workspace);
  return workspace.numbers;
}

// The values with "/" between them.
std::string Text(const std::string& config, const Cells& cells) {
  GeneratorWorkspace workspace;
  workspace.text = "old";
  const std::unique_ptr<Generator> generator = Made(config);
  EXPECT_FALSE(generator->MakesNumbers()) << config;
  generator->Generate(cells, &workspace);
  std::string text = workspace.text;
  std::replace(text.begin(), text.end(), kValueSeparator, '/');
  return text;
}

TEST(Combiner, OfThreeNumbers) {
  const auto combined = [](std::string_view name, std::vector<double> numbers) {
    Combine(ParseCombiner(name), &numbers);
    return numbers;
  };
  EXPECT_THAT(combined("sum", {4, -1, 3}), ElementsAre(6));
  EXPECT_THAT(combined("mean", {4, -1, 3}), ElementsAre(2));
  EXPECT_THAT(combined("min", {4, -1, 3}), ElementsAre(-1));
  EXPECT_THAT(combined("max", {4, -1, 3}), ElementsAre(4));
  EXPECT_THAT(combined("count", {4, -1, 3}), ElementsAre(3));
  EXPECT_THAT(combined("gap_min", {4, -1, 3}), ElementsAre(4));
  EXPECT_THAT(combined("gap_max", {4, -1, 3}), ElementsAre(5));
  EXPECT_THAT(combined("", {4, -1, 3}), ElementsAre(4, -1, 3));
  for (const char* name : {"sum", "mean", "min", "max", "count", "gap_min", "gap_max", ""})
    EXPECT_THAT(combined(name, {}), IsEmpty()) << name;
  EXPECT_THAT(combined("gap_min", {1}), IsEmpty());
  EXPECT_THAT(combined("min", {1}), ElementsAre(1));
}

TEST(CopyGenerator, TextsBetweenTheirOwnSeparator) {
  EXPECT_EQ(Text("id_feature { separator: '|' }", {"a| b ||c"}), "a/b/c");
  EXPECT_EQ(Text("id_feature {}", {"a|b"}), "a|b");
  EXPECT_EQ(Text("id_feature { separator: '' }", {" a|b "}), "a|b");
  EXPECT_EQ(Text("id_feature {}", {""}), "");
  EXPECT_EQ(Text("id_feature {}", {" "}), "");
}

TEST(CopyGenerator, Numbers) {
  EXPECT_THAT(Numbers("raw_feature {}", {" 2.5 "}), ElementsAre(2.5));
  EXPECT_THAT(Numbers("raw_feature {}", {"1e3"}), ElementsAre(1000));
  EXPECT_THAT(Numbers("raw_feature {}", {"1\x1d"
                                         "2"}),
              IsEmpty());
  EXPECT_THAT(Numbers("raw_feature {}", {"inf"}), IsEmpty());
  EXPECT_THAT(Numbers("raw_feature {}", {""}), IsEmpty());
  EXPECT_THAT(Numbers("raw_feature { value_dim: 2 }", {"1\x1d"
                                                       "2\x1d"
                                                       "3"}),
              ElementsAre(1, 2));
  EXPECT_THAT(Numbers("raw_feature { value_dim: 3 separator: ',' }", {"1,x,3"}), ElementsAre(1, 0, 3));
  EXPECT_THAT(Numbers("raw_feature { value_dim: 3 separator: ',' default_value: '9' }", {"1,,3"}),
              ElementsAre(1, 9, 3));
  EXPECT_THAT(Numbers("raw_feature { value_dim: 3 separator: ',' }", {""}), IsEmpty());
}

TEST(ComboGenerator, ThreeInputsCountLikeDigits) {
  EXPECT_EQ(Text("combo_feature { expression: ['a', 'b', 'c'] separator: ',' }", {"1,2", "x", "p,q"}),
            "1_x_p/1_x_q/2_x_p/2_x_q");
  EXPECT_EQ(Text("combo_feature { expression: ['a', 'b', 'c'] separator: ',' value_dim: 3 }", {"1,2", "x", "p,q"}),
            "1_x_p/1_x_q/2_x_p");
  EXPECT_EQ(Text("combo_feature { expression: ['a', 'b'] separator: '' }", {"1,2", " x "}), "1,2_x");
  EXPECT_EQ(Text("combo_feature { expression: ['a', 'b'] separator: '' }", {"1,2", " "}), "");
  EXPECT_EQ(Text("combo_feature { expression: ['a', 'b'] separator: ',' }", {"1,,1", "x"}), "1_x/1_x");
  EXPECT_EQ(Text("combo_feature { expression: ['a', 'b'] separator: ',' }", {",", "x"}), "");
}

TEST(ComboGenerator, MoreCombinationsThanCanBeUsedEnd) {
  std::string many;
  for (int i = 0; i < 400; ++i) many += fmt::format("{},", i);
  const std::string text = Text("combo_feature { expression: ['a', 'b'] separator: ',' }", {many, many});
  EXPECT_EQ(std::count(text.begin(), text.end(), '/'), static_cast<long>(kMostValues));
  EXPECT_TRUE(text.starts_with("0_0/0_1/"));
}

TEST(LookupGenerator, CombinersAndPlaces) {
  const std::string lookup = "lookup_feature { map: 'm' key: 'k' separator: ',' ";
  const std::string_view map =
      "a:1\x1d"
      "b:5\x1d"
      "c:-2";
  EXPECT_THAT(Numbers(lookup + "combiner: 'min' }", {map, "a,b,c"}), ElementsAre(-2));
  EXPECT_THAT(Numbers(lookup + "combiner: 'max' }", {map, "a,b,c"}), ElementsAre(5));
  EXPECT_THAT(Numbers(lookup + "combiner: 'count' }", {map, "a,b,x"}), ElementsAre(2));
  EXPECT_THAT(Numbers(lookup + "combiner: 'count' }", {map, "x"}), IsEmpty());
  EXPECT_THAT(Numbers(lookup + "combiner: '' }", {map, "b,a"}), ElementsAre(5, 1));
  EXPECT_THAT(Numbers(lookup + "}", {map, "a,a"}), ElementsAre(2));  // a key that is asked twice counts twice
  EXPECT_THAT(Numbers("lookup_feature { separator: '' }", {"a,b:4", "a,b"}), ElementsAre(4));
  EXPECT_THAT(Numbers(lookup + "}", {"a\x1d"
                                     "b:2",
                                     "a"}),
              IsEmpty());  // no pair
  EXPECT_THAT(Numbers(lookup + "}", {"a:\x1d"
                                     "a:2",
                                     "a"}),
              ElementsAre(2));
  EXPECT_THAT(Numbers(lookup + "}", {"a:1", "A"}), IsEmpty());
  EXPECT_THAT(Numbers(lookup + "}", {":1", ""}), IsEmpty());
}

TEST(LookupGenerator, VectorsPlaceByPlace) {
  const std::string lookup = "lookup_feature { separator: ';' value_dim: 3 ";
  const std::string_view map =
      "a:1,2,3\x1d"
      "b:5,x\x1d"
      "c:1|2";
  EXPECT_THAT(Numbers(lookup + "}", {map, "a;b"}), ElementsAre(6, 2, 3));
  EXPECT_THAT(Numbers(lookup + "combiner: 'mean' }", {map, "a;b"}), ElementsAre(3, 2, 3));
  EXPECT_THAT(Numbers(lookup + "combiner: '' }", {map, "a;b"}), ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(Numbers(lookup + "value_separator: '|' }", {map, "c"}), ElementsAre(1, 2));
  EXPECT_THAT(Numbers(lookup + "}", {map, "z"}), IsEmpty());
}

TEST(LookupGenerator, WhateverSaysWhatIdsAreMakesTexts) {
  for (const char* way :
       {"num_buckets: 10", "hash_bucket_size: 10", "vocab_list: 'x'", "vocab_dict { key: 'x' value: 1 }",
        "vocab_file: 'x'", "zch { zch_size: 1 }", "dynamicemb { max_capacity: 1 }", "need_discrete: true"}) {
    EXPECT_EQ(Text(fmt::format("lookup_feature {{ separator: ',' {} }}", way), {"a:1\x1d"
                                                                                "b:x",
                                                                                "b,a,c"}),
              "x/1")
        << way;
    if (std::string(way).starts_with("need")) continue;
    EXPECT_EQ(Text(fmt::format("match_feature {{ pkey: 'p' skey: 's' {} }}", way), {"a^x:1|b^x:2", "b", "x"}), "2")
        << way;
  }
  EXPECT_EQ(Text("lookup_feature { need_key: true }", {"a:1", ""}), "");
}

TEST(MatchGenerator, SeveralKeysAndWildcards) {
  const std::string_view map = "a^x:1,y:2|b^x:3|a^y:9,z:4";
  const std::string match = "match_feature { separator: ',' ";
  EXPECT_THAT(Numbers(match + "pkey: 'p' skey: 's' }", {map, "a", "y"}), ElementsAre(2));  // the first of two
  EXPECT_THAT(Numbers(match + "pkey: 'p' skey: 's' }", {map, "a", "z"}), ElementsAre(4));  // behind the second "a"
  EXPECT_THAT(Numbers(match + "pkey: 'p' skey: 's' combiner: '' }", {map, "b,a", "y,x"}), ElementsAre(3, 2, 1));
  EXPECT_THAT(Numbers(match + "pkey: 'ALL' skey: 'ALL' combiner: '' }", {map, "ALL", "ALL"}),
              ElementsAre(1, 2, 3, 9, 4));
  EXPECT_THAT(Numbers(match + "pkey: 'ALL' skey: 's' combiner: '' }", {map, "ALL", "x"}), ElementsAre(1, 3));
  EXPECT_THAT(Numbers(match + "pkey: 'p' skey: 'ALL' combiner: '' }", {map, "a", "ALL"}), ElementsAre(1, 2, 9, 4));
  EXPECT_THAT(Numbers(match + "pkey: 'p' skey: 's' }", {map, "ALL", "x"}), IsEmpty());  // only the configuration's
  EXPECT_EQ(Text(match + "pkey: 'ALL' skey: 's' show_pkey: true }", {map, "ALL", "x"}), "a_1/b_3");
  EXPECT_EQ(Text(match + "pkey: 'p' skey: 's' show_pkey: true show_skey: true }", {map, "a,b", "x"}), "a_x_1/b_x_3");
  EXPECT_EQ(Text(match + "pkey: 'p' skey: 's' need_discrete: true }", {map, "c", "x"}), "");
  EXPECT_THAT(Numbers(match + "pkey: 'p' skey: 's' }", {"a^x", "a", "x"}), IsEmpty());
  EXPECT_THAT(Numbers(match + "pkey: 'p' skey: 's' }", {"a:1", "a", ""}), IsEmpty());
}

TEST(ExpressionGenerator, VectorsAndMissingVariables) {
  EXPECT_THAT(
      Numbers("expr_feature { expression: 'a + b' variables: ['user:a', 'b'] separator: ',' }", {"1,2,x,3", "10"}),
      ElementsAre(11, 12, 13));
  EXPECT_THAT(Numbers("expr_feature { expression: 'a + b' variables: ['a', 'b'] separator: ',' fill_missing: 100 }",
                      {"1,2,3", "10,20"}),
              ElementsAre(11, 22, 103));
  EXPECT_THAT(Numbers("expr_feature { expression: 'a' variables: ['a', 'unused'] }", {"4", ""}), ElementsAre(4));
  EXPECT_THAT(Numbers("expr_feature { expression: 'a * 2' variables: ['feature:a'] }", {""}), IsEmpty());
  EXPECT_THAT(Numbers("expr_feature { expression: 'a' variables: ['a'] separator: '' }", {" 4 "}), ElementsAre(4));
}

TEST(KvDotGenerator, EqualsTheSumOverAllPairs) {
  Dice dice(5);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> weights[2] = {std::vector<double>(12), std::vector<double>(12)};
    std::string texts[2];
    for (int side = 0; side < 2; ++side) {
      for (int k = 0; k < 6; ++k) {
        const auto key = static_cast<size_t>(dice.Below(12));
        if (weights[side][key] != 0) continue;
        weights[side][key] = 1 + static_cast<double>(dice.Below(9));
        texts[side] += fmt::format("k{}:{}|", key, weights[side][key]);
      }
    }
    double expected = 0;
    for (size_t key = 0; key < 12; ++key) expected += weights[0][key] * weights[1][key];
    EXPECT_THAT(Numbers("kv_dot_product { separator: '|' }", {texts[0], texts[1]}), ElementsAre(expected)) << texts[0];
  }
}

TEST(BoolMaskGenerator, EachValueHasTheTruthAtItsPlace) {
  EXPECT_EQ(Text("bool_mask_feature { separator: ',' }", {"a,b,c", ",1,1"}), "b/c");
  EXPECT_EQ(Text("bool_mask_feature { separator: ',' }", {"a,b,c", "1"}), "a");
  EXPECT_EQ(Text("bool_mask_feature { separator: ',' }", {"a", "1,1"}), "a");
  EXPECT_EQ(Text("bool_mask_feature { separator: ',' }", {"", "1"}), "");
  EXPECT_EQ(Text("bool_mask_feature { separator: '' }", {"a,b", "true"}), "a,b");
  EXPECT_EQ(Text("bool_mask_feature {}", {"a\x1d"
                                          "b",
                                          "tRuE\x1d"
                                          "truex"}),
            "a");
}

TEST(CombineGenerator, TheLastOfEqualNamesStands) {
  EXPECT_THAT(Numbers("combine_feature { value_map { key: 'a' value: 1 } value_map { key: 'a' value: 4 } }", {"a"}),
              ElementsAre(4));
  EXPECT_THAT(Numbers("combine_feature { value_map { key: 'a' value: 1 } }", {"1"}), IsEmpty());
  EXPECT_THAT(Numbers("combine_feature { separator: '' }", {" 3 "}), ElementsAre(3));
  EXPECT_THAT(Numbers("combine_feature { combiner: '' separator: ',' }", {"3,4"}), ElementsAre(3, 4));
}

// The shortest cover and the distances, found by trying everything.
TEST(OverlapGenerator, EqualsTryingEverything) {
  Dice dice(11);
  for (int trial = 0; trial < 300; ++trial) {
    const auto words = [&](uint32_t most) {
      std::string text;
      for (uint32_t left = dice.Below(most + 1); left > 0; --left) text += fmt::format("w{} ", dice.Below(5));
      return std::string(Trim(text));
    };
    const std::string query = words(3), title = words(9);
    const std::vector<std::string> t = title.empty() ? std::vector<std::string>{} : Split(title, ' ');
    std::vector<std::string> q = query.empty() ? std::vector<std::string>{} : Split(query, ' ');
    std::sort(q.begin(), q.end());
    q.erase(std::unique(q.begin(), q.end()), q.end());
    double cover = 0, nearest = 1e9, farthest = -1, sum = 0, pairs = 0, found = 0;
    for (size_t first = 0; first < t.size(); ++first) {
      for (size_t last = first; last < t.size(); ++last) {
        const auto holds = [&](const std::string& word) {
          return std::find(&t[first], &t[last] + 1, word) != &t[last] + 1;
        };
        const auto length = static_cast<double>(last - first + 1);
        if (!q.empty() && std::all_of(q.begin(), q.end(), holds) && (cover == 0 || length < cover)) cover = length;
      }
    }
    for (size_t a = 0; a < q.size(); ++a) {
      found += std::count(t.begin(), t.end(), q[a]) > 0;
      for (size_t b = a + 1; b < q.size(); ++b) {
        double distance = 1e9;
        for (size_t i = 0; i < t.size(); ++i)
          for (size_t k = 0; k < t.size(); ++k)
            if (t[i] == q[a] && t[k] == q[b])
              distance = std::min(distance, std::abs(static_cast<double>(i) - static_cast<double>(k)));
        if (distance == 1e9) continue;
        ++pairs;
        sum += distance;
        nearest = std::min(nearest, distance);
        farthest = std::max(farthest, distance);
      }
    }
    const auto n = static_cast<double>(t.size());
    const double none = found == 0 ? n + 1 : q.size() == 1 ? 0 : n;
    const auto measured = [&](const std::string& method) {
      return Numbers("overlap_feature { separator: ' ' method: '" + method + "' }", {query, title});
    };
    EXPECT_THAT(measured("proximity_min_cover"), ElementsAre(cover)) << query << " in " << title;
    EXPECT_THAT(measured("proximity_min_dist"), ElementsAre(pairs == 0 ? none : nearest)) << query << " in " << title;
    EXPECT_THAT(measured("proximity_max_dist"), ElementsAre(pairs == 0 ? none : farthest)) << query << " in " << title;
    EXPECT_THAT(measured("proximity_avg_dist"), ElementsAre(pairs == 0 ? none : sum / pairs))
        << query << " in " << title;
  }
}

}  // namespace
}  // namespace manygate::features
