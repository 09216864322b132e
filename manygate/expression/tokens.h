// SPDX-License-Identifier: Apache-2.0
// The words of an expression: numbers, names, signs.
#ifndef MANYGATE_EXPRESSION_TOKENS_H_
#define MANYGATE_EXPRESSION_TOKENS_H_

#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/status.h"

namespace manygate {

struct Token {
  enum class Kind { kNumber, kName, kSign, kEnd };
  Kind kind = Kind::kEnd;
  std::string_view text;  // points into the text; kEnd: empty
  double number = 0;      // kNumber
};

// A letter, "_" or any character beyond ASCII, then these and digits.
bool IsName(std::string_view text);

// "at character 7: ": where `part`, a piece of `text`, begins. Counts characters of UTF-8 from 1.
std::string PlaceIn(std::string_view text, std::string_view part);

// The last token is kEnd. InvalidInput: a character that begins no token, a number beyond a double.
StatusOr<std::vector<Token>> Tokenize(std::string_view text);

}  // namespace manygate

#endif  // MANYGATE_EXPRESSION_TOKENS_H_
