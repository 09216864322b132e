// SPDX-License-Identifier: Apache-2.0
// What an expression is compiled to: instructions for a machine with a stack, in the order of their execution.
//   "a + 2 * b"  ->  variable a, constant 2, variable b, call multiply 2, call add 2
#ifndef MANYGATE_EXPRESSION_PROGRAM_H_
#define MANYGATE_EXPRESSION_PROGRAM_H_

#include <cstddef>
#include <vector>

#include "manygate/expression/functions.h"

namespace manygate {

struct Instruction {
  enum class Kind { kConstant, kVariable, kScalarFunction, kVectorFunction };
  Kind kind = Kind::kConstant;
  double constant = 0;              // kConstant
  size_t variable = 0;              // kVariable
  size_t count = 0;                 // functions: so many entries of the stack become one
  ScalarFunction scalar = nullptr;  // kScalarFunction
  VectorFunction vector = nullptr;  // kVectorFunction
};

struct Program {
  std::vector<Instruction> instructions;  // leave one entry on the stack
  std::vector<bool> uses;                 // [variables]
  size_t stack_size = 0;                  // entries at most
  size_t most_arguments = 0;              // of one function
  double fill_missing = 0;
};

}  // namespace manygate

#endif  // MANYGATE_EXPRESSION_PROGRAM_H_
