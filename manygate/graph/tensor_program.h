// SPDX-License-Identifier: Apache-2.0
// A model as a list of plain tensor operations, from the texts and numbers of a raw row to its predictions: what files of
// other formats (export/) are written from. Operations of a graph add to it by Op::Export.
//
//   TensorProgram program;
//   const Tensor age = program.Input({.name = "age", .type = TensorType::kNumber});
//   const Tensor hidden = program.MatMul(age, {1, 8}, weights);               // [1, 8]
//   program.AddOutput("logits_income", program.Unary(UnaryKind::kRelu, hidden));
//
// A tensor holds [groups, width] values for each row of a batch, as the values of a graph do (graph/op.h); the batch is left
// out. Constants are the same for all rows. Where two tensors meet value by value, groups and widths are equal, or 1 and
// repeated.
#ifndef MANYGATE_GRAPH_TENSOR_PROGRAM_H_
#define MANYGATE_GRAPH_TENSOR_PROGRAM_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "manygate/graph/op.h"

namespace manygate {

// kDouble: where the model itself computes in double; kTruth: what comparisons give.
enum class TensorType { kText, kId, kNumber, kDouble, kTruth };

enum class UnaryKind { kNegative, kAbsolute, kExp, kLog, kSqrt, kTanh, kSigmoid, kRelu, kErf, kIsNaN };
enum class BinaryKind { kAdd, kSubtract, kMultiply, kDivide, kSmaller, kLarger, kLess, kAtLeast, kEqual };

// A column of raw rows. Texts are [1, values]; numbers are [positions, values].
struct ProgramInput {
  std::string name;
  TensorType type = TensorType::kText;
  // A list: as many values at most. Texts that are left are "", numbers NaN.
  bool list = false;
  int64_t positions = 1, values = 1;
  std::string separator = {};             // of a list of texts, where it stands in one text
  bool sequence = false;                  // of a list of texts: an empty value is a position, too
  std::vector<std::string> missing = {};  // texts that are read as "" where they are all of the input
};

class TensorProgram {
 public:
  enum class Kind {
    kInput,     // of inputs[index]
    kConstant,  // numbers, doubles or ids
    kRepeat,    // a constant, in each row of the batch
    kLookUp,    // text -> id: ids[k] where it is texts[k], else `number`
    kWhole,     // text -> id: a whole number below `number` is itself, "" is ids[0], any other text ids[1]
    kParse,     // text -> number; "" -> NaN
    kCast,      // to `type`
    kLength,  // [1, 1] id: positions up to the last that is not empty: texts [1, n] that are not "", or numbers [n, m] of
              // which one is not NaN
    kGather,      // constant [n, m], ids [1, k] -> [k, m]
    kOneHot,      // ids [1, k] -> numbers [1, width]: how often each id stands there; others count nothing
    kMatMul,      // numbers [g, k] · constant [k, n] -> [g, n]
    kBankMatMul,  // numbers [g, k], constant [g · k, n]: each group by its own k rows -> [g, n]
    kRowMatMul,   // numbers [g, k] · numbers [k, n], both of the row -> [g, n]
    kUnary,
    kBinary,
    kSelect,    // truth, a, b: a where it is true, else b
    kConcat,    // side by side: [g, Σ widths]
    kSlice,     // columns `number` .. number + width of each group
    kReshape,   // the same values in another shape
    kPad,       // zeros behind each group's values, and groups of zeros behind the groups
    kSoftmax,   // over the width
    kSumWidth,  // [g, 1]
    kSumGroups  // [1, width]
  };

  struct Operation {
    Kind kind;
    TensorType type;
    Shape shape;
    std::vector<Tensor> inputs = {};
    bool constant = false;
    UnaryKind unary = UnaryKind::kNegative;
    BinaryKind binary = BinaryKind::kAdd;
    int64_t number = 0;  // as its kind says
    std::vector<float> numbers = {};
    std::vector<double> doubles = {};
    std::vector<int64_t> ids = {};
    std::vector<std::string> texts = {};
    std::string scope = {};  // what of the model it belongs to: "towers.income.output"
  };

  struct Output {
    std::string name;
    Tensor tensor;  // numbers
  };

  // What operations added from here on belong to.
  void SetScope(std::string scope) { scope_ = std::move(scope); }

