// SPDX-License-Identifier: Apache-2.0
#include "manygate/expression/tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace manygate {
namespace {

// Longer ones before those that they begin with. "=" is no operator; the parser says what to write instead.
constexpr std::array<std::string_view, 20> kSigns = {"||", "&&", "<=", ">=", "!=", "==", "|", "&", "<", ">",
                                                     "+",  "-",  "*",  "/",  "^",  "!",  "?", ":", "(", ")"};
constexpr std::array<std::string_view, 2> kMoreSigns = {",", "="};

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool BeginsName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool ContinuesName(char c) { return BeginsName(c) || IsDigit(c); }

std::string_view NameAt(std::string_view rest) {
  if (rest.empty() || !BeginsName(rest[0])) return {};
  return rest.substr(0, static_cast<size_t>(std::find_if_not(rest.begin(), rest.end(), ContinuesName) - rest.begin()));
}

std::string_view SignAt(std::string_view rest) {
  for (const std::string_view sign : kSigns) {
    if (rest.starts_with(sign)) return sign;
  }
  for (const std::string_view sign : kMoreSigns) {
    if (rest.starts_with(sign)) return sign;
  }
  return {};
}

bool BeginsNumber(std::string_view rest) {
  return IsDigit(rest[0]) || (rest[0] == '.' && rest.size() > 1 && IsDigit(rest[1]));
}

}  // namespace

bool IsName(std::string_view text) { return !text.empty() && NameAt(text).size() == text.size(); }

std::string PlaceIn(std::string_view text, std::string_view part) {
  const std::string_view before = text.substr(0, static_cast<size_t>(part.data() - text.data()));
  const auto characters = std::count_if(before.begin(), before.end(),
                                        [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return fmt::format("at character {}: ", characters + 1);
}

StatusOr<std::vector<Token>> Tokenize(std::string_view text) {
  std::vector<Token> tokens;
  std::string_view rest = text;
  while (!rest.empty()) {
    Token token;
    if (IsBlank(rest[0])) {
      rest.remove_prefix(1);
      continue;
    }
    if (BeginsNumber(rest)) {
      token.kind = Token::Kind::kNumber;
      const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), token.number);
      token.text = rest.substr(0, static_cast<size_t>(end - rest.data()));
      if (error != std::errc()) {
        return InvalidInput(
            fmt::format("{}the number {} is too large or too small for a double", PlaceIn(text, rest), token.text));
      }
    } else if (!NameAt(rest).empty()) {
      token.kind = Token::Kind::kName;
      token.text = NameAt(rest);
    } else {
      token.kind = Token::Kind::kSign;
      token.text = rest.substr(0, SignAt(rest).size());
      if (token.text.empty()) {
        const bool printed = rest[0] > ' ' && rest[0] <= '~';
        const std::string found = printed ? std::string(1, rest[0]) : fmt::format("\\x{:02x}", rest[0]);
        return InvalidInput(
            fmt::format("{}found \"{}\", which is no part of an expression", PlaceIn(text, rest), found));
      }
    }
    rest.remove_prefix(token.text.size());
    tokens.push_back(token);
  }
  tokens.push_back({.kind = Token::Kind::kEnd, .text = rest});
  return tokens;
}

}  // namespace manygate
