// SPDX-License-Identifier: Apache-2.0
#include "python/src/errors.h"

#include <fmt/format.h>
#include <nanobind/stl/string.h>

#include "python/src/module.h"

namespace nb = nanobind;

namespace manygate::python {
namespace {

// Alive as long as the module, which is never unloaded.
PyObject* invalid_input = nullptr;
PyObject* failed = nullptr;

// Named after the package, from which users import it and in which pickle looks for it.
PyObject* AddError(nb::module_& module, const char* name, const char* meaning, PyObject* base) {
  const std::string full_name = fmt::format("manygate.{}", name);
  PyObject* const type = PyErr_NewExceptionWithDoc(full_name.c_str(), meaning, base, nullptr);
  if (type == nullptr) throw nb::python_error();
  module.attr(name) = nb::handle(type);
  return type;
}

}  // namespace

void AddErrors(nb::module_& module) {
  invalid_input = AddError(module, "InvalidInput",
                           "The input is wrong: arguments, configuration, data, model directory.", PyExc_ValueError);
  failed = AddError(module, "Failed", "The run failed: disk, divergence, memory.", PyExc_RuntimeError);
}

nb::str DecodeText(std::string_view text) {
  PyObject* const decoded = PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace");
  if (decoded == nullptr) throw nb::python_error();
  return nb::steal<nb::str>(decoded);
}

void Raise(nb::handle type, std::string_view message) {
  PyErr_SetObject(type.ptr(), DecodeText(message).ptr());
  throw nb::python_error();
}

void RaiseIfWrong(const Status& status) {
  if (status.ok()) return;
  Raise(status.code() == StatusCode::kInvalidInput ? invalid_input : failed, status.message());
}

nb::builtin_exception WrongType(const std::string& message) { return nb::type_error(message.c_str()); }

std::string Written(nb::handle object) {
  const nb::object text = nb::steal(PyObject_Str(object.ptr()));
  if (!text.is_valid()) throw nb::python_error();
  return nb::cast<std::string>(text);
}

std::string TypeName(nb::handle object) {
  const nb::handle type = object.type();
  const std::string module = Written(type.attr("__module__"));
  const std::string name = Written(type.attr("__qualname__"));
  return module == "builtins" ? name : module + "." + name;
}

}  // namespace manygate::python
