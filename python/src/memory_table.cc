// SPDX-License-Identifier: Apache-2.0
#include "python/src/memory_table.h"

#include <fmt/format.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "manygate/base/status.h"
#include "manygate/data/arrow_type.h"
#include "python/src/arrow_stream.h"
#include "python/src/calls.h"
#include "python/src/errors.h"
#include "python/src/module.h"

namespace nb = nanobind;

namespace manygate::python {
namespace {

// The memory of an object with the buffer protocol, kept alive. Let go of by whichever thread holds it last.
class HeldBuffer {
 public:
  HeldBuffer() = default;
  ~HeldBuffer() {
    // An interpreter that has ended, or is about to, frees everything itself and may not be entered.
    if (view_.obj == nullptr || Py_IsInitialized() == 0) return;
    const nb::gil_scoped_acquire acquire;
    PyBuffer_Release(&view_);
  }
  HeldBuffer(const HeldBuffer&) = delete;
  HeldBuffer& operator=(const HeldBuffer&) = delete;

  bool Hold(nb::handle object) {
    if (PyObject_GetBuffer(object.ptr(), &view_, PyBUF_FORMAT | PyBUF_STRIDES) == 0) return true;
    PyErr_Clear();
    view_.obj = nullptr;
    return false;
  }

  const Py_buffer& view() const { return view_; }

 private:
  Py_buffer view_ = {};
};

// Of Arrow; nullptr: it has no such type. https://docs.python.org/3/library/struct.html#format-characters
const char* ArrowFormat(const Py_buffer& view) {
  std::string_view code = view.format == nullptr ? "B" : view.format;
  if (code.size() == 2 && (code[0] == '<' || code[0] == '=' || code[0] == '@')) code.remove_prefix(1);
  if (code.size() != 1) return nullptr;
  const bool is_signed = std::string_view("bhilqn").find(code) != std::string_view::npos;
  if (is_signed || std::string_view("?BHILQN").find(code) != std::string_view::npos) {
    switch (view.itemsize) {
      case 1: return is_signed ? "c" : "C";
      case 2: return is_signed ? "s" : "S";
      case 4: return is_signed ? "i" : "I";
      case 8: return is_signed ? "l" : "L";
      default: return nullptr;
    }
  }
  return code == "e" ? "e" : code == "f" ? "f" : code == "d" ? "g" : nullptr;
}

// What it is where it is no array that can be kept: "numpy.ndarray of datetime64[ns]".
std::string Found(nb::handle values) {
  const std::string type = TypeName(values);
  return nb::hasattr(values, "dtype") ? fmt::format("{} of {}", type, Written(values.attr("dtype"))) : type;
}

nb::builtin_exception WrongNumbers(const std::string& name, const std::string& found) {
  return WrongType(
      fmt::format("column \"{}\": found {}; expected a one-dimensional, contiguous numpy array of int8 to "
                  "int64, uint8 to uint64, float16, float32, float64 or bool",
                  name, found));
}

// Texts in the layout of Arrow's large_utf8.
struct TextColumn {
  std::vector<int64_t> offsets = {0};
  std::vector<uint8_t> not_missing;  // bits
  std::string bytes;
  bool missing = false;

