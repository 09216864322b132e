// SPDX-License-Identifier: Apache-2.0
// Runs the examples of docs/features.md: each table behind a configuration gives cells and the value that its last feature
// makes of them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "manygate/base/page_testing.h"
#include "manygate/base/text.h"
#include "manygate/config/feature_list.h"
#include "manygate/config/load.h"
#include "manygate/features/generated_column.h"

namespace manygate::features {
namespace {

struct Example {
  std::string config;
  std::vector<std::string> columns, cells;
  std::string value;
};

std::string WithSeparators(std::string text) {
  const std::string symbol = "␝";
  for (size_t at = text.find(symbol); at != std::string::npos; at = text.find(symbol))
    text.replace(at, symbol.size(), "\x1d");
  return text;
}

std::vector<std::string> CellsOf(const std::string& line) {
  std::vector<std::string> cells = CellsOfLine(line);
  for (std::string& cell : cells) cell = WithSeparators(cell);
  return cells;
}

std::string WithoutQuotes(const std::string& cell) {
  return cell.size() >= 2 && cell.front() == '`' && cell.back() == '`' ? cell.substr(1, cell.size() - 2) : cell;
}

std::vector<Example> ReadPage() {
  std::ifstream file(MANYGATE_SOURCE_DIR "/docs/features.md");
  EXPECT_TRUE(file.is_open());
  std::vector<Example> examples;
  Example example;
  bool in_config = false, in_table = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      in_config = !in_config;
      if (in_config) example.config.clear();
      continue;
    }
    if (in_config) example.config += line + "\n";
    const bool is_row = !in_config && line.starts_with("|") && !example.config.empty();
    if (!is_row) {
      if (in_table) example.config.clear();  // a table without a configuration before it is no example
      in_table = false;
      continue;
    }
    std::vector<std::string> cells = CellsOf(line);
    example.value = cells.back();
    cells.pop_back();
    if (!in_table) example.columns = cells;
    if (in_table && !line.starts_with("|---")) {
      for (std::string& cell : cells) cell = WithoutQuotes(cell);
      example.cells = cells;
      examples.push_back(example);
    }
    in_table = true;
  }
  return examples;
}

// "`a`, `b`", "1, 2" or "missing" in its parts.
std::vector<std::string> ValuesIn(const std::string& text) {
  std::vector<std::string> values;
  if (text == "missing") return values;
  for (const std::string& piece : Split(text, ',')) values.push_back(WithoutQuotes(std::string(Trim(piece))));
  return values;
}

std::vector<std::string> MadeBy(const CellMaker& maker, const std::vector<std::string_view>& cells) {
  GeneratorWorkspace workspace;
  if (!maker.makes_number()) {
    const std::string text(maker.MakeText(cells, &workspace));
    return text.empty() ? std::vector<std::string>{} : Split(text, kValueSeparator);
  }
  const float number = maker.MakeNumber(cells, &workspace);
  return std::isnan(number) ? std::vector<std::string>{} : std::vector<std::string>{fmt::format("{}", number)};
}

TEST(FeaturesPage, EveryExampleGivesTheValueThatStandsBesideIt) {
  const std::vector<Example> examples = ReadPage();
  ASSERT_GT(examples.size(), 100u);
  for (const Example& example : examples) {
    const auto loaded = config::LoadPipelineFromText("page.config", example.config);
    ASSERT_TRUE(loaded.ok()) << example.config << loaded.status().message();
    const std::vector<config::ListedFeature> features = config::ListFeatures(loaded->pipeline);
    ASSERT_EQ(features.size(), 1u) << example.config;
    ASSERT_TRUE(features[0].generator.has_value()) << example.config;
    const CellMaker maker(*features[0].generator);
    std::vector<std::string_view> cells;
    size_t given = 0;
    for (const config::GeneratorInput& input : maker.config().inputs()) {
      cells.push_back("");
      if (input.has_literal()) continue;
      ASSERT_LT(given, example.columns.size()) << example.config;
      EXPECT_EQ(input.column(), example.columns[given]) << example.config;
      cells.back() = example.cells[given++];
    }
    EXPECT_EQ(given, example.columns.size()) << example.config;
    EXPECT_EQ(MadeBy(maker, cells), ValuesIn(example.value)) << example.config << testing::PrintToString(example.cells);
  }
}

TEST(FeaturesPage, EveryKindHasAnExample) {
  std::set<std::string> shown;
  for (const Example& example : ReadPage()) {
    const auto loaded = config::LoadPipelineFromText("page.config", example.config);
    ASSERT_TRUE(loaded.ok());
    for (const config::ListedFeature& feature : config::ListFeatures(loaded->pipeline))
      shown.insert(feature.written->GetDescriptor()->name());
  }
  for (const char* kind : {"IdFeature", "RawFeature", "ComboFeature", "LookupFeature", "MatchFeature", "ExprFeature",
                           "OverlapFeature", "KvDotProduct", "BoolMaskFeature", "CombineFeature"}) {
    EXPECT_TRUE(shown.contains(kind)) << kind;
  }
}

}  // namespace
}  // namespace manygate::features
