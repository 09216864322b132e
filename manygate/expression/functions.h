// SPDX-License-Identifier: Apache-2.0
// The functions and operators of expressions. To add a function: one line in kFunctions (functions.cc) and one in the
// tables of docs/expressions.md, whose examples the tests run.
#ifndef MANYGATE_EXPRESSION_FUNCTIONS_H_
#define MANYGATE_EXPRESSION_FUNCTIONS_H_

#include <cstddef>
#include <span>
#include <string_view>

namespace manygate {

// Numbers that somebody else owns; never none.
struct Numbers {
  const double* data = nullptr;
  size_t size = 0;

  // Element i where the longest vector goes on to i: a scalar stands for all elements, a shorter vector ends in `fill`.
  double At(size_t i, double fill) const { return size == 1 ? data[0] : i < size ? data[i] : fill; }
};

// One number of `count` numbers; applied to vectors element by element.
using ScalarFunction = double (*)(const double* values, size_t count);
// One number of whole vectors. `fill` stands where the shorter of two has no element.
using VectorFunction = double (*)(const Numbers* vectors, double fill);

inline constexpr size_t kAnyNumber = static_cast<size_t>(-1);

struct Function {
  std::string_view name;
  std::string_view parameters;  // for messages: "x, digits"
  size_t count;                 // of arguments; kAnyNumber: one or more
  ScalarFunction scalar;        // of the two one is set
  VectorFunction vector;
};
std::span<const Function> Functions();

// Binary operators, left-associative but for "^", which the parser treats by itself; a higher precedence binds tighter.
struct BinaryOperator {
  std::string_view text;
  int precedence;
  ScalarFunction function;
};
inline constexpr int kLowestPrecedence = 1;
std::span<const BinaryOperator> BinaryOperators();

double Power(const double* values, size_t count);   // x ^ y
double Negate(const double* values, size_t count);  // -x
double Not(const double* values, size_t count);     // !x: 1 for 0, 0 for other numbers, NaN for NaN
double Choose(const double* values, size_t count);  // c ? x : y; NaN where c is NaN

}  // namespace manygate

#endif  // MANYGATE_EXPRESSION_FUNCTIONS_H_
