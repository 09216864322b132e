// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/json_cells.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "manygate/data/number_text.h"

namespace manygate::serve {
namespace {

using features::Cell;
using Kind = JsonScalar::Kind;

bool IsWhole(std::string_view text) { return text.find_first_of(".eE") == std::string_view::npos; }

// False: not of the type.
template <typename T>
bool WholeCell(std::string_view text, Cell* cell) {
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  // Larger ones stay texts, as a Cell's whole numbers are signed.
  *cell =
      std::cmp_less_equal(value, std::numeric_limits<int64_t>::max()) ? Cell(static_cast<int64_t>(value)) : Cell(text);
  return true;
}

bool WholeCell(std::string_view text, Datatype datatype, Cell* cell) {
  switch (datatype) {
    case Datatype::kInt8: return WholeCell<int8_t>(text, cell);
    case Datatype::kInt16: return WholeCell<int16_t>(text, cell);
    case Datatype::kInt32: return WholeCell<int32_t>(text, cell);
    case Datatype::kInt64: return WholeCell<int64_t>(text, cell);
    case Datatype::kUint8: return WholeCell<uint8_t>(text, cell);
    case Datatype::kUint16: return WholeCell<uint16_t>(text, cell);
    case Datatype::kUint32: return WholeCell<uint32_t>(text, cell);
    case Datatype::kUint64: return WholeCell<uint64_t>(text, cell);
    default: return (text == "0" || text == "1") && WholeCell<int64_t>(text, cell);  // BOOL
  }
}

bool FloatCell(std::string_view text, Cell* cell) {
  float value = 0;
  if (ParseFloat(text, &value) != NumberParse::kOk) return false;
  *cell = Cell(value);
  return true;
}

bool DoubleCell(std::string_view text, Cell* cell) {
  double value = 0;
  if (ParseDouble(text, &value) != NumberParse::kOk) return false;
  *cell = Cell(value);
  return true;
}

bool NumberCell(std::string_view text, Datatype datatype, Cell* cell, std::string* problem) {
  bool right = true;
  switch (datatype) {
    case Datatype::kBytes: *cell = Cell(text); break;
    case Datatype::kFp16:
    case Datatype::kBf16:
    case Datatype::kFp32:
    case Datatype::kFp64:
      if (IsWhole(text)) {
        *cell = Cell(text);
      } else {
        right = datatype == Datatype::kFp64 ? DoubleCell(text, cell) : FloatCell(text, cell);
      }
      break;
    default: right = WholeCell(text, datatype, cell);
  }
  if (!right) *problem = fmt::format("{} is no value of {}", Shown(text), DatatypeName(datatype));
  return right;
}

bool IsFloating(Datatype datatype) {
  return datatype == Datatype::kFp16 || datatype == Datatype::kBf16 || datatype == Datatype::kFp32 ||
         datatype == Datatype::kFp64;
}

}  // namespace

bool TypedCell(const JsonScalar& scalar, Datatype datatype, Cell* cell, std::string* problem) {
  switch (scalar.kind) {
    case Kind::kMissing: *cell = Cell(); return true;
    case Kind::kTrue: *cell = Cell(int64_t{1}); return true;
    case Kind::kFalse: *cell = Cell(int64_t{0}); return true;
    case Kind::kNumber: return NumberCell(scalar.text, datatype, cell, problem);
    case Kind::kText: break;
  }
  if (datatype == Datatype::kBytes) {
    *cell = Cell(scalar.text);
    return true;
  }
  if (IsFloating(datatype) && scalar.text == "NaN") {
    *cell = Cell();
    return true;
  }
  *problem = fmt::format("{} is a text, and the datatype is {}", Shown(scalar.text), DatatypeName(datatype));
  return false;
}

bool UntypedCell(const JsonScalar& scalar, bool number, Cell* cell, std::string* problem) {
  if (scalar.kind == Kind::kNumber && !number && !IsWhole(scalar.text))
    return NumberCell(scalar.text, Datatype::kFp64, cell, problem);
  return TypedCell(scalar, Datatype::kBytes, cell, problem);
}

}  // namespace manygate::serve
