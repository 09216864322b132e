// SPDX-License-Identifier: Apache-2.0
// Is a text UTF-8? Texts end up in JSON files, which allow nothing else.
#ifndef MANYGATE_DATA_UTF8_H_
#define MANYGATE_DATA_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace manygate {

// Bytes of the character that the text, which is not empty, begins with; 0: it begins with none that is well-formed by the
// Unicode standard, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
size_t Utf8Length(std::string_view text);
// Whether all of it is well-formed.
bool IsUtf8(std::string_view text);

// A value as it can stand in a message: on one line, cut behind 40 bytes, never ill-formed.
std::string ShownValue(std::string_view text);

}  // namespace manygate

#endif  // MANYGATE_DATA_UTF8_H_
