// SPDX-License-Identifier: Apache-2.0
// Status to Python: manygate.InvalidInput (a ValueError) and manygate.Failed (a RuntimeError).
//
//   RaiseIfWrong(table->Add(stream));
//   throw WrongType("found a list; expected a text");     // TypeError
#ifndef MANYGATE_PYTHON_ERRORS_H_
#define MANYGATE_PYTHON_ERRORS_H_

#include <nanobind/nanobind.h>

#include <string>
#include <string_view>

#include "manygate/base/status.h"

namespace manygate::python {

// What of `text` is not UTF-8 (file names, cells of a file) becomes U+FFFD.
nanobind::str DecodeText(std::string_view text);

// Throws python_error. `type`: a class of exceptions.
[[noreturn]] void Raise(nanobind::handle type, std::string_view message);
void RaiseIfWrong(const Status& status);
nanobind::builtin_exception WrongType(const std::string& message);

// str(object).
std::string Written(nanobind::handle object);

// "list", "pandas.core.frame.DataFrame": what the user passed, for messages.
std::string TypeName(nanobind::handle object);

}  // namespace manygate::python

#endif  // MANYGATE_PYTHON_ERRORS_H_
