// SPDX-License-Identifier: Apache-2.0
// For tests: writes tf.Examples and TFRecords.
//
//   const std::string record = Record(Example({{"age", Integers({35})}, {"job", Texts({"Private"})}}));
#ifndef MANYGATE_DATA_TEST_RECORDS_H_
#define MANYGATE_DATA_TEST_RECORDS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manygate/base/crc32c.h"

namespace manygate {

inline std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

// A field of wire type 2: bytes, text or a message.
inline std::string Message(int number, std::string_view bytes) {
  return Varint(static_cast<uint64_t>(number) * 8 + 2) + Varint(bytes.size()) + std::string(bytes);
}

// Features.
inline std::string Texts(const std::vector<std::string>& values) {
  std::string list;
  for (const std::string& value : values) list += Message(1, value);
  return Message(1, list);
}
inline std::string Floats(const std::vector<float>& values) {
  std::string packed(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  return Message(2, packed.empty() ? "" : Message(1, packed));
}
inline std::string Integers(const std::vector<int64_t>& values) {
  std::string packed;
  for (const int64_t value : values) packed += Varint(static_cast<uint64_t>(value));
  return Message(3, packed.empty() ? "" : Message(1, packed));
}

inline std::string Example(const std::vector<std::pair<std::string, std::string>>& features) {
  std::string map;
  for (const auto& [name, feature] : features) map += Message(1, Message(1, name) + Message(2, feature));
  return Message(1, map);
}

inline std::string Record(std::string_view content) {
  const uint64_t length = content.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof(length));
  const uint32_t length_crc = MaskCrc(Crc32c(&length, sizeof(length)));
  const uint32_t content_crc = MaskCrc(Crc32c(content.data(), content.size()));
  bytes.append(reinterpret_cast<const char*>(&length_crc), sizeof(length_crc)).append(content);
  return bytes.append(reinterpret_cast<const char*>(&content_crc), sizeof(content_crc));
}

}  // namespace manygate

#endif  // MANYGATE_DATA_TEST_RECORDS_H_
