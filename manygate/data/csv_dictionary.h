// SPDX-License-Identifier: Apache-2.0
// Texts to codes: a small dictionary per block and column, and the one of the whole column they are merged into.
//
//   BlockDictionary block;
//   block.FindAll(fields, stride, rows, codes);           // 0 for the empty text, then 1, 2, ... by first appearance
//   MergedDictionary merged(missing_values);
//   uint32_t code = merged.Find(block.text(codes[0]), block.hash(codes[0]));   // 0 for a missing value, then 1, 2, ...
#ifndef MANYGATE_DATA_CSV_DICTIONARY_H_
#define MANYGATE_DATA_CSV_DICTIONARY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manygate/data/csv_rows.h"

namespace manygate {

// Four words that decide texts of up to 32 bytes together with the size: the first two and the last two, overlapping in
// shorter texts; of less than eight bytes, the bytes with zeros above, four times. Made without a branch: sizes vary
// from row to row, and each wrong guess of the CPU would cost more than the whole key.
struct TextKey {
  uint64_t words[4] = {0, 0, 0, 0};
};

inline uint64_t LoadWord(const char* data) {
  uint64_t word;
  memcpy(&word, data, sizeof(word));
  return word;
}

// `data` has 8 readable bytes even if size is less (kTextPadding).
inline TextKey MakeTextKey(const char* data, uint32_t size) {
  static constexpr uint64_t kMasks[9] = {0x0,          0xFF,           0xFFFF,           0xFFFFFF,          0xFFFFFFFF,
                                         0xFFFFFFFFFF, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF};
  const uint64_t mask = kMasks[size < 8 ? size : 8];
  const uint32_t last = size < 8 ? 0 : size - 8;
  const uint32_t second = last < 8 ? last : 8;
  const uint32_t third = last < 8 ? 0 : last - 8;
  return {{LoadWord(data) & mask, LoadWord(data + second) & mask, LoadWord(data + third) & mask,
           LoadWord(data + last) & mask}};
}

// Mixes in bytes 16 .. size - 17.
uint64_t HashMiddle(const char* data, uint32_t size, uint64_t hash);

inline uint64_t HashText(const TextKey& key, const char* data, uint32_t size) {
  uint64_t hash = key.words[0] * 0x9E3779B97F4A7C15u + key.words[1] * 0xD6E8FEB86659FD93u +
                  key.words[2] * 0xA0761D6478BD642Fu + (key.words[3] ^ size) * 0xE7037ED1A0B428DBu;
  if (size > 32) hash = HashMiddle(data, size, hash);
  hash = (hash ^ (hash >> 32)) * 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 32);
}

class BlockDictionary {
 public:
  BlockDictionary() { Clear(); }

  // Forgets all texts. The dictionary points into the texts it was given: they must outlive its use.
  void Clear();

  // codes[i] = code of the text fields[i * stride], new or known. The texts have kTextPadding readable bytes behind.
  void FindAll(const Field* fields, size_t stride, size_t rows, uint32_t* codes);

  // Texts 0 .. size()-1; number 0 is the empty text.
  uint32_t size() const { return static_cast<uint32_t>(entries_.size()); }
  std::string_view text(uint32_t code) const { return {entries_[code].data, entries_[code].size}; }
  uint64_t hash(uint32_t code) const { return entries_[code].hash; }

 private:
  struct Entry {
    TextKey key;
    const char* data;
    uint64_t hash;
    uint32_t size;
    uint32_t unused[3];  // 64 bytes: one cache line, and an index is a shift
  };

  static bool Equal(const Entry& entry, const TextKey& key, const char* data, uint32_t size) {
    const uint64_t difference = (entry.key.words[0] ^ key.words[0]) | (entry.key.words[1] ^ key.words[1]) |
                                (entry.key.words[2] ^ key.words[2]) | (entry.key.words[3] ^ key.words[3]) |
                                (entry.size ^ size);
    return difference == 0 && (size <= 32 || memcmp(entry.data + 16, data + 16, size - 32) == 0);
  }
  // Goes on behind a slot that holds another text.
  uint32_t Probe(const char* data, uint32_t size, const TextKey& key, uint64_t hash);
  void Rehash(size_t num_slots);

  std::vector<Entry> entries_;
  std::vector<uint32_t> slots_;  // a power of two; 0: free, else a code
  size_t slot_mask_ = 0;
};

class MergedDictionary {
 public:
  explicit MergedDictionary(std::span<const std::string> missing_values);

  // Code of the text: 0 if it is empty or a missing value. hash: as HashText gives it.
  uint32_t Find(std::string_view text, uint64_t hash);

  // texts()[code]; texts()[0] is "".
  const std::vector<std::string>& texts() const { return texts_; }
  std::vector<std::string> TakeTexts() { return std::move(texts_); }

 private:
  void Grow();

  std::vector<std::string> missing_;  // more than a few are not expected
  std::vector<std::string> texts_;
  std::vector<uint64_t> hashes_;  // of texts_
  std::vector<uint32_t> slots_;
  size_t slot_mask_ = 0;
};

}  // namespace manygate

#endif  // MANYGATE_DATA_CSV_DICTIONARY_H_
