// SPDX-License-Identifier: Apache-2.0
// Where the values of a column of Arrow lie in its buffers.
//
//   if (!IsSound(type, array, rows)) ...              // all else relies on it
//   const int64_t row = array.offset + i;             // rows below count from the beginning of the buffers
//   if (IsValid(array, row)) Use(LoadSigned(array, type.bytes, row));
#ifndef MANYGATE_DATA_ARROW_LAYOUT_H_
#define MANYGATE_DATA_ARROW_LAYOUT_H_

#include <cstdint>
#include <cstring>
#include <string_view>

#include "manygate/base/status.h"
#include "manygate/data/arrow_type.h"

namespace manygate {

// True: the array has at least `length` values and the buffers and children that they need; offsets ascend, codes and
// views point to something.
bool IsSound(const ArrowType& type, const ArrowArray& array, int64_t length);

// Whether a batch can be one of rows of so many columns. InvalidInput: it is damaged, or a row is null as a whole, so
// that what its columns hold does not count. Of the columns themselves: IsSound.
Status CheckBatch(int64_t columns, const ArrowArray& batch);

// Whether there is a value.
inline bool IsValid(const ArrowArray& array, int64_t row) {
  if (array.n_buffers == 0 || array.buffers[0] == nullptr) return true;
  return (static_cast<const uint8_t*>(array.buffers[0])[row >> 3] >> (row & 7) & 1) != 0;
}

template <typename T>
T Load(const ArrowArray& array, int buffer, int64_t row) {
  T value;
  memcpy(&value, static_cast<const char*>(array.buffers[buffer]) + row * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

inline int64_t LoadSigned(const ArrowArray& array, int bytes, int64_t row) {
  switch (bytes) {
    case 1: return Load<int8_t>(array, 1, row);
    case 2: return Load<int16_t>(array, 1, row);
    case 4: return Load<int32_t>(array, 1, row);
    default: return Load<int64_t>(array, 1, row);
  }
}

inline uint64_t LoadUnsigned(const ArrowArray& array, int bytes, int64_t row) {
  switch (bytes) {
    case 1: return Load<uint8_t>(array, 1, row);
    case 2: return Load<uint16_t>(array, 1, row);
    case 4: return Load<uint32_t>(array, 1, row);
    default: return Load<uint64_t>(array, 1, row);
  }
}

// The offset of `row` in buffer 1, of 4 or 8 bytes.
inline int64_t LoadOffset(const ArrowArray& array, int bytes, int64_t row) {
  return bytes == 4 ? Load<int32_t>(array, 1, row) : Load<int64_t>(array, 1, row);
}

inline bool LoadBool(const ArrowArray& array, int64_t row) {
  return (static_cast<const uint8_t*>(array.buffers[1])[row >> 3] >> (row & 7) & 1) != 0;
}

// The code of a value that is there.
inline int64_t DictionaryCode(const ArrowType& type, const ArrowArray& array, int64_t row) {
  return type.is_signed ? LoadSigned(array, type.bytes, row)
                        : static_cast<int64_t>(LoadUnsigned(array, type.bytes, row));
}

// A text of the string-view layout: 4 bytes size, then up to 12 bytes of text, or 4 bytes of it, buffer and offset.
std::string_view LoadView(const ArrowArray& array, int64_t row);

// A text of either layout (kText, kTextView).
inline std::string_view LoadText(const ArrowType& type, const ArrowArray& array, int64_t row) {
  if (type.kind == ArrowKind::kTextView) return LoadView(array, row);
  const int64_t begin = LoadOffset(array, type.bytes, row), end = LoadOffset(array, type.bytes, row + 1);
  if (begin == end) return std::string_view("", 0);  // an array of empty texts may come without bytes
  return {static_cast<const char*>(array.buffers[2]) + begin, static_cast<size_t>(end - begin)};
}

}  // namespace manygate

#endif  // MANYGATE_DATA_ARROW_LAYOUT_H_
