// SPDX-License-Identifier: Apache-2.0
// Tables with a planted fault, for the tests of this folder.
//
//   PlantedTable table = CleanTable();
//   table.Add("paid", [](const Row& row) { return row.click ? "1" : "0"; });
//   table.features += Raw("paid");
//   EXPECT_THAT(Lines(table), ElementsAre(HasSubstr("gives label \"click\" away")));
#ifndef MANYGATE_CHECK_CHECK_TESTING_H_
#define MANYGATE_CHECK_CHECK_TESTING_H_

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "manygate/base/thread_pool.h"
#include "manygate/check/check.h"
#include "manygate/config/load.h"
#include "manygate/config/resolve.h"
#include "manygate/config/validate.h"
#include "manygate/data/test_files.h"

namespace manygate::check {

// What a value is made from: the row's number from 0, something random, and the labels.
struct Row {
  int number = 0;
  uint32_t random = 0;
  bool click = false, buy = false;
};

struct PlantedTable {
  using Value = std::function<std::string(const Row&)>;
  std::vector<std::pair<std::string, Value>> columns;
  std::string features, data_config, towers, model = "shared_bottom";
  int rows = 1000;
  uint32_t seed = 1;
  int repeats = 1;        // how often the rows are written
  int repeated_rows = 0;  // how many rows are written once more at the end
  bool sort_by_click = false;

  void Add(const std::string& name, Value value) { columns.emplace_back(name, std::move(value)); }
  void Set(const std::string& name, Value value) {
    for (auto& column : columns)
      if (column.first == name) column.second = std::move(value);
  }

  Row RowOf(int number) const {
    Row row{.number = number, .random = (static_cast<uint32_t>(number) + seed * 100'003u) * 2654435761u >> 8};
    row.click = row.random % 5 == 0;
    row.buy = row.click && row.random % 3 == 0;
    return row;
  }

  std::string Text() const {
    std::string text;
    for (const auto& [name, value] : columns) text += (text.empty() ? "" : ",") + name;
    text += "\n";
    const auto add = [&](const Row& row) {
      std::string line;
      for (const auto& [name, value] : columns) line += (line.empty() ? "" : ",") + value(row);
      text += line + "\n";
    };
    std::vector<Row> all;
    for (int number = 0; number < rows; ++number) all.push_back(RowOf(number));
    if (sort_by_click)
      std::stable_sort(all.begin(), all.end(), [](const Row& a, const Row& b) { return a.click < b.click; });
    for (int time = 0; time < repeats; ++time)
      for (const Row& row : all) add(row);
    for (int number = 0; number < repeated_rows; ++number) add(all[static_cast<size_t>(number)]);
    return text;
  }
};

inline std::string Id(const std::string& column, const std::string& more = "") {
  return fmt::format("feature_configs {{ id_feature {{ feature_name: \"{}\" embedding_dim: 4 {} }} }}\n", column, more);
}
inline std::string Raw(const std::string& column, const std::string& more = "transform { standardise: true }") {
  return fmt::format("feature_configs {{ raw_feature {{ feature_name: \"{}\" {} }} }}\n", column, more);
}

// Two features, three more columns and two labels, nothing wrong with them; the features stand from line 4 on.
inline PlantedTable CleanTable(uint32_t seed = 1) {
  PlantedTable table;
  table.seed = seed;
  table.Add("city", [](const Row& row) { return "city " + std::to_string(row.random / 7 % 20); });
  table.Add("device", [](const Row& row) { return row.random / 11 % 2 ? "phone" : "desk"; });
  table.Add("age", [](const Row& row) { return fmt::format("{}.5", 18 + row.random / 13 % 60); });
  table.Add("height",
            [](const Row& row) { return fmt::format("{}.{}", 150 + row.random / 17 % 40, row.random / 19 % 10); });
  table.Add("click", [](const Row& row) { return row.click ? "1" : "0"; });
  table.Add("buy", [](const Row& row) { return row.buy ? "1" : "0"; });
  table.features = Id("city") + Id("device") + Raw("age") + Raw("height");
  table.towers = R"(task_towers { label_name: "click" } task_towers { label_name: "buy" })";
  return table;
}

// One text per finding: "<severity> <where> <what>. <remedy>". evaluation: its columns and rows alone count.
inline std::vector<std::string> Lines(const PlantedTable& table, const PlantedTable* evaluation) {
  const TestFolder folder;
  const std::string paths = evaluation == nullptr ? ""
                                                  : fmt::format("eval_input_path: \"{}\"",
                                                                folder.Write("evaluation.csv", evaluation->Text()));
  const std::string text = fmt::format(
      "train_input_path: \"{}\" {}\n"
      "data_config {{ with_header: true split {{ validation_fraction: {} }} {} }}\n"
      "model_config {{ {} {{ {} {} }} }}\n{}",
      folder.Write("train.csv", table.Text()), paths, evaluation == nullptr ? 0.2 : 0.0, table.data_config, table.model,
      "bottom_mlp { hidden_units: 8 }", table.towers, table.features);
  auto loaded = config::LoadPipelineFromText("test.config", text);
  EXPECT_TRUE(loaded.ok()) << loaded.status().message();
  if (const Status valid = config::ValidatePipeline(*loaded); !valid.ok()) return {"invalid " + valid.message()};
  config::ResolveDefaults(&loaded->pipeline);
  ThreadPool pool(2);
  const auto findings = CheckData(*loaded, pool, "");
  if (!findings.ok()) return {"status " + findings.status().message()};
  std::vector<std::string> lines;
  for (const Finding& finding : *findings)
    lines.push_back(
        fmt::format("{} {} {}. {}", SeverityName(finding.severity), finding.where, finding.what, finding.remedy));
  return lines;
}
inline std::vector<std::string> Lines(const PlantedTable& table) { return Lines(table, nullptr); }
inline std::vector<std::string> Lines(const PlantedTable& table, const PlantedTable& evaluation) {
  return Lines(table, &evaluation);
}

}  // namespace manygate::check

#endif  // MANYGATE_CHECK_CHECK_TESTING_H_
