// SPDX-License-Identifier: Apache-2.0
// Where the tensors of a program stand in the local arrays of an exported C function.
//
//   const CLayout layout(program, program.Used());
//   layout.place(tensor);                         // index of its first value in the array of its type
//   layout.size(TensorType::kNumber);             // how long that array is
#ifndef MANYGATE_EXPORT_C_LAYOUT_H_
#define MANYGATE_EXPORT_C_LAYOUT_H_

#include <cstdint>
#include <map>
#include <vector>

#include "manygate/graph/tensor_program.h"

namespace manygate {

class CLayout {
 public:
  // used: which tensors need a place; constants need none.
  CLayout(const TensorProgram& program, const std::vector<bool>& used);

  int64_t place(Tensor tensor) const { return places_[static_cast<size_t>(tensor)]; }
  int64_t size(TensorType type) const;

  // The name of the array and the type of its values.
  static const char* Letter(TensorType type);
  static const char* TypeName(TensorType type);

 private:
  // First values and sizes of the gaps of one array, and its length.
  struct Arena {
    std::map<int64_t, int64_t> gaps;
    int64_t size = 0;
    int64_t Take(int64_t count);
    void Return(int64_t place, int64_t count);
  };

  std::vector<int64_t> places_;
  std::map<TensorType, Arena> arenas_;
};

}  // namespace manygate

#endif  // MANYGATE_EXPORT_C_LAYOUT_H_
