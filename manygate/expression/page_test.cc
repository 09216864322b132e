// SPDX-License-Identifier: Apache-2.0
// Runs the examples of docs/expressions.md: every row of its tables whose last two cells are `expression` and a result, or
// `expression` and a `message`.
#include <gmock/gmock.h>
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
#include "manygate/expression/expression_testing.h"
#include "manygate/expression/functions.h"

namespace manygate {
namespace {

struct Example {
  std::string first;  // the first cell of its row
  std::string text;
  std::string result;
};

struct Page {
  NamedNumbers variables;
  std::vector<Example> examples;
};

std::optional<std::string> Code(const std::string& cell) {
  if (cell.size() < 3 || cell.front() != '`' || cell.back() != '`') return std::nullopt;
  return cell.substr(1, cell.size() - 2);
}

std::vector<double> NumbersIn(const std::string& text) {
  std::vector<double> numbers;
  if (Trim(text).empty() || text == "missing") return numbers;
  for (const std::string& piece : Split(text, ',')) {
    const std::string number(Trim(piece));
    char* end = nullptr;
    numbers.push_back(std::strtod(number.c_str(), &end));
    EXPECT_EQ(*end, '\0') << text;
  }
  return numbers;
}

Page ReadPage() {
  std::ifstream file(MANYGATE_SOURCE_DIR "/docs/expressions.md");
  EXPECT_TRUE(file.is_open());
  Page page;
  int fences = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) ++fences;
    const size_t equals = line.find(" =");
    if (fences == 1 && equals != std::string::npos) {
      page.variables.emplace_back(line.substr(0, equals), NumbersIn(line.substr(equals + 2)));
    }
    if (!line.starts_with("|")) continue;
    const std::vector<std::string> cells = CellsOfLine(line);
    const std::optional<std::string> text = Code(cells[cells.size() - 2]);
    if (text) page.examples.push_back({Code(cells[0]).value_or(""), *text, cells.back()});
  }
  return page;
}

bool Agree(double value, double expected) {
  if (std::isnan(expected)) return std::isnan(value);
  return value == expected || std::abs(value - expected) <= 1e-9 * std::max(1.0, std::abs(expected));
}

void ExpectMessage(const Example& example, const NamedNumbers& variables, const std::string& message) {
  std::vector<std::string> names;
  for (const auto& [name, numbers] : variables) names.push_back(name);
  const StatusOr<Expression> expression = Expression::Parse(example.text, names);
  ASSERT_FALSE(expression.ok()) << example.text;
  EXPECT_EQ(expression.status().message(), message) << example.text;
}

TEST(PageTest, EveryExampleGivesTheResultThatStandsBesideIt) {
  const Page page = ReadPage();
  ASSERT_EQ(page.variables.size(), 7u);
  ASSERT_GT(page.examples.size(), 100u);
  for (const Example& example : page.examples) {
    if (const std::optional<std::string> message = Code(example.result)) {
      ExpectMessage(example, page.variables, *message);
      continue;
    }
    const std::vector<double> values = Values(example.text, page.variables);
    const std::vector<double> expected = NumbersIn(example.result);
    ASSERT_EQ(values.size(), expected.size()) << example.text;
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_TRUE(Agree(values[i], expected[i])) << example.text << ": " << values[i] << ", not " << expected[i];
    }
  }
}

TEST(PageTest, EveryFunctionAndOperatorHasAnExampleThatUsesIt) {
  const Page page = ReadPage();
  std::set<std::string> shown;
  for (const Example& example : page.examples) {
    const std::string name = example.first.substr(0, example.first.find('('));
    if (example.first != example.text && example.text.find(name) != std::string::npos) shown.insert(name);
  }
  for (const Function& function : Functions()) EXPECT_TRUE(shown.contains(std::string(function.name))) << function.name;
  for (const BinaryOperator& binary : BinaryOperators()) {
    EXPECT_TRUE(shown.contains(std::string(binary.text))) << binary.text;
  }
}

}  // namespace
}  // namespace manygate
