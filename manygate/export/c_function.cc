// SPDX-License-Identifier: Apache-2.0
// Each tensor has a place in one of five local arrays, by type: f numbers, d doubles, n ids, b truths, t texts; places are used
// again once nothing reads them any more. Constants are static arrays.
#include "manygate/export/c_function.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <type_traits>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/data/number_text.h"
#include "manygate/export/c_layout.h"
#include "manygate/export/c_text.h"

namespace manygate {
namespace {

using Kind = TensorProgram::Kind;
using Operation = TensorProgram::Operation;

std::string OfUnary(UnaryKind kind, const std::string& x, bool in_double) {
  const std::string f = in_double ? "" : "f", one = in_double ? "1.0" : "1.0f", zero = in_double ? "0.0" : "0.0f";
  switch (kind) {
    case UnaryKind::kNegative: return "-" + x;
    case UnaryKind::kAbsolute: return fmt::format("fabs{}({})", f, x);
    case UnaryKind::kExp: return fmt::format("exp{}({})", f, x);
    case UnaryKind::kLog: return fmt::format("log{}({})", f, x);
    case UnaryKind::kSqrt: return fmt::format("sqrt{}({})", f, x);
    case UnaryKind::kTanh: return fmt::format("tanh{}({})", f, x);
    case UnaryKind::kSigmoid: return fmt::format("{} / ({} + exp{}(-{}))", one, one, f, x);
    case UnaryKind::kRelu: return fmt::format("{} > {} ? {} : {}", x, zero, x, zero);
    case UnaryKind::kErf: return fmt::format("erf{}({})", f, x);
    case UnaryKind::kIsNaN: return fmt::format("isnan({}) != 0", x);
  }
  return "";
}

std::string OfBinary(BinaryKind kind, const std::string& a, const std::string& b) {
  switch (kind) {
    case BinaryKind::kAdd: return fmt::format("{} + {}", a, b);
    case BinaryKind::kSubtract: return fmt::format("{} - {}", a, b);
    case BinaryKind::kMultiply: return fmt::format("{} * {}", a, b);
    case BinaryKind::kDivide: return fmt::format("{} / {}", a, b);
    case BinaryKind::kSmaller: return fmt::format("{} < {} ? {} : {}", a, b, a, b);
    case BinaryKind::kLarger: return fmt::format("{} > {} ? {} : {}", a, b, a, b);
    case BinaryKind::kLess: return fmt::format("{} < {}", a, b);
    case BinaryKind::kAtLeast: return fmt::format("{} >= {}", a, b);
    case BinaryKind::kEqual: return fmt::format("{} == {}", a, b);
  }
  return "";
}

// Values of a row of an array initializer, with a line end after every few.
template <typename Values>
void AppendValues(const Values& values, std::string* out) {
  for (size_t i = 0; i < values.size(); ++i) {
    if constexpr (std::is_integral_v<typename Values::value_type>) {
      *out += std::to_string(values[i]);
    } else {
      *out += CLiteral(values[i]);
    }
    *out += i + 1 == values.size() ? "" : i % 10 == 9 ? ",\n  " : ", ";
  }
}

class FunctionWriter {
 public:
  FunctionWriter(const TensorProgram& program, const CNames& names, bool trim_blanks)
      : program_(program), names_(names), trim_blanks_(trim_blanks), used_(program.Used()), layout_(program, used_) {}

  StatusOr<CFunction> Write() {
    for (size_t i = 0; i < used_.size(); ++i)
      if (used_[i]) MG_RETURN_IF_ERROR(Emit(static_cast<Tensor>(i), program_.operations()[i]));
    for (size_t i = 0; i < names_.results.size(); ++i) {
      const Tensor tensor = program_.outputs()[i].tensor;
      Line(fmt::format("memcpy(result->{}, {}, sizeof result->{});", names_.results[i], Array(tensor),
                       names_.results[i]));
    }
    for (const Tensor constant : constants_) AppendConstant(constant);
    for (const TensorType type :
         {TensorType::kNumber, TensorType::kDouble, TensorType::kId, TensorType::kTruth, TensorType::kText}) {
      if (layout_.size(type) == 0) continue;
      function_.declarations +=
          fmt::format("  {} {}[{}];\n", CLayout::TypeName(type), CLayout::Letter(type), layout_.size(type));
    }
    if (uses_g_) function_.declarations += "  int g;\n";
    if (uses_w_) function_.declarations += "  int w;\n";
    return std::move(function_);
  }

