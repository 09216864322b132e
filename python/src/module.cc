// SPDX-License-Identifier: Apache-2.0
#include "python/src/module.h"

#include "manygate/base/version.h"

NB_MODULE(_core, module) {
  // Tables may be alive when the interpreter ends, in globals and in caches; that is no leak.
  nanobind::set_leak_warnings(false);
  module.attr("__version__") = manygate::kProgramVersion;
  manygate::python::AddErrors(module);
  manygate::python::AddCalls(module);
  manygate::python::AddMemoryTable(module);
  manygate::python::AddPredictor(module);
  manygate::python::AddProgram(module);
}
