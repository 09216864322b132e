// SPDX-License-Identifier: Apache-2.0
#include "manygate/data/utf8.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace manygate {

bool IsUtf8(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<uint8_t>(text[i++]);
    if (lead < 0x80) continue;
    // Number of bytes that follow, and the range of the first of them.
    int following = 0;
    uint8_t low = 0x80, high = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
      following = 1;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      following = 2;
      if (lead == 0xE0) low = 0xA0;
      if (lead == 0xED) high = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      following = 3;
      if (lead == 0xF0) low = 0x90;
      if (lead == 0xF4) high = 0x8F;
    } else {
      return false;
    }
    for (; following > 0; --following) {
      if (i == text.size()) return false;
      const auto next = static_cast<uint8_t>(text[i++]);
      if (next < low || next > high) return false;
      low = 0x80;
      high = 0xBF;
    }
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
