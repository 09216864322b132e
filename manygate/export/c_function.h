// SPDX-License-Identifier: Apache-2.0
// The code of an exported C function: what computes the outputs of one row from its fields.
//
//   MG_ASSIGN_OR_RETURN(const CFunction function, WriteCFunction(program, names, true));
#ifndef MANYGATE_EXPORT_C_FUNCTION_H_
#define MANYGATE_EXPORT_C_FUNCTION_H_

#include <string>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/graph/tensor_program.h"

namespace manygate {

// The fields of the structs, by input and output of the program.
struct CNames {
  std::vector<std::string> fields, results;
};

// body reads `row`, writes `result`, returns 1 + the index of an input that is wrong, and falls through at its end. It calls
// kCFunctions (c_text.h).
struct CFunction {
  std::string constants;     // static arrays
  std::string declarations;  // of the body's variables
  std::string body;
};

// trim_blanks: whether texts are read without the blanks around them. InvalidInput: a vocabulary with a text that C cannot
// hold.
StatusOr<CFunction> WriteCFunction(const TensorProgram& program, const CNames& names, bool trim_blanks);

}  // namespace manygate

#endif  // MANYGATE_EXPORT_C_FUNCTION_H_
