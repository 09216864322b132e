// SPDX-License-Identifier: Apache-2.0
// Pieces of answers in JSON.
//
//   AppendJsonText(name, &body);            // "a \"b\""
//   AppendJsonNumber(0.1f, &body);          // 0.1: the shortest text that reads back as the same float
#ifndef MANYGATE_SERVE_JSON_TEXT_H_
#define MANYGATE_SERVE_JSON_TEXT_H_

#include <string>
#include <string_view>

namespace manygate::serve {

// In quotes, escaped. Bytes that are not UTF-8 become U+FFFD.
void AppendJsonText(std::string_view text, std::string* body);
// JSON has no infinities and no NaN: they become null.
void AppendJsonNumber(float number, std::string* body);
// {"error": "..."}, as both protocols have it.
void AppendJsonError(std::string_view message, std::string* body);

}  // namespace manygate::serve

#endif  // MANYGATE_SERVE_JSON_TEXT_H_
