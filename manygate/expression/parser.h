// SPDX-License-Identifier: Apache-2.0
// Compiles an expression by recursive descent, one function per line of the grammar in docs/expressions.md.
#ifndef MANYGATE_EXPRESSION_PARSER_H_
#define MANYGATE_EXPRESSION_PARSER_H_

#include <span>
#include <string>
#include <string_view>

#include "manygate/base/status.h"
#include "manygate/expression/program.h"

namespace manygate {

// Deeper parentheses, calls, "?", "^" and signs in front, taken together, are refused: the parser calls itself for each.
inline constexpr size_t kMostNested = 256;
inline constexpr size_t kMostExpressionBytes = 64 * 1024;

// As Expression::Parse.
StatusOr<Program> ParseProgram(std::string_view text, std::span<const std::string> variables, double fill_missing);

}  // namespace manygate

#endif  // MANYGATE_EXPRESSION_PARSER_H_
