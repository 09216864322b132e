// SPDX-License-Identifier: Apache-2.0
// Tensors are [batch, groups, width] throughout, constants [groups, width].
#include "manygate/export/onnx_writer.h"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/base/version.h"
#include "manygate/data/number_text.h"
#include "manygate/export/onnx.pb.h"

namespace manygate {
namespace {

using Kind = TensorProgram::Kind;
using Operation = TensorProgram::Operation;

constexpr int64_t kOpset = 17, kMlOpset = 2, kIrVersion = 8;
constexpr char kMlDomain[] = "ai.onnx.ml";
constexpr int64_t kMostBytes = 1'800'000'000;  // protobuf's own limit is 2 GB

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

const char* OperatorOf(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::kNegative: return "Neg";
    case UnaryKind::kAbsolute: return "Abs";
    case UnaryKind::kExp: return "Exp";
    case UnaryKind::kLog: return "Log";
    case UnaryKind::kSqrt: return "Sqrt";
    case UnaryKind::kTanh: return "Tanh";
    case UnaryKind::kSigmoid: return "Sigmoid";
    case UnaryKind::kRelu: return "Relu";
    case UnaryKind::kErf: return "Erf";
    case UnaryKind::kIsNaN: return "IsNaN";
  }
  return "";
}

const char* OperatorOf(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::kAdd: return "Add";
    case BinaryKind::kSubtract: return "Sub";
    case BinaryKind::kMultiply: return "Mul";
    case BinaryKind::kDivide: return "Div";
    case BinaryKind::kSmaller: return "Min";
    case BinaryKind::kLarger: return "Max";
    case BinaryKind::kLess: return "Less";
    case BinaryKind::kAtLeast: return "GreaterOrEqual";
    case BinaryKind::kEqual: return "Equal";
  }
  return "";
}

template <typename Value>
std::string Bytes(const std::vector<Value>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)};
}

void SetType(onnx::ValueInfoProto* value, TensorType type, const std::vector<int64_t>& shape) {
  auto* tensor = value->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(DataType(type));
  tensor->mutable_shape()->add_dim()->set_dim_param("batch");
  for (const int64_t size : shape) tensor->mutable_shape()->add_dim()->set_dim_value(size);
}

struct Attributes {
  std::vector<std::pair<std::string, int64_t>> numbers = {};
  std::vector<std::pair<std::string, std::vector<int64_t>>> lists = {};
  std::string domain = {};
};

class OnnxWriter {
 public:
  OnnxWriter(const TensorProgram& program, const OnnxChoice& choice)
      : program_(program), used_(program.Used()), names_(program.operations().size()) {
    model_.set_ir_version(kIrVersion);
    model_.set_producer_name("manygate");
    model_.set_producer_version(kProgramVersion);
    AddOpset("", kOpset);
    AddOpset(kMlDomain, kMlOpset);
    AddMetadata("manygate_version", kProgramVersion);
    AddMetadata("manygate_model", choice.model);
    graph_ = model_.mutable_graph();
    graph_->set_name(choice.name);
  }

  StatusOr<std::string> Write() {
    for (const ProgramInput& input : program_.inputs()) taken_.insert(input.name);
    for (const TensorProgram::Output& output : program_.outputs()) {
      if (taken_.insert(output.name).second) continue;
      return InvalidInput(fmt::format(
          "the column \"{}\" has the name of an output of the model, and an ONNX model cannot hold both: rename "
          "the column and train again",
          output.name));
    }
    for (size_t i = 0; i < names_.size(); ++i) {
      const Operation& operation = program_.operations()[i];
      if (!used_[i] || operation.kind == Kind::kConstant) continue;
      scope_ = operation.scope;
      names_[i] = Emit(operation);
      if (bytes_ > kMostBytes) return TooLarge();
    }
    for (const TensorProgram::Output& output : program_.outputs()) AddOutput(output);
    if (model_.ByteSizeLong() > static_cast<size_t>(kMostBytes)) return TooLarge();
    return model_.SerializeAsString();
  }

