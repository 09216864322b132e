// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/normalizer.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "manygate/base/text.h"

namespace manygate::config {
namespace {

struct Method {
  std::string_view name;
  Normalizer::Kind kind;
  std::string_view first, second;  // names of its numbers
  double first_default, second_default;
};

constexpr std::array<Method, 3> kMethods = {{{"log10", Normalizer::Kind::kLog10, "threshold", "default", 1e-10, -10},
                                             {"zscore", Normalizer::Kind::kZScore, "mean", "standard_deviation", 0, 1},
                                             {"minmax", Normalizer::Kind::kMinMax, "min", "max", 0, 1}}};

constexpr std::string_view kExpressionStart = "expr=";

StatusOr<double> ParseNumber(std::string_view name, std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(number)) return number;
  return InvalidInput(fmt::format("{} is \"{}\", expected a number", name, text));
}

// "expr=" takes all that follows: an expression may hold commas.
StatusOr<Normalizer> ParseExpression(std::string_view rest) {
  if (!rest.starts_with(kExpressionStart))
    return InvalidInput("method=expression needs expr=... behind it, such as method=expression,expr=log(1+x)");
  const std::vector<std::string> names = {"x"};
  Normalizer normalizer;
  normalizer.kind = Normalizer::Kind::kExpression;
  StatusOr<Expression> expression = Expression::Parse(rest.substr(kExpressionStart.size()), names);
  if (!expression.ok()) return InvalidInput("expr: " + expression.status().message());
  normalizer.expression = *std::move(expression);
  return normalizer;
}

StatusOr<Normalizer> ParseNumbers(const Method& method, std::string_view rest) {
  Normalizer normalizer;
  normalizer.kind = method.kind;
  normalizer.first = method.first_default;
  normalizer.second = method.second_default;
  while (!rest.empty()) {
    const size_t end = rest.find(',');
    const std::string_view part = Trim(rest.substr(0, end));
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    const size_t equals = part.find('=');
    const std::string_view name = Trim(part.substr(0, equals));
    if (equals == std::string_view::npos || (name != method.first && name != method.second)) {
      const std::vector<std::string> parts = {std::string(method.first), std::string(method.second)};
      return InvalidInput(
          fmt::format("\"{}\" is no part of method={}. {}", part, method.name, Suggestion(name, parts, "Parts")));
    }
    MG_ASSIGN_OR_RETURN((name == method.first ? normalizer.first : normalizer.second),
                        ParseNumber(name, Trim(part.substr(equals + 1))));
  }
  if (method.kind == Normalizer::Kind::kZScore && normalizer.second == 0)
    return InvalidInput("standard_deviation is 0: nothing can be divided by it");
  if (method.kind == Normalizer::Kind::kMinMax && normalizer.second == normalizer.first)
    return InvalidInput(fmt::format("min and max are both {}: they must differ", normalizer.first));
  return normalizer;
}

}  // namespace

StatusOr<Normalizer> ParseNormalizer(std::string_view text) {
  const size_t end = text.find(',');
  const std::string_view head = Trim(text.substr(0, end));
  const std::string_view rest = end == std::string_view::npos ? "" : Trim(text.substr(end + 1));
  constexpr std::string_view kMethodStart = "method=";
  if (!head.starts_with(kMethodStart))
    return InvalidInput("expected it to begin with method=log10, zscore, minmax or expression");
  const std::string_view name = Trim(head.substr(kMethodStart.size()));
  if (name == "expression") return ParseExpression(rest);
  for (const Method& method : kMethods)
    if (method.name == name) return ParseNumbers(method, rest);
  const std::vector<std::string> methods = {"log10", "zscore", "minmax", "expression"};
  return InvalidInput(fmt::format("method \"{}\" is unknown. {}", name, Suggestion(name, methods, "Methods")));
}

}  // namespace manygate::config
