// SPDX-License-Identifier: Apache-2.0
// For the tests of expressions: evaluates a text with variables by name.
//
//   EXPECT_THAT(Values("a + 1", {{"a", {1, 2}}}), ElementsAre(2, 3));
#ifndef MANYGATE_EXPRESSION_EXPRESSION_TESTING_H_
#define MANYGATE_EXPRESSION_EXPRESSION_TESTING_H_

#include <gtest/gtest.h>

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manygate/expression/expression.h"

namespace manygate {

using NamedNumbers = std::vector<std::pair<std::string, std::vector<double>>>;

inline std::vector<double> Values(std::string_view text, const NamedNumbers& variables = {},
                                  double fill_missing = std::numeric_limits<double>::quiet_NaN()) {
  std::vector<std::string> names;
  std::vector<std::span<const double>> row;
  for (const auto& [name, numbers] : variables) {
    names.push_back(name);
    row.emplace_back(numbers);
  }
  const StatusOr<Expression> expression = Expression::Parse(text, names, fill_missing);
  if (!expression.ok()) {
    ADD_FAILURE() << text << ": " << expression.status().message();
    return {};
  }
  ExpressionWorkspace workspace;
  std::vector<double> result = {-777};
  expression->Evaluate(row, &workspace, &result);
  return result;
}

// The value of an expression that gives one number.
inline double Value(std::string_view text, const NamedNumbers& variables = {}) {
  const std::vector<double> values = Values(text, variables);
  EXPECT_EQ(values.size(), 1u) << text;
  return values.size() == 1 ? values[0] : -777;
}

}  // namespace manygate

#endif  // MANYGATE_EXPRESSION_EXPRESSION_TESTING_H_
