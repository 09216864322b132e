// SPDX-License-Identifier: Apache-2.0
#include "manygate/serve/json_text.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "manygate/data/utf8.h"

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

}  // namespace manygate::serve
