// SPDX-License-Identifier: Apache-2.0
// Tensors are [batch, groups, width] throughout, constants [groups, width].
#include "manygate/export/onnx_writer.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "manygate/data/number_text.h"
#include "manygate/export/onnx_builder.h"

namespace manygate {
namespace {

using Kind = TensorProgram::Kind;
using Operation = TensorProgram::Operation;

constexpr int64_t kMostBytes = 1'800'000'000;  // protobuf's own limit is 2 GB

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

Status TooLarge() {
  return InvalidInput(
      "the model is larger than the 1.8 GB that an ONNX file can hold: give its largest embedding tables fewer rows "
      "(max_vocabulary, num_buckets) or a smaller embedding_dim and train again");
}

class OnnxWriter {
 public:
  OnnxWriter(const TensorProgram& program, const OnnxChoice& choice)
      : program_(program), used_(program.Used()), names_(program.operations().size()), builder_(choice) {}

  StatusOr<std::string> Write() {
    for (const ProgramInput& input : program_.inputs()) builder_.Take(input.name);
    for (const TensorProgram::Output& output : program_.outputs()) {
      if (builder_.Take(output.name)) continue;
      return InvalidInput(fmt::format(
          "the column \"{}\" has the name of an output of the model, and an ONNX model cannot hold both: rename "
          "the column and train again",
          output.name));
    }
    for (size_t i = 0; i < names_.size(); ++i) {
      const Operation& operation = program_.operations()[i];
      if (!used_[i] || operation.kind == Kind::kConstant) continue;
      builder_.SetScope(operation.scope);
      names_[i] = Emit(operation);
      if (builder_.bytes() > kMostBytes) return TooLarge();
    }
    for (const TensorProgram::Output& output : program_.outputs()) {
      builder_.SetScope(output.name);
      const int64_t width = program_.shape(output.tensor).size();
      const std::string flat = builder_.Add("Reshape", {Name(output.tensor), builder_.WholeNumbers({0, width})});
      builder_.AddOutput(output.name, flat, width);
    }
    if (builder_.model().ByteSizeLong() > static_cast<size_t>(kMostBytes)) return TooLarge();
    return builder_.model().SerializeAsString();
  }

 private:
  // What a tensor of the program is called; a constant is written when it is first asked for.
  const std::string& Name(Tensor tensor) {
    std::string& name = names_[static_cast<size_t>(tensor)];
    if (name.empty()) name = Constant(program_.operation(tensor));
    return name;
  }
  std::string Constant(const Operation& operation) {
    const std::vector<int64_t> dims = {operation.shape.groups, operation.shape.width};
    switch (operation.type) {
      case TensorType::kNumber: return builder_.Values(operation.type, dims, operation.numbers);
      case TensorType::kDouble: return builder_.Values(operation.type, dims, operation.doubles);
      default: return builder_.Values(operation.type, dims, operation.ids);
    }
  }

  std::string Emit(const Operation& operation);
  std::string EmitInput(const ProgramInput& input);
  std::string WithoutMissing(const ProgramInput& input, const std::string& x);
  std::string EmitWhole(const Operation& operation);
  std::string EmitLength(const Operation& operation);
  std::string EmitOneHot(const Operation& operation);
  std::string EmitBank(const Operation& operation);
  std::string EmitRepeat(const Operation& operation);

