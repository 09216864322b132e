// SPDX-License-Identifier: Apache-2.0
// What a column of Arrow holds, read from its ArrowSchema, and owners of the structures of arrow_abi.h.
//
//   ArrowOwner<ArrowSchema> schema;                       // released when it goes out of scope
//   stream->get_schema(stream, schema.get());
//   const ArrowType type = ParseArrowType(*schema->children[0]);
//   MG_RETURN_IF_ERROR(CheckReadable(type, ColumnKind::kNumber));
//
// Format strings: https://arrow.apache.org/docs/format/CDataInterface.html#data-type-description-format-strings
#ifndef MANYGATE_DATA_ARROW_TYPE_H_
#define MANYGATE_DATA_ARROW_TYPE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"
#include "manygate/data/arrow_abi.h"
#include "manygate/data/table.h"

namespace manygate {

// Owns an ArrowSchema, ArrowArray or ArrowArrayStream.
template <typename T>
class ArrowOwner {
 public:
  ArrowOwner() = default;
  ~ArrowOwner() { Release(); }
  ArrowOwner(const ArrowOwner&) = delete;
  ArrowOwner& operator=(const ArrowOwner&) = delete;

  T* get() { return &value_; }
  T& operator*() { return value_; }
  const T& operator*() const { return value_; }
  T* operator->() { return &value_; }
  const T* operator->() const { return &value_; }
  bool released() const { return value_.release == nullptr; }
  void Release() {
    if (!released()) value_.release(&value_);
    value_ = {};
  }

 private:
  T value_ = {};
};

// Why get_schema or get_next of a stream gave `error`.
std::string StreamErrorReason(ArrowArrayStream* stream, int error);

enum class ArrowKind {
  kNull,
  kBool,
  kInteger,
  kFloat,
  kDecimal,
  kDate,       // since 1970-01-01
  kTimestamp,  // since 1970-01-01, UTC where it has a time zone
  kText,       // UTF-8 or bytes, with offsets
  kTextView,   // the same as views
  kList,       // with offsets
  kFixedList,
  kDictionary,
  kOther,  // cannot be read
};

struct ArrowType {
  ArrowKind kind = ArrowKind::kOther;
  // Of a value (kInteger, kFloat, kDecimal, kDate), of an offset (kText, kList) or of a code (kDictionary).
  int bytes = 0;
  bool is_signed = true;              // kInteger, kDictionary
  int scale = 0;                      // kDecimal: digits behind the point
  int64_t units = 1;                  // kDate: per day; kTimestamp: per second
  int64_t list_size = 0;              // kFixedList: values
  std::string name;                   // "int32", "list of text", "struct"
  std::unique_ptr<ArrowType> values;  // of lists and dictionaries

  // What it is for the reader, however it is stored: "text" also with a dictionary, "number" of any width.
  std::string Content() const;
};

ArrowType ParseArrowType(const ArrowSchema& schema);

// Of a struct: the names of its children, the columns of a table ("" where there is none), and the index of the one of
// that name; -1: there is none, -2: several.
std::vector<std::string> ArrowColumnNames(const ArrowSchema& schema);
int FindArrowColumn(const ArrowSchema& schema, std::string_view name);

// InvalidInput, without the column's name, when no column of this type can be read as `kind`.
Status CheckReadable(const ArrowType& type, ColumnKind kind);

}  // namespace manygate

#endif  // MANYGATE_DATA_ARROW_TYPE_H_
