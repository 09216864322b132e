// SPDX-License-Identifier: Apache-2.0
// Named float arrays in the public safetensors container, readable by every tool that knows it:
//
//   8 bytes  length N of the header, little-endian
//   N bytes  JSON: {"__metadata__": {"key": "text"}, "experts/w": {"dtype": "F32", "shape": [3, 4],
//            "data_offsets": [begin, end]}, ...}, padded with blanks to a multiple of 8
//   rest     the values, little-endian; offsets count from the first byte after the header, without gap or overlap
//
// We write F32 only, names in byte order, the same bytes for the same input.
//
//   MG_RETURN_IF_ERROR(WriteSafetensors(path, entries, {{"step", "120"}}));
//   MG_ASSIGN_OR_RETURN(std::vector<TensorEntry> entries, ReadSafetensors(path));
#ifndef MANYGATE_BASE_SAFETENSORS_H_
#define MANYGATE_BASE_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "manygate/base/status.h"

namespace manygate {

struct TensorEntry {
  std::string name;
  std::vector<int64_t> shape;  // empty = a single number
  std::vector<float> values;   // row-major; as many as the product of the shape
};

// The same without owning the values, so that large arrays are not copied to be written.
struct TensorView {
  std::string name;
  std::vector<int64_t> shape;
  std::span<const float> values;
};

// Atomic. Names must be unique and sizes match shapes (checked: our bug otherwise). Failed: the disk's errors.
Status WriteSafetensors(const std::string& path, std::span<const TensorEntry> entries,
                        const std::map<std::string, std::string>& metadata);
Status WriteSafetensors(const std::string& path, std::span<const TensorView> entries,
                        const std::map<std::string, std::string>& metadata);

// Sorted by name. InvalidInput naming the file: shorter than its header says, malformed header, another dtype than F32,
// negative or overflowing shape, size that does not fit shape, overlap, gap, bytes left over, a name twice.
// `metadata` (may be null) receives "__metadata__".
StatusOr<std::vector<TensorEntry>> ReadSafetensors(const std::string& path,
                                                   std::map<std::string, std::string>* metadata = nullptr);

}  // namespace manygate

#endif  // MANYGATE_BASE_SAFETENSORS_H_
