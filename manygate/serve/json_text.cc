// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/json_text.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace manygate::serve {

void AppendJsonNumber(float number, std::string* body) {
  if (!std::isfinite(number)) {
    *body += "null";
    return;
  }
  char buffer[32];
  const char* const end = fmt::format_to(buffer, FMT_COMPILE("{}"), number);
  body->append(buffer, static_cast<size_t>(end - buffer));
}

void AppendJsonText(std::string_view text, std::string* body) {
  *body += '"';
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    const size_t length = Utf8Length(text.substr(at));
    if (length == 0) {
      *body += "\xEF\xBF\xBD";
    } else if (length > 1) {
      body->append(text.substr(at, length));
    } else if (c == '"' || c == '\\') {
      *body += '\\';
      *body += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(*body), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      *body += c;
    }
    at += std::max<size_t>(length, 1);
  }
  *body += '"';
}

void AppendJsonError(std::string_view message, std::string* body) {
  *body += "{\"error\":";
  AppendJsonText(message, body);
  *body += '}';
}

size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first < 0xF0) {
    if (!continues(1) || !continues(2)) return 0;
    // Overlong, and the halves of UTF-16's pairs.
    return (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) >= 0xA0) ? 0 : 3;
  }
  if (first < 0xF0 || first > 0xF4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  return (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90) ? 0 : 4;
}

}  // namespace manygate::serve