 private:
  static Status TooLarge() {
    return InvalidInput(
        "the model is larger than the 1.8 GB that an ONNX file can hold: give its largest embedding tables fewer rows "
        "(max_vocabulary, num_buckets) or a smaller embedding_dim and train again");
  }

  void AddOpset(const std::string& domain, int64_t version) {
    auto* opset = model_.add_opset_import();
    opset->set_domain(domain);
    opset->set_version(version);
  }
  void AddMetadata(const std::string& key, const std::string& value) {
    auto* entry = model_.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }

  std::string NewName(const std::string& what) {
    std::string name;
    do {
      name = fmt::format("{}/{}_{}", scope_, what, counter_++);
    } while (!taken_.insert(name).second);
    return name;
  }

  // The output gets a new name unless one is given.
  onnx::NodeProto* NewNode(const std::string& type, const std::vector<std::string>& inputs,
                           const Attributes& attributes, std::string output = "") {
    auto* node = graph_->add_node();
    node->set_op_type(type);
    if (output.empty()) output = NewName(type);
    node->set_name(output);
    for (const std::string& input : inputs) node->add_input(input);
    node->add_output(output);
    for (const auto& [name, value] : attributes.numbers) {
      auto* attribute = AddAttribute(node, name, onnx::AttributeProto::INT);
      attribute->set_i(value);
    }
    for (const auto& [name, values] : attributes.lists) {
      auto* attribute = AddAttribute(node, name, onnx::AttributeProto::INTS);
      for (const int64_t value : values) attribute->add_ints(value);
    }
    if (!attributes.domain.empty()) node->set_domain(attributes.domain);
    return node;
  }
  static onnx::AttributeProto* AddAttribute(onnx::NodeProto* node, const std::string& name,
                                            onnx::AttributeProto::AttributeType type) {
    auto* attribute = node->add_attribute();
    attribute->set_name(name);
    attribute->set_type(type);
    return attribute;
  }
  std::string Add(const std::string& type, const std::vector<std::string>& inputs, const Attributes& attributes = {}) {
    return NewNode(type, inputs, attributes)->output(0);
  }

  onnx::TensorProto* NewInitializer(TensorType type, const std::vector<int64_t>& dims) {
    auto* tensor = graph_->add_initializer();
    tensor->set_name(NewName("constant"));
    tensor->set_data_type(DataType(type));
    for (const int64_t dim : dims) tensor->add_dims(dim);
    return tensor;
  }
  // Small constants that several nodes need are written once.
  std::string WholeNumbers(const std::vector<int64_t>& values) {
    std::string& name = whole_numbers_[values];
    if (!name.empty()) return name;
    auto* tensor = NewInitializer(TensorType::kId, {static_cast<int64_t>(values.size())});
    tensor->set_raw_data(Bytes(values));
    return name = tensor->name();
  }
  std::string Scalar(float value) {
    auto* tensor = NewInitializer(TensorType::kNumber, {});
    tensor->set_raw_data(Bytes(std::vector<float>{value}));
    return tensor->name();
  }
  std::string Text(const std::string& text) {
    auto* tensor = NewInitializer(TensorType::kText, {});
    tensor->add_string_data(text);
    return tensor->name();
  }
  std::string Constant(const Operation& operation, const std::vector<int64_t>& dims) {
    auto* tensor = NewInitializer(operation.type, dims);
    switch (operation.type) {
      case TensorType::kNumber: tensor->set_raw_data(Bytes(operation.numbers)); break;
      case TensorType::kDouble: tensor->set_raw_data(Bytes(operation.doubles)); break;
      default: tensor->set_raw_data(Bytes(operation.ids)); break;
    }
    bytes_ += static_cast<int64_t>(tensor->raw_data().size());
    return tensor->name();
  }
  // What a tensor of the program is called; a constant is written when it is first asked for.
  const std::string& Name(Tensor tensor) {
    std::string& name = names_[static_cast<size_t>(tensor)];
    const Operation& operation = program_.operation(tensor);
    if (name.empty()) name = Constant(operation, {operation.shape.groups, operation.shape.width});
    return name;
  }

