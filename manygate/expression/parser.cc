// SPDX-License-Identifier: Apache-2.0
#include "manygate/expression/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numbers>
#include <utility>

#include "manygate/base/text.h"
#include "manygate/expression/tokens.h"

namespace manygate {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 2> kConstants = {
    {{"_pi", std::numbers::pi}, {"_e", std::numbers::e}}};

// TorchEasyRec's function of no arguments.
constexpr std::string_view kRandom = "rnd";

// Signs of other languages, and how this one writes them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kOtherSpellings = {
    {{"=", "equality is written \"==\""},
     {"and", "it is written \"&&\""},
     {"or", "it is written \"||\""},
     {"not", "it is written \"!\""}}};

const BinaryOperator* FindBinaryOperator(const Token& token) {
  if (token.kind != Token::Kind::kSign) return nullptr;
  const auto operators = BinaryOperators();
  const auto found = std::ranges::find(operators, token.text, &BinaryOperator::text);
  return found == operators.end() ? nullptr : &*found;
}

const Function* FindFunction(std::string_view name) {
  const auto found = std::ranges::find(Functions(), name, &Function::name);
  return found == Functions().end() ? nullptr : &*found;
}

class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens, std::span<const std::string> variables)
      : text_(text), tokens_(std::move(tokens)), variables_(variables) {
    program_.uses.resize(variables.size());
  }

  StatusOr<Program> Parse() {
    MG_RETURN_IF_ERROR(ParseChoice());
    if (token().kind != Token::Kind::kEnd) return Unexpected("an operator or the end");
    return std::move(program_);
  }

 private:
  const Token& token() const { return tokens_[at_]; }
  bool At(std::string_view sign) const { return token().kind == Token::Kind::kSign && token().text == sign; }
  Status Problem(const Token& place, std::string_view what) const {
    return InvalidInput(PlaceIn(text_, place.text) + std::string(what));
  }
  // OK unless the token is a word of kOtherSpellings.
  Status OtherSpelling(const Token& place) const;
  Status Unexpected(std::string_view expected) const;
  Status Expect(std::string_view sign, const Token& opening, std::string_view or_else = "");

  // choice = binary [ "?" choice ":" choice ]
  Status ParseChoice();
  // Operands joined by operators of at least that precedence.
  Status ParseBinary(int precedence);
  // unary = ( "-" | "+" | "!" ) unary | power
  Status ParseUnary();
  // power = primary [ "^" unary ]
  Status ParsePower();
  // primary = number | name | name "(" choices ")" | "(" choice ")"
  Status ParsePrimary();
  Status ParseName();
  Status ParseCall();
  Status UnknownName(const Token& name) const;
  Status UnknownFunction(const Token& name) const;
  Status CheckArguments(const Token& name, const Function& function, size_t count) const;

  Status Enter(const Token& place) {
    if (++depth_ > kMostNested) return Problem(place, fmt::format("nested more than {} levels deep", kMostNested));
    return OkStatus();
  }
  void Leave() { --depth_; }

  void Push(Instruction instruction) {
    program_.instructions.push_back(instruction);
    program_.stack_size = std::max(program_.stack_size, ++stack_);
  }
  void PushConstant(double value) { Push({.kind = Instruction::Kind::kConstant, .constant = value}); }
  void Call(ScalarFunction scalar, VectorFunction vector, size_t count) {
    const Instruction::Kind kind =
        scalar != nullptr ? Instruction::Kind::kScalarFunction : Instruction::Kind::kVectorFunction;
    stack_ -= count;
    program_.most_arguments = std::max(program_.most_arguments, count);
    Push({.kind = kind, .count = count, .scalar = scalar, .vector = vector});
  }

  const std::string_view text_;
  const std::vector<Token> tokens_;
  const std::span<const std::string> variables_;
  Program program_;
  size_t at_ = 0;
  size_t depth_ = 0;
  size_t stack_ = 0;  // entries after the last instruction
};

