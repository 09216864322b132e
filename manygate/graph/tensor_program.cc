// SPDX-License-Identifier: Apache-2.0
#include "manygate/graph/tensor_program.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "manygate/base/check.h"

namespace manygate {
namespace {

using Operation = TensorProgram::Operation;
using Kind = TensorProgram::Kind;

int64_t Together(int64_t a, int64_t b) {
  MG_CHECK(a == b || a == 1 || b == 1, "{} values meet {}", a, b);
  return std::max(a, b);
}

Shape Together(const Shape& a, const Shape& b) { return {Together(a.groups, b.groups), Together(a.width, b.width)}; }

}  // namespace

Tensor TensorProgram::New(Operation operation) {
  operation.scope = scope_;
  operations_.push_back(std::move(operation));
  return static_cast<Tensor>(operations_.size()) - 1;
}

Tensor TensorProgram::Input(ProgramInput input) {
  const Shape shape{input.positions, input.values};
  const TensorType type = input.type;
  inputs_.push_back(std::move(input));
  return New({.kind = Kind::kInput, .type = type, .shape = shape, .number = static_cast<int64_t>(inputs_.size()) - 1});
}

Tensor TensorProgram::Numbers(Shape shape, std::vector<float> values) {
  MG_CHECK(static_cast<int64_t>(values.size()) == shape.size(), "{} values of [{}, {}]", values.size(), shape.groups,
           shape.width);
  return New({.kind = Kind::kConstant,
              .type = TensorType::kNumber,
              .shape = shape,
              .constant = true,
              .numbers = std::move(values)});
}

Tensor TensorProgram::Doubles(Shape shape, std::vector<double> values) {
  MG_CHECK(static_cast<int64_t>(values.size()) == shape.size(), "{} values of [{}, {}]", values.size(), shape.groups,
           shape.width);
  return New({.kind = Kind::kConstant,
              .type = TensorType::kDouble,
              .shape = shape,
              .constant = true,
              .doubles = std::move(values)});
}

Tensor TensorProgram::Ids(Shape shape, std::vector<int64_t> values) {
  MG_CHECK(static_cast<int64_t>(values.size()) == shape.size(), "{} values of [{}, {}]", values.size(), shape.groups,
           shape.width);
  return New(
      {.kind = Kind::kConstant, .type = TensorType::kId, .shape = shape, .constant = true, .ids = std::move(values)});
}

Tensor TensorProgram::Counting(int64_t n) {
  std::vector<int64_t> values(static_cast<size_t>(n));
  std::iota(values.begin(), values.end(), 0);
  return Ids({1, n}, std::move(values));
}

Tensor TensorProgram::Repeat(Tensor constant) {
  MG_CHECK(operation(constant).constant, "tensor {} is no constant", constant);
  return New({.kind = Kind::kRepeat, .type = operation(constant).type, .shape = shape(constant), .inputs = {constant}});
}

Tensor TensorProgram::LookUp(Tensor text, std::vector<std::string> texts, std::vector<int64_t> ids, int64_t unknown) {
  MG_CHECK(texts.size() == ids.size(), "{} texts, {} ids", texts.size(), ids.size());
  return New({.kind = Kind::kLookUp,
              .type = TensorType::kId,
              .shape = shape(text),
              .inputs = {text},
              .number = unknown,
              .ids = std::move(ids),
              .texts = std::move(texts)});
}

Tensor TensorProgram::Whole(Tensor text, int64_t below, int64_t missing, int64_t unknown) {
  return New({.kind = Kind::kWhole,
              .type = TensorType::kId,
              .shape = shape(text),
              .inputs = {text},
              .number = below,
              .ids = {missing, unknown}});
}

Tensor TensorProgram::Parse(Tensor text) {
  return New({.kind = Kind::kParse, .type = TensorType::kNumber, .shape = shape(text), .inputs = {text}});
}

Tensor TensorProgram::Cast(Tensor x, TensorType type) {
  if (operation(x).type == type) return x;
  return New({.kind = Kind::kCast, .type = type, .shape = shape(x), .inputs = {x}});
}

Tensor TensorProgram::Length(Tensor x) {
  return New({.kind = Kind::kLength, .type = TensorType::kId, .shape = {1, 1}, .inputs = {x}});
}

Tensor TensorProgram::Gather(Tensor table, Tensor ids) {
  MG_CHECK(shape(ids).groups == 1, "ids of {} groups", shape(ids).groups);
  return New({.kind = Kind::kGather,
              .type = operation(table).type,
              .shape = {shape(ids).width, shape(table).width},
              .inputs = {table, ids}});
}

Tensor TensorProgram::OneHot(Tensor ids, int64_t width) {
  return New({.kind = Kind::kOneHot, .type = TensorType::kNumber, .shape = {1, width}, .inputs = {ids}});
}

// Ids that stand behind a one-hot's width ("no more values") select the row of zeros behind all rows.
const TensorProgram::Factors& TensorProgram::FactorsOf(Tensor x) {
  const auto found = factors_.find(x);
  if (found != factors_.end()) return found->second;
  const bool joined = operation(x).kind == Kind::kConcat && shape(x).groups == 1;
  const std::vector<Tensor> parts = joined ? operation(x).inputs : std::vector<Tensor>{x};
  Factors factors;
  std::vector<Tensor> ids, numbers;
  std::vector<int64_t> widths, first_rows;  // of the one-hot tensor that each id is of
  int64_t row = 0;
  for (const Tensor part : parts) {
    const Operation of_part = operation(part);
    const bool one_hot = of_part.kind == Kind::kOneHot;
    std::vector<int64_t>& rows = one_hot ? factors.looked_up : factors.multiplied;
    (one_hot ? ids : numbers).push_back(one_hot ? of_part.inputs[0] : part);
    if (one_hot) {
      const auto count = static_cast<size_t>(shape(of_part.inputs[0]).width);
      widths.insert(widths.end(), count, of_part.shape.width);
      first_rows.insert(first_rows.end(), count, static_cast<int64_t>(rows.size()));
    }
    for (int64_t i = 0; i < of_part.shape.width; ++i) rows.push_back(row++);
  }
  if (!ids.empty()) {
    const Shape all{1, static_cast<int64_t>(widths.size())};
    const Tensor zeros = Ids({1, 1}, {static_cast<int64_t>(factors.looked_up.size())});
    const Tensor id = Concat(std::move(ids));
    const Tensor within = Binary(BinaryKind::kLess, id, Ids(all, std::move(widths)));
    factors.ids = Select(within, Add(id, Ids(all, std::move(first_rows))), zeros);
  }
  if (!numbers.empty()) factors.numbers = factors.ids < 0 ? x : Concat(std::move(numbers));
  return factors_[x] = std::move(factors);
}

Tensor TensorProgram::MatMul(Tensor x, Shape weight_shape, std::span<const float> weights) {
  const auto [in, out] = weight_shape;
  MG_CHECK(shape(x).width == in && static_cast<int64_t>(weights.size()) == in * out,
           "[{}, {}] times [{}, {}], {} values", shape(x).groups, shape(x).width, in, out, weights.size());
  const auto rows_of = [&, width = out](const std::vector<int64_t>& rows) {
    std::vector<float> values;
    values.reserve((rows.size() + 1) * static_cast<size_t>(width));
    for (const int64_t row : rows)
      values.insert(values.end(), weights.begin() + row * width, weights.begin() + (row + 1) * width);
    return values;
  };
  const Factors factors = FactorsOf(x);
  Tensor product = -1;
  if (factors.numbers >= 0) {
    const auto rows = static_cast<int64_t>(factors.multiplied.size());
    const Tensor constant = Numbers({rows, out}, rows_of(factors.multiplied));
    product = New({.kind = Kind::kMatMul,
                   .type = TensorType::kNumber,
                   .shape = {shape(x).groups, out},
                   .inputs = {factors.numbers, constant}});
  }
  if (factors.ids < 0) return product;
  std::vector<float> values = rows_of(factors.looked_up);
  values.insert(values.end(), static_cast<size_t>(out), 0.f);
  const auto rows = static_cast<int64_t>(factors.looked_up.size()) + 1;
  const Tensor sum = SumGroups(Gather(Numbers({rows, out}, std::move(values)), factors.ids));
  return product < 0 ? sum : Add(sum, product);
}

Tensor TensorProgram::BankMatMul(Tensor x, int64_t width, std::vector<float> weights) {
  const auto [groups, in] = shape(x);
  const Tensor constant = Numbers({groups * in, width}, std::move(weights));
  return New(
      {.kind = Kind::kBankMatMul, .type = TensorType::kNumber, .shape = {groups, width}, .inputs = {x, constant}});
}

Tensor TensorProgram::RowMatMul(Tensor a, Tensor b) {
  MG_CHECK(shape(a).width == shape(b).groups, "[{}, {}] times [{}, {}]", shape(a).groups, shape(a).width,
           shape(b).groups, shape(b).width);
  return New({.kind = Kind::kRowMatMul,
              .type = TensorType::kNumber,
              .shape = {shape(a).groups, shape(b).width},
              .inputs = {a, b}});
}

Tensor TensorProgram::Unary(UnaryKind kind, Tensor x) {
  const TensorType type = kind == UnaryKind::kIsNaN ? TensorType::kTruth : operation(x).type;
  return New({.kind = Kind::kUnary, .type = type, .shape = shape(x), .inputs = {x}, .unary = kind});
}

Tensor TensorProgram::Binary(BinaryKind kind, Tensor a, Tensor b) {
  MG_CHECK(operation(a).type == operation(b).type, "two types meet in {}", scope_);
  const bool compares = kind == BinaryKind::kLess || kind == BinaryKind::kAtLeast || kind == BinaryKind::kEqual;
  return New({.kind = Kind::kBinary,
              .type = compares ? TensorType::kTruth : operation(a).type,
              .shape = Together(shape(a), shape(b)),
              .inputs = {a, b},
              .constant = operation(a).constant && operation(b).constant,
              .binary = kind});
}

Tensor TensorProgram::Select(Tensor condition, Tensor a, Tensor b) {
  MG_CHECK(operation(a).type == operation(b).type, "two types meet in {}", scope_);
  return New({.kind = Kind::kSelect,
              .type = operation(a).type,
              .shape = Together(shape(condition), Together(shape(a), shape(b))),
              .inputs = {condition, a, b}});
}

Tensor TensorProgram::Concat(std::vector<Tensor> tensors) {
  MG_CHECK(!tensors.empty(), "nothing to put together in {}", scope_);
  if (tensors.size() == 1) return tensors[0];
  Shape joined{shape(tensors[0]).groups, 0};
  for (const Tensor tensor : tensors) {
    MG_CHECK(shape(tensor).groups == joined.groups, "{} groups beside {}", shape(tensor).groups, joined.groups);
    joined.width += shape(tensor).width;
  }
  const TensorType type = operation(tensors[0]).type;
  return New({.kind = Kind::kConcat, .type = type, .shape = joined, .inputs = std::move(tensors)});
}

Tensor TensorProgram::Slice(Tensor x, int64_t first, int64_t width) {
  MG_CHECK(first >= 0 && first + width <= shape(x).width, "columns {} .. {} of {}", first, first + width,
           shape(x).width);
  if (width == shape(x).width) return x;
  return New({.kind = Kind::kSlice,
              .type = operation(x).type,
              .shape = {shape(x).groups, width},
              .inputs = {x},
              .number = first});
}

Tensor TensorProgram::Reshape(Tensor x, Shape to) {
  MG_CHECK(shape(x).size() == to.size(), "{} values as [{}, {}]", shape(x).size(), to.groups, to.width);
  if (shape(x) == to) return x;
  return New({.kind = Kind::kReshape, .type = operation(x).type, .shape = to, .inputs = {x}});
}

Tensor TensorProgram::Pad(Tensor x, Shape to) {
  MG_CHECK(shape(x).groups <= to.groups && shape(x).width <= to.width, "[{}, {}] padded to [{}, {}]", shape(x).groups,
           shape(x).width, to.groups, to.width);
  if (shape(x) == to) return x;
  return New({.kind = Kind::kPad, .type = operation(x).type, .shape = to, .inputs = {x}});
}

Tensor TensorProgram::Softmax(Tensor x) {
  return New({.kind = Kind::kSoftmax, .type = operation(x).type, .shape = shape(x), .inputs = {x}});
}

Tensor TensorProgram::SumWidth(Tensor x) {
  return New({.kind = Kind::kSumWidth, .type = operation(x).type, .shape = {shape(x).groups, 1}, .inputs = {x}});
}

Tensor TensorProgram::SumGroups(Tensor x) {
  if (shape(x).groups == 1) return x;
  return New({.kind = Kind::kSumGroups, .type = operation(x).type, .shape = {1, shape(x).width}, .inputs = {x}});
}

std::vector<bool> TensorProgram::Used() const {
  std::vector<bool> used(operations_.size(), false);
  for (const Output& output : outputs_) used[static_cast<size_t>(output.tensor)] = true;
  for (size_t i = operations_.size(); i-- > 0;) {
    if (operations_[i].kind == Kind::kInput) used[i] = true;
    if (!used[i]) continue;
    for (const Tensor input : operations_[i].inputs) used[static_cast<size_t>(input)] = true;
  }
  return used;
}

Tensor ExportContext::IdsAt(int64_t slot, int64_t count) const {
  const auto found = ids->find(slot);
  MG_CHECK(found != ids->end(), "no feature has its ids in slot {}", slot);
  return program->Slice(found->second, 0, count);
}

}  // namespace manygate
