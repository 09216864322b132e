// SPDX-License-Identifier: Apache-2.0
// Values in JSON as cells of a row. A whole number (no point, no exponent) is taken as its digits, so that ids stay exact;
// any other becomes the number nearest to its text. true and false are 1 and 0, null is missing.
#ifndef MANYGATE_SERVE_JSON_CELLS_H_
#define MANYGATE_SERVE_JSON_CELLS_H_

#include <cstdint>
#include <string>

#include "manygate/features/cell.h"
#include "manygate/predictor/predictor.h"
#include "manygate/serve/json_document.h"
#include "manygate/serve/tensor_values.h"

namespace manygate::serve {

// Of a tensor with a datatype; the cell equals that of the same value in binary. False, and why as a clause behind the
// value: a text where numbers are wanted (FP16 to FP64: but "NaN", which is missing), a fraction or too large a number
// where whole ones are wanted.
bool TypedCell(const JsonScalar& scalar, Datatype datatype, features::Cell* cell, std::string* problem);

// Without a datatype (TensorFlow Serving). number: whether the column is one of numbers.
bool UntypedCell(const JsonScalar& scalar, bool number, features::Cell* cell, std::string* problem);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_JSON_CELLS_H_