Status Parser::OtherSpelling(const Token& place) const {
  for (const auto& [found, advice] : kOtherSpellings) {
    if (place.text == found) return Problem(place, fmt::format("found \"{}\"; {}", found, advice));
  }
  return OkStatus();
}

Status Parser::Unexpected(std::string_view expected) const {
  if (token().kind == Token::Kind::kEnd) return Problem(token(), fmt::format("the text ends, expected {}", expected));
  if (const Status other = OtherSpelling(token()); !other.ok()) return other;
  return Problem(token(), fmt::format("found \"{}\", expected {}", token().text, expected));
}

// The sign that ends what `opening` began.
Status Parser::Expect(std::string_view sign, const Token& opening, std::string_view or_else) {
  if (!At(sign)) {
    const std::string place = PlaceIn(text_, opening.text);
    return Unexpected(fmt::format("an operator{} or \"{}\" for the \"{}\" {}", or_else, sign, opening.text,
                                  place.substr(0, place.size() - 2)));
  }
  ++at_;
  return OkStatus();
}

Status Parser::ParseChoice() {
  MG_RETURN_IF_ERROR(Enter(token()));
  MG_RETURN_IF_ERROR(ParseBinary(kLowestPrecedence));
  if (At("?")) {
    const Token& question = tokens_[at_++];
    MG_RETURN_IF_ERROR(ParseChoice());
    MG_RETURN_IF_ERROR(Expect(":", question));
    MG_RETURN_IF_ERROR(ParseChoice());
    Call(Choose, nullptr, 3);
  }
  Leave();
  return OkStatus();
}

Status Parser::ParseBinary(int precedence) {
  MG_RETURN_IF_ERROR(ParseUnary());
  for (;;) {
    const BinaryOperator* const found = FindBinaryOperator(token());
    if (found == nullptr || found->precedence < precedence) return OkStatus();
    ++at_;
    MG_RETURN_IF_ERROR(ParseBinary(found->precedence + 1));
    Call(found->function, nullptr, 2);
  }
}

Status Parser::ParseUnary() {
  if (!At("-") && !At("+") && !At("!")) return ParsePower();
  const Token& sign = tokens_[at_++];
  MG_RETURN_IF_ERROR(Enter(sign));
  MG_RETURN_IF_ERROR(ParseUnary());
  if (sign.text == "-") Call(Negate, nullptr, 1);
  if (sign.text == "!") Call(Not, nullptr, 1);
  Leave();
  return OkStatus();
}

Status Parser::ParsePower() {
  MG_RETURN_IF_ERROR(ParsePrimary());
  if (!At("^")) return OkStatus();
  MG_RETURN_IF_ERROR(Enter(tokens_[at_++]));
  MG_RETURN_IF_ERROR(ParseUnary());
  Call(Power, nullptr, 2);
  Leave();
  return OkStatus();
}

Status Parser::ParsePrimary() {
  if (token().kind == Token::Kind::kName) return ParseName();
  if (token().kind == Token::Kind::kNumber) {
    PushConstant(tokens_[at_++].number);
    return OkStatus();
  }
  if (At("(")) {
    const Token& opening = tokens_[at_++];
    MG_RETURN_IF_ERROR(ParseChoice());
    return Expect(")", opening);
  }
  if (At("*") && at_ > 0 && tokens_[at_ - 1].text == "*") {
    return Problem(token(), "found \"*\"; a power is written \"^\"");
  }
  return Unexpected("a number, a variable, a function or \"(\"");
}

Status Parser::ParseName() {
  if (tokens_[at_ + 1].kind == Token::Kind::kSign && tokens_[at_ + 1].text == "(") return ParseCall();
  const Token& name = token();
  for (const auto& [constant, value] : kConstants) {
    if (name.text == constant) {
      ++at_;
      PushConstant(value);
      return OkStatus();
    }
  }
  const auto found = std::find(variables_.begin(), variables_.end(), name.text);
  if (found == variables_.end()) return UnknownName(name);
  const size_t variable = static_cast<size_t>(found - variables_.begin());
  program_.uses[variable] = true;
  ++at_;
  Push({.kind = Instruction::Kind::kVariable, .variable = variable});
  return OkStatus();
}

