// SPDX-License-Identifier: Apache-2.0
#include "manygate/expression/expression.h"

#include <algorithm>
#include <utility>

#include "manygate/base/check.h"
#include "manygate/expression/parser.h"

namespace manygate {

StatusOr<Expression> Expression::Parse(std::string_view text, std::span<const std::string> variables,
                                       double fill_missing) {
  MG_ASSIGN_OR_RETURN(Program program, ParseProgram(text, variables, fill_missing));
  return Expression(std::move(program));
}

void Expression::Evaluate(std::span<const std::span<const double>> variables, ExpressionWorkspace* workspace,
                          std::vector<double>* result) const {
  MG_CHECK(variables.size() == program_.uses.size(), "{} variables of {}", variables.size(), program_.uses.size());
  result->clear();
  bool scalars = true;
  for (size_t i = 0; i < variables.size(); ++i) {
    if (!program_.uses[i]) continue;
    if (variables[i].empty()) return;
    scalars = scalars && variables[i].size() == 1;
  }
  if (scalars) {
    workspace->scalars_.resize(std::max(workspace->scalars_.size(), program_.stack_size));
    result->push_back(EvaluateScalars(variables, workspace->scalars_.data()));
  } else {
    EvaluateVectors(variables, workspace, result);
  }
}

double Expression::EvaluateScalars(std::span<const std::span<const double>> variables, double* stack) const {
  double* end = stack;
  for (const Instruction& instruction : program_.instructions) {
    double* const first = end - instruction.count;
    switch (instruction.kind) {
      case Instruction::Kind::kConstant: *first = instruction.constant; break;
      case Instruction::Kind::kVariable: *first = variables[instruction.variable][0]; break;
      case Instruction::Kind::kScalarFunction: *first = instruction.scalar(first, instruction.count); break;
      case Instruction::Kind::kVectorFunction: {
        // No vector function has more than two arguments.
        const Numbers vectors[2] = {{first, 1}, {first + instruction.count - 1, 1}};
        *first = instruction.vector(vectors, program_.fill_missing);
        break;
      }
    }
    end = first + 1;
  }
  return *stack;
}

void Expression::EvaluateVectors(std::span<const std::span<const double>> variables, ExpressionWorkspace* workspace,
                                 std::vector<double>* result) const {
  std::vector<Numbers>& stack = workspace->stack_;
  stack.resize(std::max(stack.size(), program_.stack_size));
  workspace->buffers_.resize(std::max(workspace->buffers_.size(), program_.stack_size));
  workspace->arguments_.resize(std::max(workspace->arguments_.size(), program_.most_arguments));
  size_t end = 0;
  for (const Instruction& instruction : program_.instructions) {
    const size_t first = end - instruction.count;
    switch (instruction.kind) {
      case Instruction::Kind::kConstant: stack[first] = {&instruction.constant, 1}; break;
      case Instruction::Kind::kVariable: {
        const std::span<const double> values = variables[instruction.variable];
        stack[first] = {values.data(), values.size()};
        break;
      }
      case Instruction::Kind::kScalarFunction: CallForEach(instruction, first, workspace); break;
      case Instruction::Kind::kVectorFunction: {
        const double value = instruction.vector(&stack[first], program_.fill_missing);
        workspace->buffers_[first].assign(1, value);
        stack[first] = {workspace->buffers_[first].data(), 1};
        break;
      }
    }
    end = first + 1;
  }
  result->assign(stack[0].data, stack[0].data + stack[0].size);
}

void Expression::CallForEach(const Instruction& instruction, size_t first, ExpressionWorkspace* workspace) const {
  const std::span<const Numbers> operands(&workspace->stack_[first], instruction.count);
  size_t size = 0;
  for (const Numbers& operand : operands) size = std::max(size, operand.size);
  // Not into the buffer of `first` at once: an operand may lie there.
  std::vector<double>& computed = workspace->computed_;
  computed.resize(size);
  double* const arguments = workspace->arguments_.data();
  for (size_t i = 0; i < size; ++i) {
    for (size_t j = 0; j < operands.size(); ++j) arguments[j] = operands[j].At(i, program_.fill_missing);
    computed[i] = instruction.scalar(arguments, instruction.count);
  }
  computed.swap(workspace->buffers_[first]);
  workspace->stack_[first] = {workspace->buffers_[first].data(), size};
}

}  // namespace manygate