 private:
  const Shape& ShapeOf(Tensor tensor) const { return program_.shape(tensor); }
  const ProgramInput& InputOf(const Operation& operation) const {
    return program_.inputs()[static_cast<size_t>(operation.number)];
  }

  // Where a tensor's values begin: "c12" or "(f + 340)".
  std::string Array(Tensor tensor) {
    const Operation& operation = program_.operation(tensor);
    if (operation.kind != Kind::kConstant)
      return fmt::format("({} + {})", CLayout::Letter(operation.type), layout_.place(tensor));
    constants_.insert(tensor);
    return fmt::format("c{}", tensor);
  }
  // The value at group g and column w of a tensor that may be repeated over either.
  std::string At(Tensor tensor) {
    const auto [groups, width] = ShapeOf(tensor);
    const Operation& operation = program_.operation(tensor);
    const bool constant = operation.kind == Kind::kConstant;
    if (constant && groups * width == 1) {
      switch (operation.type) {
        case TensorType::kNumber: return Enclosed(CLiteral(operation.numbers[0]));
        case TensorType::kDouble: return Enclosed(CLiteral(operation.doubles[0]));
        default: return std::to_string(operation.ids[0]);
      }
    }
    const std::string array = constant ? Array(tensor) : CLayout::Letter(operation.type);
    std::string index = constant ? "" : std::to_string(layout_.place(tensor));
    const auto add = [&](const std::string& term) { index += (index.empty() ? "" : " + ") + term; };
    if (groups > 1) add(width == 1 ? "g" : fmt::format("g * {}", width));
    if (width > 1) add("w");
    return fmt::format("{}[{}]", array, index);
  }
  static std::string Enclosed(const std::string& literal) { return literal[0] == '-' ? "(" + literal + ")" : literal; }

  void Line(const std::string& text) { function_.body += "  " + text + "\n"; }
  // "for (g = ...) for (w = ...) ", as far as there is more than one of them.
  std::string Loops(Shape shape) {
    std::string loops;
    if (shape.groups > 1) loops += fmt::format("for (g = 0; g < {}; ++g) ", shape.groups), uses_g_ = true;
    if (shape.width > 1) loops += fmt::format("for (w = 0; w < {}; ++w) ", shape.width), uses_w_ = true;
    return loops;
  }
  // Sets every value of a tensor.
  void ForEach(Tensor tensor, const std::string& value) {
    Line(fmt::format("{}{} = {};", Loops(ShapeOf(tensor)), At(tensor), value));
  }
  void Clear(Tensor tensor) {
    Line(fmt::format("memset({}, 0, {} * sizeof *{});", Array(tensor), ShapeOf(tensor).size(), Array(tensor)));
  }
  // Copies columns of each group of a tensor into another.
  void Copy(Tensor from, Tensor to, int64_t to_column, int64_t from_column, int64_t columns) {
    const auto [groups, width] = ShapeOf(from);
    if (groups > 1) uses_g_ = true;
    const std::string loop = groups > 1 ? fmt::format("for (g = 0; g < {}; ++g) ", groups) : "";
    const std::string to_group = groups > 1 ? fmt::format(" + g * {}", ShapeOf(to).width) : "";
    const std::string from_group = groups > 1 ? fmt::format(" + g * {}", width) : "";
    Line(fmt::format("{}memcpy({}{} + {}, {}{} + {}, {} * sizeof *{});", loop, Array(to), to_group, to_column,
                     Array(from), from_group, from_column, columns, Array(to)));
  }

