// SPDX-License-Identifier: Apache-2.0
// MemoryTable of _core.pyi: manygate::MemoryTable, filled from objects of Python.
#ifndef MANYGATE_PYTHON_MEMORY_TABLE_H_
#define MANYGATE_PYTHON_MEMORY_TABLE_H_

#include <nanobind/nanobind.h>

#include <memory>
#include <string>
#include <vector>

#include "manygate/data/memory_table.h"

namespace manygate::python {

class PythonTable {
 public:
  explicit PythonTable(const std::string& name) : table_(MemoryTable::Make(name)) {}

  const MemoryTable& table() const { return *table_; }
  std::vector<std::string> Columns() const;

  // Errors: as TakeStream and MemoryTable::Add.
  void AddStream(nanobind::handle source);
  // values: with the buffer protocol, as a numpy array has it. They are kept, not copied, and must not be written to
  // while the table lives. TypeError: not one-dimensional, contiguous and aligned, or not of a type that Arrow has.
  void AddNumbers(const std::string& name, nanobind::handle values);
  // values: texts, None where one is missing; copied. TypeError: something else among them.
  void AddTexts(const std::string& name, nanobind::handle values);

 private:
  std::shared_ptr<MemoryTable> table_;
};

}  // namespace manygate::python

#endif  // MANYGATE_PYTHON_MEMORY_TABLE_H_
