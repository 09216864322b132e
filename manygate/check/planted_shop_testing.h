// SPDX-License-Identifier: Apache-2.0
// A shop's table with one fault at a time.
//
//   const Fault kFaults[] = {{"an empty column", [](Tables& t) { ... }, {"warning", "feature \"fax\" is missing"}}};
//   for (const Fault& fault : kFaults) ExpectNamedAlone(fault);
#ifndef MANYGATE_CHECK_PLANTED_SHOP_TESTING_H_
#define MANYGATE_CHECK_PLANTED_SHOP_TESTING_H_

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "manygate/check/check_testing.h"

namespace manygate::check {

using Value = PlantedTable::Value;

// A number from 0 that depends on the row and on `what` alone.
inline uint32_t Draw(const Row& row, uint32_t what) {
  uint64_t x = row.random + 0x9e3779b97f4a7c15ull * (what + 1);
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return static_cast<uint32_t>((x ^ (x >> 31)) >> 33);
}

inline double Price(const Row& row) { return 1 + Draw(row, 5) % 100'000 / 100.0; }
// What a row's customer spends: 0 for most.
inline double Spend(const Row& row) { return Draw(row, 7) % 4 == 0 ? 5 + Draw(row, 8) % 300 : 0; }

// 3,000 rows (of the evaluation file 1,000) of customers who look at items: ids, numbers, categories, a day, and three
// labels. Nothing is wrong with it. Features from line 4 on: user, item, city, device, age, price, visits.
inline PlantedTable Shop(uint32_t seed, int rows) {
  PlantedTable table;
  table.seed = seed;
  table.rows = rows;
  table.Add("user", [](const Row& row) { return fmt::format("u{}", Draw(row, 1) % 100); });
  table.Add("item", [](const Row& row) { return fmt::format("i{}", Draw(row, 2) % 150); });
  table.Add("city", [](const Row& row) { return fmt::format("Town {}", Draw(row, 3) % 20); });
  table.Add("device", [](const Row& row) { return std::vector{"phone", "desk", "pad"}[Draw(row, 4) % 3]; });
  table.Add("age", [](const Row& row) { return std::to_string(18 + Draw(row, 6) % 60); });
  table.Add("price", [](const Row& row) { return fmt::format("{:.2f}", Price(row)); });
  table.Add("visits", [](const Row& row) {
    return Draw(row, 9) % 10 == 0 ? "" : std::to_string(static_cast<int>(std::sqrt(Draw(row, 10) % 900)));
  });
  table.Add("day", [](const Row& row) { return fmt::format("2024-03-{:02}", 1 + Draw(row, 11) % 28); });
  table.Add("click", [](const Row& row) { return row.click ? "1" : "0"; });
  table.Add("buy", [](const Row& row) { return row.buy ? "1" : "0"; });
  table.Add("spend", [](const Row& row) { return fmt::format("{:g}", Spend(row)); });
  table.features = Id("user") + Id("item") + Id("city") + Id("device") + Raw("age") + Raw("price") + Raw("visits");
  table.towers = R"(task_towers { label_name: "click" } task_towers { label_name: "buy" }
                    task_towers { label_name: "spend" losses { l2_loss { standardise: true } } })";
  return table;
}

struct Tables {
  PlantedTable train = Shop(1, 3000), evaluation = Shop(7, 1000);
  bool one_file = false;  // hold rows of the training file out

  void Add(const std::string& name, Value value, const std::string& feature) {
    train.Add(name, value);
    evaluation.Add(name, std::move(value));
    train.features += feature;
  }
  void Set(const std::string& name, const Value& value) {
    train.Set(name, value);
    evaluation.Set(name, value);
  }
  void SetFeature(const std::string& before, const std::string& after) {
    const size_t at = train.features.find(before);
    ASSERT_NE(at, std::string::npos) << before;
    train.features.replace(at, before.size(), after);
  }
};

inline Value Old(const PlantedTable& table, const std::string& name) {
  for (const auto& [column, value] : table.columns)
    if (column == name) return value;
  ADD_FAILURE() << name;
  return {};
}

struct Fault {
  std::string name;
  std::function<void(Tables&)> plant;
  std::vector<std::string> says;       // all in one finding
  std::vector<std::string> also = {};  // parts of further findings that may be there
};

inline void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

inline constexpr const char* kSpread = "transform { log1p: true standardise: true }";

// check names the fault once, and nothing else but what may be there too.
inline void ExpectNamedAlone(const Fault& fault) {
  SCOPED_TRACE(fault.name);
  Tables tables;
  fault.plant(tables);
  const std::vector<std::string> lines = tables.one_file ? Lines(tables.train) : Lines(tables.train, tables.evaluation);
  int named = 0;
  for (const std::string& line : lines) {
    const auto has = [&line](const std::string& part) { return line.find(part) != std::string::npos; };
    if (std::all_of(fault.says.begin(), fault.says.end(), has)) {
      ++named;
    } else {
      EXPECT_TRUE(std::any_of(fault.also.begin(), fault.also.end(), has)) << "not asked for: " << line;
    }
  }
  EXPECT_EQ(named, 1) << testing::PrintToString(lines);
}

inline std::string TestName(const testing::TestParamInfo<Fault>& info) {
  std::string name = std::to_string(info.index);
  for (const char c : info.param.name) name += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

}  // namespace manygate::check

#endif  // MANYGATE_CHECK_PLANTED_SHOP_TESTING_H_