  std::string Cast(const std::string& x, TensorType type) {
    return Add("Cast", {x}, {.numbers = {{"to", DataType(type)}}});
  }
  std::string Reduce(const std::string& x, int64_t axis) {
    return Add("ReduceSum", {x, WholeNumbers({axis})}, {.numbers = {{"keepdims", 1}}});
  }
  std::string ReduceMax(const std::string& x, int64_t axis) {
    return Add("ReduceMax", {x}, {.numbers = {{"keepdims", 1}}, .lists = {{"axes", {axis}}}});
  }
  std::string Unsqueeze(const std::string& x) { return Add("Unsqueeze", {x, WholeNumbers({1})}); }
  std::string Squeeze(const std::string& x) { return Add("Squeeze", {x, WholeNumbers({1})}); }

  // Texts to ids.
  std::string Encode(const std::string& text, const std::vector<std::string>& keys, const std::vector<int64_t>& ids,
                     int64_t unknown) {
    auto* node = NewNode("LabelEncoder", {text}, {.numbers = {{"default_int64", unknown}}, .domain = kMlDomain});
    auto* texts = AddAttribute(node, "keys_strings", onnx::AttributeProto::STRINGS);
    for (const std::string& key : keys) texts->add_strings(key), bytes_ += static_cast<int64_t>(key.size()) + 2;
    auto* values = AddAttribute(node, "values_int64s", onnx::AttributeProto::INTS);
    for (const int64_t id : ids) values->add_ints(id);
    return node->output(0);
  }
  // 1 for texts that are one of these, else 0.
  std::string IsOneOf(const std::string& text, const std::vector<std::string>& keys) {
    return Encode(text, keys, std::vector<int64_t>(keys.size(), 1), 0);
  }
  std::string IsNotEmpty(const std::string& text) { return Encode(text, {""}, {0}, 1); }

  std::string Emit(const Operation& operation);
  std::string EmitInput(const ProgramInput& input);
  std::string WithoutMissing(const ProgramInput& input, const std::string& x);
  std::string EmitWhole(const Operation& operation);
  std::string EmitLength(const Operation& operation);
  std::string EmitOneHot(const Operation& operation);
  std::string EmitBank(const Operation& operation);
  std::string EmitRepeat(const Operation& operation);
  void AddOutput(const TensorProgram::Output& output);

  const TensorProgram& program_;
  const std::vector<bool> used_;
  std::vector<std::string> names_;  // by tensor
  std::set<std::string> taken_;
  std::map<std::vector<int64_t>, std::string> whole_numbers_;
  std::string scope_, batch_;
  int64_t counter_ = 0, bytes_ = 0;
  onnx::ModelProto model_;
  onnx::GraphProto* graph_;
};

