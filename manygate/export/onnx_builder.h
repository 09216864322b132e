// SPDX-License-Identifier: Apache-2.0
// An ONNX model under construction: nodes, constants and names. Values are called by their names.
//
//   OnnxBuilder builder({.name = "census", .model = "mmoe"});
//   builder.SetScope("towers.income");
//   const std::string sum = builder.Add("Add", {x, builder.Scalar(1)});      // "towers.income/Add_7"
#ifndef MANYGATE_EXPORT_ONNX_BUILDER_H_
#define MANYGATE_EXPORT_ONNX_BUILDER_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "manygate/export/onnx.pb.h"
#include "manygate/export/onnx_writer.h"
#include "manygate/graph/tensor_program.h"

namespace manygate {

struct OnnxAttributes {
  std::vector<std::pair<std::string, int64_t>> numbers = {};
  std::vector<std::pair<std::string, std::vector<int64_t>>> lists = {};
  std::string domain = {};
};

class OnnxBuilder {
 public:
  explicit OnnxBuilder(const OnnxChoice& choice);

  // Names that NewName must not give; false: it is taken already.
  bool Take(const std::string& name) { return taken_.insert(name).second; }
  // What stands in front of the names of what is added from here on.
  void SetScope(std::string scope) { scope_ = std::move(scope); }

  // shape: without the batch.
  void AddInput(const std::string& name, TensorType type, const std::vector<int64_t>& shape);
  // value: [batch, width]
  void AddOutput(const std::string& name, const std::string& value, int64_t width);

  // A node; its output.
  std::string Add(const std::string& type, const std::vector<std::string>& inputs,
                  const OnnxAttributes& attributes = {}) {
    return NewNode(type, inputs, attributes, NewName(type))->output(0);
  }
  std::string Cast(const std::string& x, TensorType type);
  std::string ReduceSum(const std::string& x, int64_t axis);
  std::string ReduceMax(const std::string& x, int64_t axis);
  std::string Slice(const std::string& x, int64_t axis, int64_t first, int64_t last);
  // Texts to ids: ids[k] where a text is keys[k], else unknown.
  std::string Encode(const std::string& text, const std::vector<std::string>& keys, const std::vector<int64_t>& ids,
                     int64_t unknown);
  // 1 or 0.
  std::string IsOneOf(const std::string& text, const std::vector<std::string>& keys) {
    return Encode(text, keys, std::vector<int64_t>(keys.size(), 1), 0);
  }
  std::string IsNotEmpty(const std::string& text) { return Encode(text, {""}, {0}, 1); }

  // Constants. Whole numbers: equal ones are written once.
  std::string WholeNumbers(const std::vector<int64_t>& values);
  std::string Scalar(float value) { return Values<float>(TensorType::kNumber, {}, {value}); }
  std::string Text(const std::string& text);
  template <typename Value>
  std::string Values(TensorType type, const std::vector<int64_t>& dims, const std::vector<Value>& values) {
    return Bytes(type, dims, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)});
  }

  // Of constants and keys so far.
  int64_t bytes() const { return bytes_; }
  const onnx::ModelProto& model() const { return model_; }

 private:
  std::string NewName(const std::string& what);
  onnx::NodeProto* NewNode(const std::string& type, const std::vector<std::string>& inputs,
                           const OnnxAttributes& attributes, const std::string& output);
  onnx::TensorProto* NewConstant(TensorType type, const std::vector<int64_t>& dims);
  std::string Bytes(TensorType type, const std::vector<int64_t>& dims, std::string bytes);

  std::set<std::string> taken_;
  std::map<std::vector<int64_t>, std::string> whole_numbers_;
  std::string scope_;
  int64_t counter_ = 0, bytes_ = 0;
  onnx::ModelProto model_;
  onnx::GraphProto* graph_;
};

}  // namespace manygate

#endif  // MANYGATE_EXPORT_ONNX_BUILDER_H_
