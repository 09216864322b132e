// SPDX-License-Identifier: Apache-2.0
#include "manygate/config/init_function.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "manygate/base/text.h"

namespace manygate::config {
namespace {

bool ParseFloat(std::string_view text, float* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(*value);
}

}  // namespace

StatusOr<InitFunction> ParseInitFunction(std::string_view text) {
  const std::vector<std::string> functions = {"nn.init.uniform_", "nn.init.normal_"};
  const std::vector<std::string> pieces = Split(text, ',');
  const std::string name(Trim(pieces[0]));
  InitFunction function;
  if (name == functions[1]) {
    function.kind = InitFunction::Kind::kNormal;
  } else if (name != functions[0]) {
    return InvalidInput(
        fmt::format("unknown initial values \"{}\". {}", name, Suggestion(name, functions, "Functions")));
  }
  const bool normal = function.kind == InitFunction::Kind::kNormal;
  const std::vector<std::string> arguments =
      normal ? std::vector<std::string>{"mean", "std"} : std::vector<std::string>{"a", "b"};
  for (size_t i = 1; i < pieces.size(); ++i) {
    const size_t equals = pieces[i].find('=');
    const std::string argument(Trim(std::string_view(pieces[i]).substr(0, equals)));
    if (argument != arguments[0] && argument != arguments[1]) {
      return InvalidInput(
          fmt::format("{} has no argument \"{}\". {}", name, argument, Suggestion(argument, arguments, "Arguments")));
    }
    float* value = argument == arguments[0] ? &function.first : &function.second;
    const std::string_view number =
        equals == std::string::npos ? std::string_view() : Trim(std::string_view(pieces[i]).substr(equals + 1));
    if (!ParseFloat(number, value)) {
      return InvalidInput(fmt::format("{} needs {}=<number>, found \"{}\"", name, argument, Trim(pieces[i])));
    }
  }
  if (!normal && !(function.first < function.second)) {
    return InvalidInput(fmt::format("{} needs a below b, found a={}, b={}", name, function.first, function.second));
  }
  if (normal && function.second < 0) {
    return InvalidInput(fmt::format("{} needs a std of at least 0, found {}", name, function.second));
  }
  return function;
}

}  // namespace manygate::config