std::string OnnxWriter::Emit(const Operation& operation) {
  std::vector<std::string> inputs;
  if (operation.kind != Kind::kBankMatMul)
    for (const Tensor input : operation.inputs) inputs.push_back(Name(input));
  const auto [groups, width] = operation.shape;
  switch (operation.kind) {
    case Kind::kInput: return EmitInput(program_.inputs()[static_cast<size_t>(operation.number)]);
    case Kind::kConstant: return "";
    case Kind::kRepeat: return EmitRepeat(operation);
    case Kind::kLookUp: return Encode(inputs[0], operation.texts, operation.ids, operation.number);
    case Kind::kWhole: return EmitWhole(operation);
    case Kind::kParse: {
      const std::string empty = Cast(IsOneOf(inputs[0], {""}), TensorType::kTruth);
      return Cast(Add("Where", {empty, Text("NaN"), inputs[0]}), TensorType::kNumber);
    }
    case Kind::kCast: return Cast(inputs[0], operation.type);
    case Kind::kLength: return EmitLength(operation);
    case Kind::kGather: return Squeeze(Add("Gather", inputs, {.numbers = {{"axis", 0}}}));
    case Kind::kOneHot: return EmitOneHot(operation);
    case Kind::kMatMul:
    case Kind::kRowMatMul: return Add("MatMul", inputs);
    case Kind::kBankMatMul: return EmitBank(operation);
    case Kind::kUnary: return Add(OperatorOf(operation.unary), inputs);
    case Kind::kBinary: return Add(OperatorOf(operation.binary), inputs);
    case Kind::kSelect: return Add("Where", inputs);
    case Kind::kConcat: return Add("Concat", inputs, {.numbers = {{"axis", 2}}});
    case Kind::kSlice:
      return Add("Slice", {inputs[0], WholeNumbers({operation.number}), WholeNumbers({operation.number + width}),
                           WholeNumbers({2})});
    case Kind::kReshape: return Add("Reshape", {inputs[0], WholeNumbers({0, groups, width})});
    case Kind::kPad: {
      const Shape from = program_.shape(operation.inputs[0]);
      return Add("Pad", {inputs[0], WholeNumbers({0, 0, 0, 0, groups - from.groups, width - from.width})});
    }
    case Kind::kSoftmax: return Add("Softmax", inputs, {.numbers = {{"axis", -1}}});
    case Kind::kSumWidth: return Reduce(inputs[0], 2);
    case Kind::kSumGroups: return Reduce(inputs[0], 1);
  }
  return "";
}

std::string OnnxWriter::EmitInput(const ProgramInput& input) {
  auto* value = graph_->add_input();
  value->set_name(input.name);
  const std::vector<int64_t> shape = OnnxInputShape(input);
  SetType(value, input.type, shape);
  if (batch_.empty()) {
    const std::string sizes = Add("Shape", {input.name});
    batch_ = Add("Slice", {sizes, WholeNumbers({0}), WholeNumbers({1}), WholeNumbers({0})});
  }
  return WithoutMissing(input, shape.size() == 1 ? Unsqueeze(input.name) : input.name);
}

// x: [batch, positions, values]. What stands for "missing" becomes "" or NaN. A list of texts is one text in the data, so
// only a list of one value can be one of these.
std::string OnnxWriter::WithoutMissing(const ProgramInput& input, const std::string& x) {
  if (input.missing.empty()) return x;
  if (input.type == TensorType::kText) {
    std::string missing = IsOneOf(x, input.missing);
    if (input.list && input.values > 1) {
      const std::string first = Add("Slice", {missing, WholeNumbers({0}), WholeNumbers({1}), WholeNumbers({2})});
      const std::string alone = Add("Equal", {Reduce(IsNotEmpty(x), 2), WholeNumbers({1})});
      missing = Add("And", {Cast(first, TensorType::kTruth), alone});
    } else {
      missing = Cast(missing, TensorType::kTruth);
    }
    return Add("Where", {missing, Text(""), x});
  }
  std::string result = x;
  for (const std::string& text : input.missing) {
    float number = 0;
    // As a number of a request becomes a text to be compared.
    if (input.list || ParseFloat(text, &number) != NumberParse::kOk || NumberText(number) != text) continue;
    const std::string equal = Add("Equal", {x, Scalar(number)});
    result = Add("Where", {equal, Scalar(std::numeric_limits<float>::quiet_NaN()), result});
  }
  return result;
}

std::string OnnxWriter::EmitWhole(const Operation& operation) {
  std::vector<std::string> keys = {""};
  std::vector<int64_t> ids = {operation.ids[0]};
  for (int64_t id = 0; id < operation.number; ++id) {
    keys.push_back(std::to_string(id));
    ids.push_back(id);
  }
  return Encode(Name(operation.inputs[0]), keys, ids, operation.ids[1]);
}

