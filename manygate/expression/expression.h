// SPDX-License-Identifier: Apache-2.0
// The expression language of features, docs/expressions.md: that of TorchEasyRec's expr_feature. An expression is parsed once
// and then evaluated row by row without allocating, from any number of threads, each with a workspace of its own.
//
//   const std::vector<std::string> names = {"u_age", "i_age"};
//   MG_ASSIGN_OR_RETURN(const Expression expression, Expression::Parse("u_age == i_age ? 1 : 0", names));
//   ExpressionWorkspace workspace;
//   std::vector<double> result;
//   const std::array<std::span<const double>, 2> row = {u_age, i_age};
//   expression.Evaluate(row, &workspace, &result);
#ifndef MANYGATE_EXPRESSION_EXPRESSION_H_
#define MANYGATE_EXPRESSION_EXPRESSION_H_

#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/expression/program.h"

namespace manygate {

// Memory of Evaluate. May be used for several expressions in turn, not by two threads at once.
class ExpressionWorkspace {
 private:
  friend class Expression;
  std::vector<double> scalars_;               // the stack where every variable is a scalar
  std::vector<Numbers> stack_;                // the stack otherwise: numbers of the caller, the program or buffers_
  std::vector<std::vector<double>> buffers_;  // what was computed for the same place of stack_
  std::vector<double> computed_;
  std::vector<double> arguments_;
};

class Expression {
 public:
  // variables: the names that the text may use. fill_missing: stands where the shorter of two vectors has no element.
  // InvalidInput: one clause without a full stop at its end that begins with the place, counted in characters from 1 (`at
  // character 7: found ")", expected a number, a variable, a function or "("`); of `variables`, one that names it (a name
  // that no expression can write, or twice the same).
  static StatusOr<Expression> Parse(std::string_view text, std::span<const std::string> variables,
                                    double fill_missing = std::numeric_limits<double>::quiet_NaN());

  // variables[i]: the numbers of variable i in this row: one is a scalar, several are a vector, none means missing.
  // *result likewise: missing (empty) where a variable that the text uses is missing, else one number or several.
  void Evaluate(std::span<const std::span<const double>> variables, ExpressionWorkspace* workspace,
                std::vector<double>* result) const;

  // Whether the text uses variable i.
  bool Uses(size_t i) const { return program_.uses[i]; }

 private:
  explicit Expression(Program program) : program_(std::move(program)) {}
  double EvaluateScalars(std::span<const std::span<const double>> variables, double* stack) const;
  void EvaluateVectors(std::span<const std::span<const double>> variables, ExpressionWorkspace* workspace,
                       std::vector<double>* result) const;
  // Replaces the `count` topmost entries of the stack, from `first` on, by the function's value for each element.
  void CallForEach(const Instruction& instruction, size_t first, ExpressionWorkspace* workspace) const;

  Program program_;
};

}  // namespace manygate

#endif  // MANYGATE_EXPRESSION_EXPRESSION_H_
