// SPDX-License-Identifier: Apache-2.0
// Bytes that grow at their end, in memory or, once told so, in a file without a name: then only what was written last
// takes memory.
//
//   GrowingArray array;
//   array.Reserve(used + more);  Write(array.data() + used);  used += more;
//   if (used > limit) array.MoveToFile(folder, used);
//   std::shared_ptr<const void> bytes = array.Take(used);
#ifndef MANYGATE_DATA_GROWING_ARRAY_H_
#define MANYGATE_DATA_GROWING_ARRAY_H_

#include <cstddef>
#include <memory>
#include <string>

namespace manygate {

class GrowingArray {
 public:
  GrowingArray() = default;
  ~GrowingArray();
  GrowingArray(GrowingArray&& other) noexcept { *this = std::move(other); }
  GrowingArray& operator=(GrowingArray&& other) noexcept;

  // Moved by Reserve, MoveToFile and Take.
  char* data() { return data_; }
  bool in_file() const { return descriptor_ >= 0; }

  // Room for that many bytes. Throws std::bad_alloc where neither memory nor the disk has it.
  void Reserve(size_t bytes);
  // From now on the bytes live in a file in `folder`, which is gone with the array. False: no such file can be made; they
  // stay in memory.
  bool MoveToFile(const std::string& folder, size_t used);
  // The first `used` bytes are written: in a file, their memory is given back from time to time.
  void Written(size_t used);
  // Gives the bytes away, cut to size. A file stays mapped.
  std::shared_ptr<const void> Take(size_t used);

 private:
  void Resize(size_t bytes);
  void Free();

  char* data_ = nullptr;
  size_t capacity_ = 0;
  size_t released_ = 0;
  int descriptor_ = -1;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_GROWING_ARRAY_H_