// The largest of the places, counted from 1, where something is.
std::string OnnxWriter::EmitLength(const Operation& operation) {
  const Tensor input = operation.inputs[0];
  const Operation& of_input = program_.operation(input);
  const bool texts = of_input.type == TensorType::kText;
  const int64_t positions = texts ? of_input.shape.width : of_input.shape.groups, axis = texts ? 2 : 1;
  std::string present;
  if (texts) {
    present = IsNotEmpty(Name(input));
  } else {
    const std::string number = Add("Not", {Add("IsNaN", {Name(input)})});
    present = ReduceMax(Cast(number, TensorType::kId), 2);
  }
  std::vector<int64_t> places;
  for (int64_t i = 1; i <= positions; ++i) places.push_back(i);
  std::string counting = WholeNumbers(places);
  if (!texts) counting = Add("Unsqueeze", {counting, WholeNumbers({1})});
  return ReduceMax(Add("Mul", {present, counting}), axis);
}

std::string OnnxWriter::EmitOneHot(const Operation& operation) {
  auto* off_on = NewInitializer(TensorType::kNumber, {2});
  off_on->set_raw_data(Bytes(std::vector<float>{0, 1}));
  const std::string values = off_on->name();
  const std::string each = Add("OneHot", {Name(operation.inputs[0]), WholeNumbers({operation.shape.width}), values});
  return Add("ReduceSum", {each, WholeNumbers({2})}, {.numbers = {{"keepdims", 0}}});
}

// A product for each group: one batched product with the groups in front ends ONNX Runtime 1.31 on a batch of 0 rows.
std::string OnnxWriter::EmitBank(const Operation& operation) {
  const auto [groups, in] = program_.shape(operation.inputs[0]);
  const std::vector<float>& weights = program_.operation(operation.inputs[1]).numbers;
  const int64_t size = in * operation.shape.width;
  std::vector<std::string> products;
  for (int64_t g = 0; g < groups; ++g) {
    auto* tensor = NewInitializer(TensorType::kNumber, {in, operation.shape.width});
    tensor->set_raw_data(Bytes(std::vector<float>(weights.begin() + g * size, weights.begin() + (g + 1) * size)));
    bytes_ += size * static_cast<int64_t>(sizeof(float));
    const std::string weight = tensor->name();
    const std::string x =
        Add("Slice", {Name(operation.inputs[0]), WholeNumbers({g}), WholeNumbers({g + 1}), WholeNumbers({1})});
    products.push_back(Add("MatMul", {x, weight}));
  }
  return Add("Concat", products, {.numbers = {{"axis", 1}}});
}

std::string OnnxWriter::EmitRepeat(const Operation& operation) {
  const std::string shape = Add("Concat", {batch_, WholeNumbers({1, 1})}, {.numbers = {{"axis", 0}}});
  return Add("Expand", {Name(operation.inputs[0]), shape});
}

void OnnxWriter::AddOutput(const TensorProgram::Output& output) {
  scope_ = output.name;
  const int64_t width = program_.shape(output.tensor).size();
  const std::string flat = Add("Reshape", {Name(output.tensor), WholeNumbers({0, width})});
  NewNode("Identity", {flat}, {}, output.name);
  auto* value = graph_->add_output();
  value->set_name(output.name);
  SetType(value, TensorType::kNumber, {width});
}

}  // namespace

std::vector<int64_t> OnnxInputShape(const ProgramInput& input) {
  const bool matrix = input.type == TensorType::kNumber && input.sequence;
  return matrix ? std::vector<int64_t>{input.positions, input.values} : std::vector<int64_t>{input.values};
}

StatusOr<std::string> WriteOnnx(const TensorProgram& program, const OnnxChoice& choice) {
  return OnnxWriter(program, choice).Write();
}

}  // namespace manygate
