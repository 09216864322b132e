// SPDX-License-Identifier: Apache-2.0
// What data_config.trim_blanks takes from the values of text files, and of texts that stand for them.
//
//   TrimBlanks("\t Private ")   // "Private"
#ifndef MANYGATE_DATA_BLANKS_H_
#define MANYGATE_DATA_BLANKS_H_

#include <string_view>

namespace manygate {

// Without spaces and tabs at both ends. Line ends stay: they belong to a value that is quoted.
inline std::string_view TrimBlanks(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace manygate

#endif  // MANYGATE_DATA_BLANKS_H_