  const TensorProgram& program_;
  const std::vector<bool> used_;
  std::vector<std::string> names_;  // by tensor
  std::string batch_;               // the number of rows, [1]
  OnnxBuilder builder_;
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
    case Kind::kLookUp: return builder_.Encode(inputs[0], operation.texts, operation.ids, operation.number);
    case Kind::kWhole: return EmitWhole(operation);
    case Kind::kParse: {
      const std::string empty = builder_.Cast(builder_.IsOneOf(inputs[0], {""}), TensorType::kTruth);
      return builder_.Cast(builder_.Add("Where", {empty, builder_.Text("NaN"), inputs[0]}), TensorType::kNumber);
    }
    case Kind::kCast: return builder_.Cast(inputs[0], operation.type);
    case Kind::kLength: return EmitLength(operation);
    case Kind::kGather: {
      const std::string rows = builder_.Add("Gather", inputs, {.numbers = {{"axis", 0}}});
      return builder_.Add("Squeeze", {rows, builder_.WholeNumbers({1})});
    }
    case Kind::kOneHot: return EmitOneHot(operation);
    case Kind::kMatMul:
    case Kind::kRowMatMul: return builder_.Add("MatMul", inputs);
    case Kind::kBankMatMul: return EmitBank(operation);
    case Kind::kUnary: return builder_.Add(OperatorOf(operation.unary), inputs);
    case Kind::kBinary: return builder_.Add(OperatorOf(operation.binary), inputs);
    case Kind::kSelect: return builder_.Add("Where", inputs);
    case Kind::kConcat: return builder_.Add("Concat", inputs, {.numbers = {{"axis", 2}}});
    case Kind::kSlice: return builder_.Slice(inputs[0], 2, operation.number, operation.number + width);
    case Kind::kReshape: return builder_.Add("Reshape", {inputs[0], builder_.WholeNumbers({0, groups, width})});
    case Kind::kPad: {
      const Shape from = program_.shape(operation.inputs[0]);
      return builder_.Add("Pad",
                          {inputs[0], builder_.WholeNumbers({0, 0, 0, 0, groups - from.groups, width - from.width})});
    }
    case Kind::kSoftmax: return builder_.Add("Softmax", inputs, {.numbers = {{"axis", -1}}});
    case Kind::kSumWidth: return builder_.ReduceSum(inputs[0], 2);
    case Kind::kSumGroups: return builder_.ReduceSum(inputs[0], 1);
  }
  return "";
}

std::string OnnxWriter::EmitInput(const ProgramInput& input) {
  const std::vector<int64_t> shape = OnnxInputShape(input);
  builder_.AddInput(input.name, input.type, shape);
  if (batch_.empty()) {
    const std::string sizes = builder_.Add("Shape", {input.name});
    batch_ = builder_.Slice(sizes, 0, 0, 1);
  }
  const std::string x =
      shape.size() == 1 ? builder_.Add("Unsqueeze", {input.name, builder_.WholeNumbers({1})}) : input.name;
  return WithoutMissing(input, x);
}

// x: [batch, positions, values]. What stands for "missing" becomes "" or NaN. A list of texts is one text in the data, so
// only a list of one value can be one of these.
std::string OnnxWriter::WithoutMissing(const ProgramInput& input, const std::string& x) {
  if (input.missing.empty()) return x;
  if (input.type == TensorType::kText) {
    std::string missing = builder_.IsOneOf(x, input.missing);
    if (input.list && input.values > 1) {
      const std::string first = builder_.Slice(missing, 2, 0, 1);
      const std::string alone =
          builder_.Add("Equal", {builder_.ReduceSum(builder_.IsNotEmpty(x), 2), builder_.WholeNumbers({1})});
      missing = builder_.Add("And", {builder_.Cast(first, TensorType::kTruth), alone});
    } else {
      missing = builder_.Cast(missing, TensorType::kTruth);
    }
    return builder_.Add("Where", {missing, builder_.Text(""), x});
  }
  std::string result = x;
  for (const std::string& text : input.missing) {
    float number = 0;
    // As a number of a request becomes a text to be compared.
    if (input.list || ParseFloat(text, &number) != NumberParse::kOk || NumberText(number) != text) continue;
    const std::string equal = builder_.Add("Equal", {x, builder_.Scalar(number)});
    result = builder_.Add("Where", {equal, builder_.Scalar(std::numeric_limits<float>::quiet_NaN()), result});
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
  return builder_.Encode(Name(operation.inputs[0]), keys, ids, operation.ids[1]);
}

// The largest of the places, counted from 1, where something is.
std::string OnnxWriter::EmitLength(const Operation& operation) {
  const Tensor input = operation.inputs[0];
  const Operation& of_input = program_.operation(input);
  const bool texts = of_input.type == TensorType::kText;
  const int64_t positions = texts ? of_input.shape.width : of_input.shape.groups, axis = texts ? 2 : 1;
  std::string present;
  if (texts) {
    present = builder_.IsNotEmpty(Name(input));
  } else {
    const std::string number = builder_.Add("Not", {builder_.Add("IsNaN", {Name(input)})});
    present = builder_.ReduceMax(builder_.Cast(number, TensorType::kId), 2);
  }
  std::vector<int64_t> places;
  for (int64_t i = 1; i <= positions; ++i) places.push_back(i);
  std::string counting = builder_.WholeNumbers(places);
  if (!texts) counting = builder_.Add("Unsqueeze", {counting, builder_.WholeNumbers({1})});
  return builder_.ReduceMax(builder_.Add("Mul", {present, counting}), axis);
}

std::string OnnxWriter::EmitOneHot(const Operation& operation) {
  const std::string values = builder_.Values<float>(TensorType::kNumber, {2}, {0, 1});
  const std::string each =
      builder_.Add("OneHot", {Name(operation.inputs[0]), builder_.WholeNumbers({operation.shape.width}), values});
  return builder_.Add("ReduceSum", {each, builder_.WholeNumbers({2})}, {.numbers = {{"keepdims", 0}}});
}

// A product for each group: one batched product with the groups in front ends ONNX Runtime 1.31 on a batch of 0 rows.
std::string OnnxWriter::EmitBank(const Operation& operation) {
  const auto [groups, in] = program_.shape(operation.inputs[0]);
  const std::vector<float>& weights = program_.operation(operation.inputs[1]).numbers;
  const int64_t size = in * operation.shape.width;
  std::vector<std::string> products;
  for (int64_t g = 0; g < groups; ++g) {
    const std::vector<float> values(weights.begin() + g * size, weights.begin() + (g + 1) * size);
    const std::string weight = builder_.Values(TensorType::kNumber, {in, operation.shape.width}, values);
    const std::string x = builder_.Slice(Name(operation.inputs[0]), 1, g, g + 1);
    products.push_back(builder_.Add("MatMul", {x, weight}));
  }
  return builder_.Add("Concat", products, {.numbers = {{"axis", 1}}});
}

std::string OnnxWriter::EmitRepeat(const Operation& operation) {
  const std::string shape = builder_.Add("Concat", {batch_, builder_.WholeNumbers({1, 1})}, {.numbers = {{"axis", 0}}});
  return builder_.Add("Expand", {Name(operation.inputs[0]), shape});
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
