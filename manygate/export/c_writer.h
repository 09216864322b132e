// SPDX-License-Identifier: Apache-2.0
// A program of tensor operations as one C99 source file that needs nothing but the C library: for small models.
//
//   MG_ASSIGN_OR_RETURN(const std::string source, WriteC(program, {.name = "census", .model = "mmoe"}));
//
// The file holds the structs census_row (a text or number per column) and census_result (an array per output), and
//   int census_predict(const census_row *row, census_result *result);
// which scores one row, allocates nothing and may be called by several threads at once. With -DCENSUS_MAIN it is a program
// that scores rows of its standard input. The comment at its top says how to compile and call it.
#ifndef MANYGATE_EXPORT_C_WRITER_H_
#define MANYGATE_EXPORT_C_WRITER_H_

#include <string>

#include "manygate/base/status.h"
#include "manygate/config/pipeline.pb.h"
#include "manygate/graph/tensor_program.h"

namespace manygate {

struct CChoice {
  std::string name;         // of the functions and structs: an identifier
  std::string model;        // of the model in the configuration; stands in a comment
  bool trim_blanks = true;  // whether texts are read without the blanks around them
};

// Whether the model's data are read so.
StatusOr<bool> TrimsBlanks(const config::Pipeline& pipeline);

// InvalidInput: a name that is no identifier; a model whose source would be larger than 64 MB; a vocabulary with a text that
// C cannot hold (a NUL byte).
StatusOr<std::string> WriteC(const TensorProgram& program, const CChoice& choice);

}  // namespace manygate

#endif  // MANYGATE_EXPORT_C_WRITER_H_
