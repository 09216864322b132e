// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/arrow_layout.h"

namespace manygate {
namespace {

bool OffsetsAscend(const ArrowArray& array, int bytes, int64_t begin, int64_t end) {
  int64_t before = LoadOffset(array, bytes, begin);
  if (before < 0) return false;
  for (int64_t row = begin + 1; row <= end; ++row) {
    const int64_t offset = LoadOffset(array, bytes, row);
    if (offset < before) return false;
    before = offset;
  }
  return true;
}

// Buffers: validity, views, any number of buffers of text, and the sizes of these in bytes.
bool ViewsPoint(const ArrowArray& array, int64_t begin, int64_t end) {
  const int64_t texts = array.n_buffers - 3;
  for (int64_t row = begin; row < end; ++row) {
    int32_t words[4];
    memcpy(words, static_cast<const char*>(array.buffers[1]) + row * 16, sizeof(words));
    if (!IsValid(array, row) || (words[0] >= 0 && words[0] <= 12)) continue;
    if (words[0] < 0 || words[2] < 0 || words[2] >= texts || words[3] < 0) return false;
    const int64_t size = Load<int64_t>(array, static_cast<int>(array.n_buffers - 1), words[2]);
    if (int64_t{words[3]} + words[0] > size) return false;
  }
  return true;
}

int64_t BuffersOf(const ArrowType& type) {
  switch (type.kind) {
    case ArrowKind::kNull: return 0;
    case ArrowKind::kFixedList: return 1;
    case ArrowKind::kText: return 3;
    default: return 2;
  }
}

}  // namespace

Status CheckBatch(int64_t columns, const ArrowArray& batch) {
  const bool whole = batch.length >= 0 && batch.offset >= 0 && batch.offset <= INT64_MAX - batch.length &&
                     batch.n_children == columns && (batch.n_buffers == 0 || batch.buffers != nullptr);
  if (!whole) return InvalidInput("a batch of rows is damaged");
  for (int64_t i = 0; i < batch.n_children; ++i)
    if (batch.children[i] == nullptr) return InvalidInput("a batch of rows is damaged");
  if (batch.null_count == 0) return OkStatus();
  for (int64_t row = 0; row < batch.length; ++row)
    if (!IsValid(batch, batch.offset + row))
      return InvalidInput("a row is null as a whole; give rows that are there, with nulls in their columns");
  return OkStatus();
}

bool IsSound(const ArrowType& type, const ArrowArray& array, int64_t length) {
  const int64_t buffers = BuffersOf(type);
  if (length < 0 || array.length < length || array.offset < 0 || array.n_buffers < buffers) return false;
  if (type.kind == ArrowKind::kDictionary && array.dictionary == nullptr) return false;
  if (length == 0) return true;
  for (int64_t i = 1; i < buffers; ++i)
    if (array.buffers[i] == nullptr && i == 1) return false;  // an array of empty texts may come without bytes
  const int64_t begin = array.offset, end = array.offset + length;
  switch (type.kind) {
    case ArrowKind::kText:
      return OffsetsAscend(array, type.bytes, begin, end) &&
             (array.buffers[2] != nullptr || LoadOffset(array, type.bytes, end) == 0);
    case ArrowKind::kTextView: return ViewsPoint(array, begin, end);
    case ArrowKind::kDictionary: {
      if (!IsSound(*type.values, *array.dictionary, array.dictionary->length)) return false;
      const auto size = static_cast<uint64_t>(array.dictionary->length);
      for (int64_t row = begin; row < end; ++row)
        if (IsValid(array, row) && static_cast<uint64_t>(DictionaryCode(type, array, row)) >= size) return false;
      return true;
    }
    case ArrowKind::kList:
      return array.n_children == 1 && OffsetsAscend(array, type.bytes, begin, end) &&
             IsSound(*type.values, *array.children[0], LoadOffset(array, type.bytes, end));
    case ArrowKind::kFixedList:
      return array.n_children == 1 && IsSound(*type.values, *array.children[0], end * type.list_size);
    default: return true;
  }
}

std::string_view LoadView(const ArrowArray& array, int64_t row) {
  const char* view = static_cast<const char*>(array.buffers[1]) + row * 16;
  int32_t words[4];
  memcpy(words, view, sizeof(words));
  const auto size = static_cast<size_t>(words[0]);
  if (size <= 12) return {view + 4, size};
  return {static_cast<const char*>(array.buffers[2 + words[2]]) + words[3], size};
}

}  // namespace manygate
