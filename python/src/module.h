// SPDX-License-Identifier: Apache-2.0
// The parts of manygate._core, which python/manygate/_core.pyi describes; each adds its own to the module. All of it is
// called with the GIL unless it says otherwise.
#ifndef MANYGATE_PYTHON_MODULE_H_
#define MANYGATE_PYTHON_MODULE_H_

#include <nanobind/nanobind.h>

namespace manygate::python {

void AddCalls(nanobind::module_& module);        // calls.cc
void AddErrors(nanobind::module_& module);       // errors.cc
void AddMemoryTable(nanobind::module_& module);  // memory_table.cc
void AddPredictor(nanobind::module_& module);    // predictor.cc
void AddProgram(nanobind::module_& module);      // program.cc

}  // namespace manygate::python

#endif  // MANYGATE_PYTHON_MODULE_H_
