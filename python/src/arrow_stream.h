// SPDX-License-Identifier: Apache-2.0
// Tables that cross from Python into C++ and back by the C stream interface of Apache Arrow.
#ifndef MANYGATE_PYTHON_ARROW_STREAM_H_
#define MANYGATE_PYTHON_ARROW_STREAM_H_

#include <nanobind/nanobind.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "manygate/data/arrow_abi.h"

namespace manygate::python {

// Moves the stream of `source`, an object with __arrow_c_stream__ or a capsule "arrow_array_stream", to the released
// *stream. TypeError: it has none, or one of a single column. InvalidInput: the stream has been read already, or its
// schema cannot be had.
void TakeStream(nanobind::handle source, ArrowArrayStream* stream);

// A column of values that stay where they are.
struct OneColumn {
  std::string name;
  const char* format;  // of Arrow: "l", "U", ...
  int64_t rows;
  std::array<const void*, 3> buffers;  // null bits (may be nullptr), then as the format has them
  int64_t num_buffers;
  // Let go of with the batch, by whichever thread, without the GIL.
  std::shared_ptr<const void> owner;
};

// A table of that column in one batch, as a stream; *stream is released before.
void MakeStream(OneColumn column, ArrowArrayStream* stream);

}  // namespace manygate::python

#endif  // MANYGATE_PYTHON_ARROW_STREAM_H_
