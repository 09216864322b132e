// SPDX-License-Identifier: Apache-2.0
// Counter-based random numbers: number i of stream s is a pure function of (seed, s, i), so any thread can make any
// part of a sequence, and a resumed run continues by remembering a counter instead of a generator's state.
// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
//
//   Philox random(seed, kDropoutStream);
//   std::array<uint32_t, 4> bits = random.Block(row);   // 128 bits, the same whenever and wherever it is called
//   float u = UnitFloat(bits[0]);                       // [0, 1)
#ifndef MANYGATE_BASE_RANDOM_H_
#define MANYGATE_BASE_RANDOM_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace manygate {

class Philox {
 public:
  // Key = seed (low word first); the stream fills the counter's upper 64 bits.
  Philox(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {}

  // The four words for 128-bit counter (counter, stream).
  std::array<uint32_t, 4> Block(uint64_t counter) const {
    uint32_t c0 = static_cast<uint32_t>(counter), c1 = static_cast<uint32_t>(counter >> 32);
    uint32_t c2 = static_cast<uint32_t>(stream_), c3 = static_cast<uint32_t>(stream_ >> 32);
    uint32_t k0 = static_cast<uint32_t>(seed_), k1 = static_cast<uint32_t>(seed_ >> 32);
    for (int round = 0; round < 10; ++round) {
      const uint64_t product0 = uint64_t{0xD2511F53} * c0, product1 = uint64_t{0xCD9E8D57} * c2;
      c0 = static_cast<uint32_t>(product1 >> 32) ^ c1 ^ k0;
      c1 = static_cast<uint32_t>(product1);
      c2 = static_cast<uint32_t>(product0 >> 32) ^ c3 ^ k1;
      c3 = static_cast<uint32_t>(product0);
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    return {c0, c1, c2, c3};
  }

 private:
  uint64_t seed_;
  uint64_t stream_;
};

// [0, 1): the upper 24 (53) bits, so that every value is exact and 1 is never reached.
inline float UnitFloat(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }
inline double UnitDouble(uint32_t low, uint32_t high) {
  return static_cast<double>(((uint64_t{high} << 32) | low) >> 11) * 0x1p-53;
}

// Two independent standard normal numbers from two words each (Box & Muller 1958), computed in double.
std::array<double, 2> NormalPair(const std::array<uint32_t, 4>& block);

// Fill with values that depend on (seed, stream) and the position only. Uniform: [low, high).
void FillUniform(std::span<float> values, float low, float high, uint64_t seed, uint64_t stream);
void FillNormal(std::span<float> values, float mean, float deviation, uint64_t seed, uint64_t stream);

// An unbiased random order of 0 .. n-1 (Fisher-Yates; indices by Lemire's multiply-and-shift of 64 bits, with
// rejection). About 3 ms for 200,000.
std::vector<uint32_t> RandomPermutation(uint32_t n, uint64_t seed, uint64_t stream);

}  // namespace manygate

#endif  // MANYGATE_BASE_RANDOM_H_
