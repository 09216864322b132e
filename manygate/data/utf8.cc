// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/utf8.h"

#include <algorithm>

namespace manygate {

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

bool IsUtf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text.substr(at));
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string ShownValue(std::string_view text) {
  constexpr size_t kMaxBytes = 40;
  std::string shown(text.substr(0, kMaxBytes));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  // A cut inside a character would make the message itself ill-formed.
  while (!shown.empty() && text.size() > kMaxBytes && !IsUtf8(shown)) shown.pop_back();
  if (!IsUtf8(shown)) shown = "bytes that are not UTF-8";
  return text.size() > kMaxBytes ? shown + "..." : shown;
}

}  // namespace manygate