  void Add(std::string_view text, bool is_missing) {
    const size_t row = offsets.size() - 1;
    if (row % 8 == 0) not_missing.push_back(0);
    if (!is_missing) not_missing.back() |= static_cast<uint8_t>(1 << row % 8);
    missing |= is_missing;
    bytes += text;
    offsets.push_back(static_cast<int64_t>(bytes.size()));
  }
};

// Of row `row` of the column `name`.
std::string_view TextOf(nb::handle value, const std::string& name, Py_ssize_t row) {
  if (!PyUnicode_Check(value.ptr())) {
    throw WrongType(
        fmt::format("column \"{}\", row {}: found an object of type {}; expected a text, or None where it is "
                    "missing; a column of numbers must be a numpy array of one type",
                    name, row, TypeName(value)));
  }
  Py_ssize_t size = 0;
  const char* const text = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (text == nullptr) {
    PyErr_Clear();
    RaiseIfWrong(
        InvalidInput(fmt::format("column \"{}\", row {}: the text has half a character (a lone surrogate), which "
                                 "UTF-8 cannot hold",
                                 name, row)));
  }
  return {text, static_cast<size_t>(size)};
}

Status Add(MemoryTable* table, ArrowArrayStream* stream) {
  const WithoutGil without;  // a stream that Python makes takes it itself
  return table->Add(stream);
}

void AddColumn(MemoryTable* table, OneColumn column) {
  ArrowOwner<ArrowArrayStream> stream;
  MakeStream(std::move(column), stream.get());
  RaiseIfWrong(Add(table, stream.get()));
}

}  // namespace

std::vector<std::string> PythonTable::Columns() const { return ArrowColumnNames(table_->schema()); }

void PythonTable::AddStream(nb::handle source) {
  ArrowOwner<ArrowArrayStream> stream;
  TakeStream(source, stream.get());
  RaiseIfWrong(Add(table_.get(), stream.get()));
}

void PythonTable::AddNumbers(const std::string& name, nb::handle values) {
  auto held = std::make_shared<HeldBuffer>();
  if (!held->Hold(values)) throw WrongNumbers(name, Found(values));
  const Py_buffer& view = held->view();
  if (view.ndim != 1) throw WrongNumbers(name, fmt::format("{} with {} dimensions", Found(values), view.ndim));
  const char* const format = ArrowFormat(view);
  if (format == nullptr) throw WrongNumbers(name, Found(values));
  const int64_t rows = view.shape[0];
  const bool contiguous = rows <= 1 || view.strides[0] == view.itemsize;
  if (!contiguous || reinterpret_cast<uintptr_t>(view.buf) % static_cast<size_t>(view.itemsize) != 0)
    throw WrongNumbers(name, fmt::format("{} that is not contiguous and aligned", Found(values)));
  const void* const numbers = view.buf;
  AddColumn(table_.get(), {name, format, rows, {nullptr, numbers}, 2, std::move(held)});
}

void PythonTable::AddTexts(const std::string& name, nb::handle values) {
  if (PyUnicode_Check(values.ptr()) || !PySequence_Check(values.ptr()))
    throw WrongType(fmt::format("column \"{}\": found {}; expected a list of texts", name, Found(values)));
  const nb::object sequence = nb::steal(PySequence_Fast(values.ptr(), "expected a list of texts"));
  if (!sequence.is_valid()) throw nb::python_error();
  auto texts = std::make_shared<TextColumn>();
  const Py_ssize_t rows = PySequence_Size(sequence.ptr());
  for (Py_ssize_t row = 0; row < rows; ++row) {
    const nb::object value = nb::steal(PySequence_GetItem(sequence.ptr(), row));
    if (!value.is_valid()) throw nb::python_error();
    texts->Add(value.is_none() ? std::string_view() : TextOf(value, name, row), value.is_none());
  }
  const void* const bits = texts->missing ? texts->not_missing.data() : nullptr;
  const std::array<const void*, 3> buffers = {bits, texts->offsets.data(), texts->bytes.data()};
  AddColumn(table_.get(), {name, "U", rows, buffers, 3, std::move(texts)});
}

void AddMemoryTable(nb::module_& module) {
  nb::class_<PythonTable>(module, "MemoryTable", nb::is_weak_referenceable(),
                          "Columns in memory that the program reads like a file named `path` while this object lives.")
      .def(nb::init<const std::string&>(), nb::arg("name"))
      .def_prop_ro("path", [](const PythonTable& table) { return DecodeText(table.table().path()); })
      .def_prop_ro("rows", [](const PythonTable& table) { return table.table().rows(); })
      .def_prop_ro("columns", &PythonTable::Columns)
      .def("add_stream", &PythonTable::AddStream, nb::arg("stream").none())
      .def("add_numbers", &PythonTable::AddNumbers, nb::arg("name"), nb::arg("values").none())
      .def("add_texts", &PythonTable::AddTexts, nb::arg("name"), nb::arg("values").none());
}

}  // namespace manygate::python
