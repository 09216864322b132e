// SPDX-License-Identifier: Apache-2.0
#include "manygate/export/onnx_builder.h"

#include <fmt/format.h>

#include <bit>

#include "manygate/base/version.h"

namespace manygate {
namespace {

constexpr int64_t kOpset = 17, kMlOpset = 2, kIrVersion = 8;
constexpr char kMlDomain[] = "ai.onnx.ml";

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

onnx::TensorProto::DataType DataType(TensorType type) {
  switch (type) {
    case TensorType::kText: return onnx::TensorProto::STRING;
    case TensorType::kId: return onnx::TensorProto::INT64;
    case TensorType::kNumber: return onnx::TensorProto::FLOAT;
    case TensorType::kDouble: return onnx::TensorProto::DOUBLE;
    case TensorType::kTruth: return onnx::TensorProto::BOOL;
  }
  return onnx::TensorProto::UNDEFINED;
}

void SetType(onnx::ValueInfoProto* value, TensorType type, const std::vector<int64_t>& shape) {
  auto* tensor = value->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(DataType(type));
  tensor->mutable_shape()->add_dim()->set_dim_param("batch");
  for (const int64_t size : shape) tensor->mutable_shape()->add_dim()->set_dim_value(size);
}

onnx::AttributeProto* AddAttribute(onnx::NodeProto* node, const std::string& name,
                                   onnx::AttributeProto::AttributeType type) {
  auto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return attribute;
}

}  // namespace

OnnxBuilder::OnnxBuilder(const OnnxChoice& choice) : graph_(model_.mutable_graph()) {
  model_.set_ir_version(kIrVersion);
  model_.set_producer_name("manygate");
  model_.set_producer_version(kProgramVersion);
  for (const auto& [domain, version] : {std::pair{"", kOpset}, {kMlDomain, kMlOpset}}) {
    auto* opset = model_.add_opset_import();
    opset->set_domain(domain);
    opset->set_version(version);
  }
  for (const auto& [key, value] :
       {std::pair<const char*, std::string>{"manygate_version", kProgramVersion}, {"manygate_model", choice.model}}) {
    auto* entry = model_.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  graph_->set_name(choice.name);
}

std::string OnnxBuilder::NewName(const std::string& what) {
  std::string name;
  do {
    name = fmt::format("{}/{}_{}", scope_, what, counter_++);
  } while (!Take(name));
  return name;
}

void OnnxBuilder::AddInput(const std::string& name, TensorType type, const std::vector<int64_t>& shape) {
  auto* value = graph_->add_input();
  value->set_name(name);
  SetType(value, type, shape);
}

void OnnxBuilder::AddOutput(const std::string& name, const std::string& value, int64_t width) {
  NewNode("Identity", {value}, {}, name);
  auto* output = graph_->add_output();
  output->set_name(name);
  SetType(output, TensorType::kNumber, {width});
}

onnx::NodeProto* OnnxBuilder::NewNode(const std::string& type, const std::vector<std::string>& inputs,
                                      const OnnxAttributes& attributes, const std::string& output) {
  auto* node = graph_->add_node();
  node->set_op_type(type);
  node->set_name(output);
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
  for (const auto& [name, value] : attributes.numbers)
    AddAttribute(node, name, onnx::AttributeProto::INT)->set_i(value);
  for (const auto& [name, values] : attributes.lists) {
    auto* attribute = AddAttribute(node, name, onnx::AttributeProto::INTS);
    for (const int64_t value : values) attribute->add_ints(value);
  }
  if (!attributes.domain.empty()) node->set_domain(attributes.domain);
  return node;
}

std::string OnnxBuilder::Cast(const std::string& x, TensorType type) {
  return Add("Cast", {x}, {.numbers = {{"to", DataType(type)}}});
}

std::string OnnxBuilder::ReduceSum(const std::string& x, int64_t axis) {
  return Add("ReduceSum", {x, WholeNumbers({axis})}, {.numbers = {{"keepdims", 1}}});
}

// Until opset 18 the axes are an attribute here.
std::string OnnxBuilder::ReduceMax(const std::string& x, int64_t axis) {
  return Add("ReduceMax", {x}, {.numbers = {{"keepdims", 1}}, .lists = {{"axes", {axis}}}});
}

std::string OnnxBuilder::Slice(const std::string& x, int64_t axis, int64_t first, int64_t last) {
  return Add("Slice", {x, WholeNumbers({first}), WholeNumbers({last}), WholeNumbers({axis})});
}

std::string OnnxBuilder::Encode(const std::string& text, const std::vector<std::string>& keys,
                                const std::vector<int64_t>& ids, int64_t unknown) {
  auto* node = NewNode("LabelEncoder", {text}, {.numbers = {{"default_int64", unknown}}, .domain = kMlDomain},
                       NewName("LabelEncoder"));
  auto* texts = AddAttribute(node, "keys_strings", onnx::AttributeProto::STRINGS);
  for (const std::string& key : keys) {
    texts->add_strings(key);
    bytes_ += static_cast<int64_t>(key.size()) + 2;
  }
  auto* values = AddAttribute(node, "values_int64s", onnx::AttributeProto::INTS);
  for (const int64_t id : ids) values->add_ints(id);
  return node->output(0);
}

onnx::TensorProto* OnnxBuilder::NewConstant(TensorType type, const std::vector<int64_t>& dims) {
  auto* tensor = graph_->add_initializer();
  tensor->set_name(NewName("constant"));
  tensor->set_data_type(DataType(type));
  for (const int64_t dim : dims) tensor->add_dims(dim);
  return tensor;
}

std::string OnnxBuilder::Bytes(TensorType type, const std::vector<int64_t>& dims, std::string bytes) {
  bytes_ += static_cast<int64_t>(bytes.size());
  auto* tensor = NewConstant(type, dims);
  tensor->set_raw_data(std::move(bytes));
  return tensor->name();
}

std::string OnnxBuilder::WholeNumbers(const std::vector<int64_t>& values) {
  const auto found = whole_numbers_.find(values);
  if (found != whole_numbers_.end()) return found->second;
  return whole_numbers_[values] = Values(TensorType::kId, {static_cast<int64_t>(values.size())}, values);
}

std::string OnnxBuilder::Text(const std::string& text) {
  auto* tensor = NewConstant(TensorType::kText, {});
  tensor->add_string_data(text);
  return tensor->name();
}

}  // namespace manygate
