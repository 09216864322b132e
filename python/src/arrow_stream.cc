// SPDX-License-Identifier: Apache-2.0
#include "python/src/arrow_stream.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "manygate/base/status.h"
#include "manygate/data/arrow_type.h"
#include "python/src/calls.h"
#include "python/src/errors.h"

namespace nb = nanobind;

namespace manygate::python {
namespace {

constexpr char kCapsuleName[] = "arrow_array_stream";
constexpr char kTables[] =
    "a table: a DataFrame of pandas (2.2 or newer) or polars, a Table or RecordBatchReader of pyarrow, anything else "
    "with __arrow_c_stream__, or a dict of columns";

std::string Described(nb::handle source) {
  if (PyType_Check(source.ptr())) return fmt::format("the class {} instead of an object of it", Written(source));
  return fmt::format("an object of type {}", TypeName(source));
}

nb::object Capsule(nb::handle source) {
  if (PyCapsule_CheckExact(source.ptr())) return nb::borrow(source);
  if (PyType_Check(source.ptr()) || !nb::hasattr(source, "__arrow_c_stream__"))
    throw WrongType(fmt::format("found {}; expected {}", Described(source), kTables));
  return source.attr("__arrow_c_stream__")();
}

// A Series or an array has a stream, too.
void CheckIsTable(nb::handle source, ArrowArrayStream* stream) {
  ArrowOwner<ArrowSchema> schema;
  int error = 0;
  std::string reason;
  {
    const WithoutGil without;
    error = stream->get_schema(stream, schema.get());
    if (error != 0) reason = StreamErrorReason(stream, error);
  }
  if (error != 0) RaiseIfWrong(InvalidInput(fmt::format("the rows cannot be handed over: {}", reason)));
  if (schema->format == nullptr || std::string_view(schema->format) != "+s")
    throw WrongType(fmt::format("found a single column of type {}; expected {}", TypeName(source), kTables));
}

// ---- MakeStream: each structure owns what it points to, and may be released before the others or after them.

struct ColumnSchema {
  std::string name;
  ArrowSchema child = {};
  ArrowSchema* children[1] = {&child};
};

void ReleaseChildSchema(ArrowSchema* schema) { schema->release = nullptr; }

void ReleaseSchema(ArrowSchema* schema) {
  auto* const owned = static_cast<ColumnSchema*>(schema->private_data);
  if (owned->child.release != nullptr) owned->child.release(&owned->child);
  delete owned;
  schema->release = nullptr;
}

struct ColumnValues {
  std::array<const void*, 3> buffers;
  std::shared_ptr<const void> owner;
};

void ReleaseValues(ArrowArray* array) {
  delete static_cast<ColumnValues*>(array->private_data);
  array->release = nullptr;
}

struct ColumnBatch {
  ArrowArray child = {};
  ArrowArray* children[1] = {&child};
  const void* buffers[1] = {nullptr};
};

void ReleaseBatch(ArrowArray* array) {
  auto* const owned = static_cast<ColumnBatch*>(array->private_data);
  if (owned->child.release != nullptr) owned->child.release(&owned->child);
  delete owned;
  array->release = nullptr;
}

struct ColumnStream {
  OneColumn column;
  bool given = false;
};

OneColumn& ColumnOf(ArrowArrayStream* stream) { return static_cast<ColumnStream*>(stream->private_data)->column; }

int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
  const OneColumn& column = ColumnOf(stream);
  auto owned = std::make_unique<ColumnSchema>();
  owned->name = column.name;
  owned->child.format = column.format;
  owned->child.name = owned->name.c_str();
  owned->child.flags = 2;  // may be null
  owned->child.release = ReleaseChildSchema;
  *out = {};
  out->format = "+s";
  out->name = "";
  out->n_children = 1;
  out->children = owned->children;
  out->release = ReleaseSchema;
  out->private_data = owned.release();
  return 0;
}

int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
  *out = {};
  auto* const state = static_cast<ColumnStream*>(stream->private_data);
  if (std::exchange(state->given, true)) return 0;
  OneColumn& column = state->column;
  auto values = std::make_unique<ColumnValues>(ColumnValues{column.buffers, std::move(column.owner)});
  auto batch = std::make_unique<ColumnBatch>();
  ArrowArray& child = batch->child;
  child.length = out->length = column.rows;
  child.null_count = column.buffers[0] == nullptr ? 0 : -1;
  child.n_buffers = column.num_buffers;
  child.buffers = values->buffers.data();
  child.private_data = values.release();
  child.release = ReleaseValues;
  out->n_buffers = 1;
  out->buffers = batch->buffers;
  out->n_children = 1;
  out->children = batch->children;
  out->release = ReleaseBatch;
  out->private_data = batch.release();
  return 0;
}

const char* GetLastError(ArrowArrayStream*) { return nullptr; }

void ReleaseStream(ArrowArrayStream* stream) {
  delete static_cast<ColumnStream*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

void TakeStream(nb::handle source, ArrowArrayStream* stream) {
  const nb::object capsule = Capsule(source);
  if (!PyCapsule_IsValid(capsule.ptr(), kCapsuleName)) {
    throw WrongType(fmt::format("found an object of type {} whose stream is not a capsule named {}; expected {}",
                                TypeName(source), kCapsuleName, kTables));
  }
  auto* const given = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), kCapsuleName));
  if (given->release == nullptr)
    RaiseIfWrong(InvalidInput("the stream has been read already; a stream gives its rows once"));
  *stream = std::exchange(*given, {});
  CheckIsTable(source, stream);
}

void MakeStream(OneColumn column, ArrowArrayStream* stream) {
  stream->private_data = new ColumnStream{std::move(column)};
  stream->get_schema = GetSchema;
  stream->get_next = GetNext;
  stream->get_last_error = GetLastError;
  stream->release = ReleaseStream;
}

}  // namespace manygate::python
