// SPDX-License-Identifier: Apache-2.0
// The C data interface and the C stream interface of Apache Arrow, declared by ourselves: their layout is fixed by
// Arrow's specification (https://arrow.apache.org/docs/format/CDataInterface.html and CStreamInterface.html), so that
// tables cross between libraries and programs without a header or a library of Arrow. The guards are those that the
// specification prescribes: whoever includes Arrow's own declarations first keeps them.
#ifndef MANYGATE_DATA_ARROW_ABI_H_
#define MANYGATE_DATA_ARROW_ABI_H_

#include <stdint.h>

extern "C" {

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE 1

// The type of a column. A released structure has release == nullptr; so in all three.
struct ArrowSchema {
  const char* format;  // "u" text, "l" int64, ...
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;  // the type of the values; `format` is then that of the codes
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

// The values of a column.
struct ArrowArray {
  int64_t length;
  int64_t null_count;  // -1: not counted
  int64_t offset;      // of the first value, in values, in every buffer
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;  // [0]: one bit per value, 0 = null; may be nullptr
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

#endif  // ARROW_C_DATA_INTERFACE

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE 1

// Batches of rows: arrays of type struct, one child per column.
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);  // 0, or an errno
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);     // the end: a released array
  const char* (*get_last_error)(struct ArrowArrayStream*);               // may be nullptr
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};

#endif  // ARROW_C_STREAM_INTERFACE

}  // extern "C"

#endif  // MANYGATE_DATA_ARROW_ABI_H_
