// SPDX-License-Identifier: Apache-2.0
// Parses and evaluates what libFuzzer makes up as an expression. Beside the sanitizers' silence: an error names a character
// of the text; two evaluations agree, one with a workspace that has been used and one with a new one; a row of scalars
// gives the same number as the same row told to be vectors of one element each beside a vector that is not used.
//
//   build/fuzz/tests/expression_fuzz -max_total_time=60 -timeout=10 build/fuzz/corpus/expression tests/fuzz/corpus/expression
//
// The first byte of an input chooses how many numbers the variables a, b, c and d have, two bits each.
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/check.h"
#include "manygate/expression/expression.h"

namespace manygate {
namespace {

constexpr size_t kVariables = 4;

// So many numbers has a variable, by its two bits: missing, a scalar, two vectors.
constexpr std::array<size_t, 4> kSizes = {1, 3, 5, 0};
constexpr std::array<std::array<double, 5>, kVariables> kNumbers = {{
    {2, -3, 0.5, 1e9, 0},
    {-1.5, 4, 0, 7, -2e-7},
    {0, 1, 2, 3, 4},
    {1e300, -1e300, 3e18, 5, -0.25},
}};

bool Same(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

void CheckError(const std::string& message, std::string_view text) {
  constexpr std::string_view kPlace = "at character ";
  MG_CHECK(message.starts_with(kPlace), "names no character: {}", message);
  const size_t character = std::stoul(message.substr(kPlace.size()));
  MG_CHECK(character >= 1 && character <= text.size() + 1, "of {} bytes: {}", text.size(), message);
}

std::vector<double> Evaluate(const Expression& expression, std::span<const std::span<const double>> row,
                             ExpressionWorkspace* workspace) {
  std::vector<double> result;
  expression.Evaluate(row, workspace, &result);
  return result;
}

void CheckValues(const Expression& expression, uint8_t shapes, ExpressionWorkspace* used) {
  std::array<std::span<const double>, kVariables> row;
  bool missing = false;
  for (size_t i = 0; i < kVariables; ++i) {
    row[i] = std::span(kNumbers[i]).first(kSizes[shapes >> (2 * i) & 3]);
    missing = missing || (expression.Uses(i) && row[i].empty());
  }
  ExpressionWorkspace fresh;
  const std::vector<double> result = Evaluate(expression, row, used);
  MG_CHECK(result.empty() == missing && result.size() <= kNumbers[0].size(), "{} numbers", result.size());
  MG_CHECK(Same(result, Evaluate(expression, row, &fresh)), "another result with a new workspace, {} numbers",
           result.size());
}

// The path for scalars must agree with the one for vectors, whose elements do not know of each other.
void CheckElements(std::string_view text, const Expression& alone) {
  const std::array<std::string, kVariables> names = {"a", "b", "c", "d"};
  const std::string widened = "(" + std::string(text) + ") + wide";
  std::vector<std::string> more(names.begin(), names.end());
  more.emplace_back("wide");
  const StatusOr<Expression> beside = Expression::Parse(widened, more);
  if (!beside.ok()) return;
  std::array<std::span<const double>, kVariables + 1> row;
  for (size_t i = 0; i < kVariables; ++i) row[i] = std::span(kNumbers[i]).first(1);
  constexpr std::array<double, 2> kZeros = {0, 0};
  row[kVariables] = kZeros;
  ExpressionWorkspace workspace;
  const std::vector<double> one = Evaluate(alone, std::span(row).first(kVariables), &workspace);
  const std::vector<double> both = Evaluate(*beside, row, &workspace);
  MG_CHECK(one.size() == 1 && both.size() == 2, "{} and {} numbers", one.size(), both.size());
  for (const double value : both) {
    MG_CHECK(value == one[0] || (value != value && one[0] != one[0]), "{} alone, {} beside a vector", one[0], value);
  }
}

}  // namespace
}  // namespace manygate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static manygate::ExpressionWorkspace used;
  static const std::vector<std::string> names = {"a", "b", "c", "d"};
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const manygate::StatusOr<manygate::Expression> expression = manygate::Expression::Parse(text, names, 0.5);
  if (!expression.ok()) {
    manygate::CheckError(expression.status().message(), text);
    return 0;
  }
  manygate::CheckValues(*expression, data[0], &used);
  manygate::CheckElements(text, *expression);
  return 0;
}
