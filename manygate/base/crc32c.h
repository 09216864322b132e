// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli, RFC 3720) and the form in which files of records store it: TensorBoard's events and TFRecord.
//
//   const uint32_t stored = MaskCrc(Crc32c(bytes.data(), bytes.size()));
//
// A record, all numbers little-endian:
//   uint64 length | uint32 masked CRC-32C of the length | bytes | uint32 masked CRC-32C of the bytes
#ifndef MANYGATE_BASE_CRC32C_H_
#define MANYGATE_BASE_CRC32C_H_

#include <bit>
#include <cstddef>
#include <cstdint>

namespace manygate {

inline constexpr size_t kRecordHeadBytes = 12;  // length and its checksum
inline constexpr size_t kRecordTailBytes = 4;   // the checksum of the bytes

// By the instruction of SSE 4.2 where the CPU has it, else by a table; the same result.
uint32_t Crc32c(const void* data, size_t size);

// Another value than the checksum itself, so that bytes which hold checksums can have one of their own.
inline uint32_t MaskCrc(uint32_t crc) { return std::rotr(crc, 15) + 0xA282EAD8u; }

namespace internal {
uint32_t Crc32cByTable(const void* data, size_t size);
}  // namespace internal

}  // namespace manygate

#endif  // MANYGATE_BASE_CRC32C_H_