Status Parser::ParseCall() {
  const Token& name = tokens_[at_];
  const Token& opening = tokens_[at_ + 1];
  const Function* const function = FindFunction(name.text);
  if (function == nullptr) return UnknownFunction(name);
  at_ += 2;
  size_t count = 0;
  if (At(")")) return CheckArguments(name, *function, count);
  do {
    if (count > 0) ++at_;
    MG_RETURN_IF_ERROR(ParseChoice());
    ++count;
  } while (At(","));
  MG_RETURN_IF_ERROR(Expect(")", opening, ", \",\""));
  MG_RETURN_IF_ERROR(CheckArguments(name, *function, count));
  Call(function->scalar, function->vector, count);
  return OkStatus();
}

Status Parser::UnknownName(const Token& name) const {
  if (name.text == kRandom) return UnknownFunction(name);
  if (const Status other = OtherSpelling(name); !other.ok()) return other;
  const Function* const function = FindFunction(name.text);
  if (function != nullptr) {
    return Problem(name, fmt::format("{0} is a function, written {0}({1})", function->name, function->parameters));
  }
  return Problem(
      name, fmt::format("\"{}\" is not a variable. {}", name.text, Suggestion(name.text, variables_, "Variables")));
}

Status Parser::UnknownFunction(const Token& name) const {
  if (name.text == kRandom) {
    return Problem(name, fmt::format("there is no {}: the same row must give the same value every time", kRandom));
  }
  if (const Status other = OtherSpelling(name); !other.ok()) return other;
  if (std::find(variables_.begin(), variables_.end(), name.text) != variables_.end()) {
    return Problem(name, fmt::format("\"{}\" is a variable, not a function", name.text));
  }
  std::vector<std::string> names;
  for (const Function& known : Functions()) names.emplace_back(known.name);
  return Problem(name,
                 fmt::format("\"{}\" is not a function. {}", name.text, Suggestion(name.text, names, "Functions")));
}

Status Parser::CheckArguments(const Token& name, const Function& function, size_t count) const {
  if (count == function.count || (function.count == kAnyNumber && count > 0)) return OkStatus();
  const std::string expected = function.count == kAnyNumber ? "at least 1" : fmt::format("{}", function.count);
  return Problem(name, fmt::format("{}({}) takes {} argument{}, found {}", function.name, function.parameters, expected,
                                   expected.ends_with('1') ? "" : "s", count));
}

Status CheckVariables(std::span<const std::string> variables) {
  for (auto name = variables.begin(); name != variables.end(); ++name) {
    if (!IsName(*name)) {
      return InvalidInput(
          fmt::format("an expression cannot name the variable \"{}\": expected a letter or \"_\" and then "
                      "letters, digits and \"_\"",
                      *name));
    }
    for (const auto& [constant, value] : kConstants) {
      if (*name == constant) return InvalidInput(fmt::format("the variable \"{}\" has the name of a constant", *name));
    }
    if (std::find(variables.begin(), name, *name) != name) {
      return InvalidInput(fmt::format("two variables are named \"{}\"", *name));
    }
  }
  return OkStatus();
}

}  // namespace

StatusOr<Program> ParseProgram(std::string_view text, std::span<const std::string> variables, double fill_missing) {
  MG_RETURN_IF_ERROR(CheckVariables(variables));
  if (text.size() > kMostExpressionBytes) {
    return InvalidInput(fmt::format(
        "{}an expression has at most {} bytes, this one {}", PlaceIn(text, text.substr(kMostExpressionBytes)),
        FormatCount(static_cast<int64_t>(kMostExpressionBytes)), FormatCount(static_cast<int64_t>(text.size()))));
  }
  MG_ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(text));
  MG_ASSIGN_OR_RETURN(Program program, Parser(text, std::move(tokens), variables).Parse());
  program.fill_missing = fill_missing;
  return program;
}

}  // namespace manygate
