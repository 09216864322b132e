// SPDX-License-Identifier: Apache-2.0
// Finds texts among those of a vocabulary: what encoding a row of texts spends its time on.
//
//   TextIndex index;
//   index.Build(values);                  // copies them
//   index.Find("Private");                // its place in `values`, or -1
//
// Open addressing with linear probing, at most half full; hash, length and place of a text lie in one 16-byte slot, and the
// bytes of all texts behind each other. The 29 vocabularies of Census-Income take 0.45 us a row; std::unordered_map, which
// walks over all texts of a vocabulary of up to 20, took 0.76 us (AMD EPYC, one thread).
#ifndef MANYGATE_FEATURES_TEXT_INDEX_H_
#define MANYGATE_FEATURES_TEXT_INDEX_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "manygate/base/check.h"

namespace manygate::features {

class TextIndex {
 public:
  // Of a text that stands there twice, the first place counts. Forgets what was there before.
  template <typename Texts>
  void Build(const Texts& texts);
  // Distinct texts.
  size_t size() const { return size_; }
  // -1: not among them. Thread-safe.
  int64_t Find(std::string_view text) const {
    if (slots_.empty()) return -1;
    const uint32_t hash = HashOf(text);
    for (size_t i = hash & mask_; slots_[i].place >= 0; i = (i + 1) & mask_) {
      const Slot& slot = slots_[i];
      if (slot.hash == hash && slot.size == text.size() && SameBytes(bytes_.data() + slot.offset, text))
        return slot.place;
    }
    return -1;
  }

 private:
  struct Slot {
    uint32_t hash = 0;
    uint32_t size = 0;
    uint32_t offset = 0;  // into bytes_
    int32_t place = -1;   // -1: free
  };
  template <typename Word>
  static uint64_t Load(const char* from) {
    Word word;
    std::memcpy(&word, from, sizeof(word));
    return word;
  }
  static uint64_t Mix(uint64_t a, uint64_t b) {
    a = (a ^ b) * 0x9E3779B97F4A7C15ull;
    return a ^ (a >> 29);
  }
  // Reads words that overlap, so that no length needs a loop over bytes.
  static uint32_t HashOf(std::string_view text) {
    const char* const from = text.data();
    const size_t n = text.size();
    uint64_t hash = n * 0xD6E8FEB86659FD93ull;
    if (n >= 8) {
      for (size_t i = 0; i + 8 < n; i += 8) hash = Mix(hash, Load<uint64_t>(from + i));
      hash = Mix(hash, Load<uint64_t>(from + n - 8));
    } else if (n >= 4) {
      hash = Mix(hash, Load<uint32_t>(from) << 32 | Load<uint32_t>(from + n - 4));
    } else if (n > 0) {
      hash = Mix(hash, Load<uint8_t>(from) << 16 | Load<uint8_t>(from + n / 2) << 8 | Load<uint8_t>(from + n - 1));
    }
    return static_cast<uint32_t>(Mix(hash, 0) >> 32);
  }
  // bytes: as many as the text has.
  static bool SameBytes(const char* bytes, std::string_view text) {
    const size_t n = text.size();
    if (n < 8) {
      if (n >= 4)
        return Load<uint32_t>(bytes) == Load<uint32_t>(text.data()) &&
               Load<uint32_t>(bytes + n - 4) == Load<uint32_t>(text.data() + n - 4);
      for (size_t i = 0; i < n; ++i)
        if (bytes[i] != text[i]) return false;
      return true;
    }
    for (size_t i = 0; i + 8 < n; i += 8)
      if (Load<uint64_t>(bytes + i) != Load<uint64_t>(text.data() + i)) return false;
    return Load<uint64_t>(bytes + n - 8) == Load<uint64_t>(text.data() + n - 8);
  }

  std::vector<Slot> slots_;  // a power of two
  size_t mask_ = 0;
  size_t size_ = 0;
  std::string bytes_;
};

template <typename Texts>
void TextIndex::Build(const Texts& texts) {
  size_t capacity = 2, all_bytes = 0;
  while (capacity < 2 * static_cast<size_t>(texts.size())) capacity *= 2;
  slots_.assign(capacity, Slot());
  mask_ = capacity - 1;
  size_ = 0;
  bytes_.clear();
  for (const auto& text : texts) all_bytes += text.size();
  MG_CHECK(all_bytes <= UINT32_MAX, "{} bytes of texts", all_bytes);
  bytes_.reserve(all_bytes);
  int32_t place = 0;
  for (const auto& text : texts) {
    if (Find(text) < 0) {
      const uint32_t hash = HashOf(text);
      size_t i = hash & mask_;
      while (slots_[i].place >= 0) i = (i + 1) & mask_;
      slots_[i] = {hash, static_cast<uint32_t>(text.size()), static_cast<uint32_t>(bytes_.size()), place};
      bytes_.append(text);
      ++size_;
    }
    ++place;
  }
}

}  // namespace manygate::features

#endif  // MANYGATE_FEATURES_TEXT_INDEX_H_