  Tensor Input(ProgramInput input);
  Tensor Numbers(Shape shape, std::vector<float> values);
  Tensor Number(float value) { return Numbers({1, 1}, {value}); }
  Tensor Doubles(Shape shape, std::vector<double> values);
  Tensor Double(double value) { return Doubles({1, 1}, {value}); }
  Tensor Ids(Shape shape, std::vector<int64_t> values);
  // 0, 1, ..., n - 1 as ids [1, n].
  Tensor Counting(int64_t n);
  Tensor Repeat(Tensor constant);
  Tensor LookUp(Tensor text, std::vector<std::string> texts, std::vector<int64_t> ids, int64_t unknown);
  Tensor Whole(Tensor text, int64_t below, int64_t missing, int64_t unknown);
  Tensor Parse(Tensor text);
  Tensor Cast(Tensor x, TensorType type);
  Tensor Length(Tensor x);
  Tensor Gather(Tensor table, Tensor ids);
  Tensor OneHot(Tensor ids, int64_t width);
  // weights: [shape.groups, shape.width], row-major. Where x is, or is put together from, one-hot tensors, their rows of the
  // weights are looked up and added instead.
  Tensor MatMul(Tensor x, Shape shape, std::span<const float> weights);
  // weights: [groups of x · width of x, width].
  Tensor BankMatMul(Tensor x, int64_t width, std::vector<float> weights);
  Tensor RowMatMul(Tensor a, Tensor b);
  Tensor Unary(UnaryKind kind, Tensor x);
  Tensor Binary(BinaryKind kind, Tensor a, Tensor b);
  Tensor Add(Tensor a, Tensor b) { return Binary(BinaryKind::kAdd, a, b); }
  Tensor Subtract(Tensor a, Tensor b) { return Binary(BinaryKind::kSubtract, a, b); }
  Tensor Multiply(Tensor a, Tensor b) { return Binary(BinaryKind::kMultiply, a, b); }
  Tensor Divide(Tensor a, Tensor b) { return Binary(BinaryKind::kDivide, a, b); }
  Tensor Select(Tensor condition, Tensor a, Tensor b);
  // One tensor is returned as it is.
  Tensor Concat(std::vector<Tensor> tensors);
  Tensor Slice(Tensor x, int64_t first, int64_t width);
  Tensor Reshape(Tensor x, Shape shape);
  Tensor Flat(Tensor x) { return Reshape(x, {1, shape(x).size()}); }
  Tensor Pad(Tensor x, Shape shape);
  Tensor Softmax(Tensor x);
  Tensor SumWidth(Tensor x);
  Tensor SumGroups(Tensor x);

  void AddOutput(std::string name, Tensor tensor) { outputs_.push_back({std::move(name), tensor}); }

  const Operation& operation(Tensor tensor) const { return operations_[static_cast<size_t>(tensor)]; }
  const Shape& shape(Tensor tensor) const { return operation(tensor).shape; }
  const std::vector<Operation>& operations() const { return operations_; }
  const std::vector<ProgramInput>& inputs() const { return inputs_; }
  const std::vector<Output>& outputs() const { return outputs_; }
  // Which operations the outputs need, inputs included.
  std::vector<bool> Used() const;

 private:
  // A value that products read, in its two parts: rows of weights that are looked up, and numbers that are multiplied.
  struct Factors {
    Tensor ids = -1;                       // [1, n], into the rows of `looked_up`, then one row of zeros; -1: none
    std::vector<int64_t> looked_up = {};   // rows of the weights
    Tensor numbers = -1;                   // [1, m]; -1: none
    std::vector<int64_t> multiplied = {};  // rows of the weights
  };

  Tensor New(Operation operation);
  const Factors& FactorsOf(Tensor x);

  std::string scope_;
  std::vector<ProgramInput> inputs_;
  std::vector<Operation> operations_;
  std::vector<Output> outputs_;
  std::map<Tensor, Factors> factors_;
};

// What Op::Export of one node is given.
struct ExportContext {
  TensorProgram* program;
  std::span<const Tensor> inputs;
  Shape shape;
  std::span<const std::vector<float>> blocks;  // row-major
  // Constants [rows + 1, columns], the last row zeros: "no more values".
  std::span<const Tensor> tables;
  // Encoded rows: ids [1, num_values] by their first slot; numbers [1, number_width].
  const std::map<int64_t, Tensor>* ids;
  Tensor numbers;

  // Slots slot .. slot + count - 1 of one feature.
  Tensor IdsAt(int64_t slot, int64_t count) const;
  Tensor NumbersAt(int64_t offset, int64_t width) const { return program->Slice(numbers, offset, width); }
};

}  // namespace manygate

#endif  // MANYGATE_GRAPH_TENSOR_PROGRAM_H_
