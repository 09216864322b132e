// SPDX-License-Identifier: Apache-2.0
// A ModelInferRequest, read where its bytes lie: texts and tensors are views. Forty inputs are two hundred objects of the
// generated classes, whose making and unmaking took a fifth of a call.
//
//   InferView request;                             // kept for the next call
//   if (!ReadInferView(bytes, &request)) ...       // no such message
#ifndef MANYGATE_SERVE_INFER_VIEW_H_
#define MANYGATE_SERVE_INFER_VIEW_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace manygate::serve {

// Fields as in open_inference.proto.
struct InferView {
  struct Input {
    std::string_view name, datatype;
    size_t first_extent = 0, num_extents = 0;  // of `extents`
    bool has_contents = false;
    std::string_view contents;  // bytes of an InferTensorContents
  };
  std::span<const int64_t> Shape(const Input& input) const {
    return std::span(extents).subspan(input.first_extent, input.num_extents);
  }

  void Clear();

  std::string_view model_name, model_version, id;
  int64_t timeout = 0;  // the parameter of that name, if it is a whole number
  std::vector<Input> inputs;
  std::vector<int64_t> extents;
  std::vector<std::string_view> outputs;  // their names
  std::vector<std::string_view> raw_input_contents;
};

// Overwrites `view`, which views `bytes`. False: they are no ModelInferRequest; a text is not UTF-8; the contents of an input
// are in two parts, which the format allows and nobody writes; or more than kMostInferParts inputs, outputs, tensors or
// extents, whose views would take many times the memory of the bytes.
inline constexpr size_t kMostInferParts = 1 << 16;
bool ReadInferView(std::string_view bytes, InferView* view);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_INFER_VIEW_H_