  Status Emit(Tensor tensor, const Operation& operation);
  void AppendConstant(Tensor tensor);
  void EmitInput(Tensor tensor, const Operation& operation);
  void EmitTexts(Tensor tensor, const Operation& operation);
  Status EmitLookUp(Tensor tensor, const Operation& operation);
  void EmitGather(Tensor tensor, const Operation& operation);
  void EmitOneHot(Tensor tensor, const Operation& operation);
  void EmitLength(Tensor tensor, const Operation& operation);
  void EmitBank(Tensor tensor, const Operation& operation);
  void EmitConcat(Tensor tensor, const Operation& operation);
  void EmitSum(Tensor tensor, const Operation& operation);
  bool IsCounted(Tensor input) const;
  void AppendKeys(const std::string& name, std::vector<std::pair<std::string, int64_t>> keys);

  const TensorProgram& program_;
  const CNames& names_;
  const bool trim_blanks_;
  const std::vector<bool> used_;
  const CLayout layout_;
  std::set<Tensor> constants_;  // that stand in arrays
  CFunction function_;
  bool uses_g_ = false, uses_w_ = false, has_missing_ = false;
};

Status FunctionWriter::Emit(Tensor tensor, const Operation& operation) {
  const std::vector<Tensor>& inputs = operation.inputs;
  const auto [groups, width] = operation.shape;
  switch (operation.kind) {
    case Kind::kInput: EmitInput(tensor, operation); break;
    case Kind::kConstant: break;  // written where something reads it as an array
    case Kind::kRepeat: ForEach(tensor, At(inputs[0])); break;
    case Kind::kLookUp: return EmitLookUp(tensor, operation);
    case Kind::kWhole:
      ForEach(tensor, fmt::format("whole_number({}, {}, {}, {})", At(inputs[0]), operation.number, operation.ids[0],
                                  operation.ids[1]));
      break;
    case Kind::kParse:
      Line(fmt::format("if (!parse_number({}, {})) return {};", At(inputs[0]), Array(tensor),
                       program_.operation(inputs[0]).number + 1));
      break;
    case Kind::kCast: ForEach(tensor, fmt::format("({}){}", CLayout::TypeName(operation.type), At(inputs[0]))); break;
    case Kind::kLength: EmitLength(tensor, operation); break;
    case Kind::kGather: EmitGather(tensor, operation); break;
    case Kind::kOneHot: EmitOneHot(tensor, operation); break;
    case Kind::kMatMul:
    case Kind::kRowMatMul:
      Line(fmt::format("multiply({}, {}, {}, {}, {}, {});", groups, ShapeOf(inputs[0]).width, width, Array(inputs[0]),
                       Array(inputs[1]), Array(tensor)));
      break;
    case Kind::kBankMatMul: EmitBank(tensor, operation); break;
    case Kind::kUnary:
      ForEach(tensor,
              OfUnary(operation.unary, At(inputs[0]), program_.operation(inputs[0]).type == TensorType::kDouble));
      break;
    case Kind::kBinary: ForEach(tensor, OfBinary(operation.binary, At(inputs[0]), At(inputs[1]))); break;
    case Kind::kSelect:
      ForEach(tensor, fmt::format("{} ? {} : {}", At(inputs[0]), At(inputs[1]), At(inputs[2])));
      break;
    case Kind::kConcat: EmitConcat(tensor, operation); break;
    case Kind::kSlice: Copy(inputs[0], tensor, 0, operation.number, width); break;
    case Kind::kReshape:
      Line(fmt::format("memcpy({}, {}, {} * sizeof *{});", Array(tensor), Array(inputs[0]), groups * width,
                       Array(tensor)));
      break;
    case Kind::kPad:
      Clear(tensor);
      Copy(inputs[0], tensor, 0, 0, ShapeOf(inputs[0]).width);
      break;
    case Kind::kSoftmax:
      Line(fmt::format("softmax({}, {}, {}, {});", groups, width, Array(inputs[0]), Array(tensor)));
      break;
    case Kind::kSumWidth:
    case Kind::kSumGroups: EmitSum(tensor, operation); break;
  }
  return OkStatus();
}

void FunctionWriter::AppendConstant(Tensor tensor) {
  const Operation& operation = program_.operation(tensor);
  std::string& constants = function_.constants;
  constants += fmt::format("static const {} c{}[{}] = {{\n  ", CLayout::TypeName(operation.type), tensor,
                           operation.shape.size());
  switch (operation.type) {
    case TensorType::kNumber: AppendValues(operation.numbers, &constants); break;
    case TensorType::kDouble: AppendValues(operation.doubles, &constants); break;
    default: AppendValues(operation.ids, &constants); break;
  }
  constants += "};\n";
}

// An infinite number is wrong, as it is to the program.
void FunctionWriter::EmitInput(Tensor tensor, const Operation& operation) {
  const ProgramInput& input = InputOf(operation);
  if (input.type == TensorType::kText) return EmitTexts(tensor, operation);
  const std::string field = names_.fields[static_cast<size_t>(operation.number)];
  const std::string values = At(tensor), loops = Loops(operation.shape);
  if (input.list) {
    Line(fmt::format("memcpy({}, row->{}, sizeof row->{});", Array(tensor), field, field));
  } else {
    Line(fmt::format("{} = row->{};", values, field));
  }
  Line(fmt::format("{}if (isinf({})) return {};", loops, values, operation.number + 1));
  for (const std::string& text : input.missing) {
    float number = 0;
    // As a number of a request becomes a text to be compared.
    if (input.list || ParseFloat(text, &number) != NumberParse::kOk || NumberText(number) != text) continue;
    Line(fmt::format("if ({} == {}) {} = NAN;", values, CLiteral(number), values));
  }
}

// Whether the number of positions that a text has is wanted.
bool FunctionWriter::IsCounted(Tensor input) const {
  for (size_t i = 0; i < used_.size(); ++i) {
    const Operation& operation = program_.operations()[i];
    if (used_[i] && operation.kind == Kind::kLength && operation.inputs[0] == input) return true;
  }
  return false;
}

void FunctionWriter::EmitTexts(Tensor tensor, const Operation& operation) {
  const ProgramInput& input = InputOf(operation);
  std::string text = fmt::format("view_of(row->{})", names_.fields[static_cast<size_t>(operation.number)]);
  if (trim_blanks_) text = fmt::format("trimmed({}, \" \\t\")", text);
  if (!input.missing.empty()) {
    if (!std::exchange(has_missing_, true)) {
      std::vector<std::pair<std::string, int64_t>> keys;
      for (const std::string& one : input.missing) keys.emplace_back(one, 0);
      AppendKeys("missing_texts", std::move(keys));
    }
    text = fmt::format("known({}, missing_texts, {})", text, input.missing.size());
  }
  if (!input.list) return ForEach(tensor, text);
  const bool counted = input.sequence && IsCounted(tensor);
  if (counted) function_.declarations += fmt::format("  int count_{};\n", tensor);
  Line(fmt::format("{}split_text({}, {}, {}, {}, {});", counted ? fmt::format("count_{} = ", tensor) : "", text,
                   static_cast<int>(static_cast<unsigned char>(input.separator[0])), input.sequence ? 1 : 0,
                   input.values, Array(tensor)));
}

// Sorted by their bytes, as look_up compares them.
void FunctionWriter::AppendKeys(const std::string& name, std::vector<std::pair<std::string, int64_t>> keys) {
  std::sort(keys.begin(), keys.end());
  function_.constants += fmt::format("static const text_key {}[{}] = {{", name, keys.size());
  for (size_t i = 0; i < keys.size(); ++i)
    function_.constants += fmt::format("{}\n  {{{}, {}, {}}}", i == 0 ? "" : ",",
                                       CLiteral(std::string_view(keys[i].first)), keys[i].first.size(), keys[i].second);
  function_.constants += "};\n";
}

Status FunctionWriter::EmitLookUp(Tensor tensor, const Operation& operation) {
  std::vector<std::pair<std::string, int64_t>> keys;
  for (size_t i = 0; i < operation.texts.size(); ++i) {
    if (operation.texts[i].find('\0') != std::string::npos)
      return InvalidInput(
          fmt::format("{}: the vocabulary has a text with a NUL byte, which C cannot hold", operation.scope));
    keys.emplace_back(operation.texts[i], operation.ids[i]);
  }
  const std::string name = fmt::format("k{}", tensor);
  AppendKeys(name, std::move(keys));
  ForEach(tensor, fmt::format("look_up({}, {}, {}, {})", At(operation.inputs[0]), name, operation.texts.size(),
                              operation.number));
  return OkStatus();
}

void FunctionWriter::EmitGather(Tensor tensor, const Operation& operation) {
  const auto [count, width] = operation.shape;
  const Shape ids{1, count};
  Line(fmt::format("{}memcpy({}{}, {} + (size_t){} * {}, {} * sizeof *{});", Loops(ids), Array(tensor),
                   count > 1 ? fmt::format(" + w * {}", width) : "", Array(operation.inputs[0]),
                   At(operation.inputs[1]), width, width, Array(tensor)));
}

void FunctionWriter::EmitOneHot(Tensor tensor, const Operation& operation) {
  const Tensor ids = operation.inputs[0];
  Clear(tensor);
  Line(fmt::format("{}if ({} < {}) {}[{}] += 1.0f;", Loops(ShapeOf(ids)), At(ids), operation.shape.width, Array(tensor),
                   At(ids)));
}

void FunctionWriter::EmitLength(Tensor tensor, const Operation& operation) {
  const Tensor input = operation.inputs[0];
  const Operation& of_input = program_.operation(input);
  const bool texts = of_input.type == TensorType::kText;
  if (texts && of_input.kind == Kind::kInput && InputOf(of_input).sequence)
    return ForEach(tensor, fmt::format("count_{}", input));
  ForEach(tensor, "0");
  const std::string present = texts ? At(input) + ".size > 0" : fmt::format("!isnan({})", At(input));
  const int64_t positions = texts ? of_input.shape.width : of_input.shape.groups;
  const std::string place = positions == 1 ? "1" : texts ? "w + 1" : "g + 1";
  Line(fmt::format("{}if ({}) {} = {};", Loops(of_input.shape), present, At(tensor), place));
}

void FunctionWriter::EmitBank(Tensor tensor, const Operation& operation) {
  const auto [groups, width] = operation.shape;
  const Tensor x = operation.inputs[0];
  const int64_t in = ShapeOf(x).width;
  uses_g_ = true;
  Line(fmt::format("for (g = 0; g < {}; ++g) multiply(1, {}, {}, {} + g * {}, {} + g * {}, {} + g * {});", groups, in,
                   width, Array(x), in, Array(operation.inputs[1]), in * width, Array(tensor), width));
}

void FunctionWriter::EmitConcat(Tensor tensor, const Operation& operation) {
  int64_t column = 0;
  for (const Tensor input : operation.inputs) {
    Copy(input, tensor, column, 0, ShapeOf(input).width);
    column += ShapeOf(input).width;
  }
}

void FunctionWriter::EmitSum(Tensor tensor, const Operation& operation) {
  Clear(tensor);
  const Tensor input = operation.inputs[0];
  Line(fmt::format("{}{} += {};", Loops(ShapeOf(input)), At(tensor), At(input)));
}

}  // namespace

StatusOr<CFunction> WriteCFunction(const TensorProgram& program, const CNames& names, bool trim_blanks) {
  return FunctionWriter(program, names, trim_blanks).Write();
}

}  // namespace manygate
